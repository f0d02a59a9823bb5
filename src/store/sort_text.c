#include "store/sort_text.h"

#include "base/utf8.h"
#include "text/base_subject.h"
#include "text/casemap.h"
#include "text/text_header.h"

enum { SUBJECT_MAX = 8192, PART_MAX = 1000 };

/* Of a group, which ENVELOPE shows as an address without host, that is its name. */
static struct str mailbox_of(const struct mail_address *a)
{
	return a->kind == MAIL_GROUP_START ? a->name : a->local;
}

static void add_display(struct buf *out, const struct mail_address *a)
{
	if (a->kind == MAIL_MAILBOX)
		text_header_add(out, utf8_first(a->name, PART_MAX));
	if (out->len > 0)
		return;
	buf_add(out, utf8_first(mailbox_of(a), PART_MAX));
	if (a->kind != MAIL_MAILBOX || a->domain.len == 0)
		return;
	buf_add_byte(out, '@');
	buf_add(out, utf8_first(a->domain, PART_MAX));
}

static const struct mail_address *first_of(const struct mail_envelope *e,
					   enum mail_list list)
{
	return e->lists[list].count > 0 ? &e->lists[list].items[0] : NULL;
}

static const struct mail_address *address_for(const struct mail_envelope *e,
					      enum sort_text which)
{
	switch (which) {
	case SORT_FROM:
	case SORT_DISPLAY_FROM:
		return first_of(e, MAIL_FROM_LIST);
	case SORT_TO:
	case SORT_DISPLAY_TO:
		return first_of(e, MAIL_TO_LIST);
	case SORT_CC:
		return first_of(e, MAIL_CC_LIST);
	case SORT_SUBJECT:
	case SORT_TEXTS:
		break;
	}
	return NULL;
}

/* A piece that is far longer than max is cut before it is mapped, too: no character maps
 * to less than a third of its octets. */
static void add_mapped(struct buf *out, struct str text, size_t max)
{
	SCOPED(buf_fini) struct buf mapped = BUF(max * 4);

	casemap_add(&mapped, utf8_first(text, max * 4));
	buf_add(out, utf8_first(buf_str(&mapped), max));
}

bool sort_text_add(struct buf *out, const struct mail_envelope *envelope,
		   enum sort_text which, size_t max)
{
	SCOPED(buf_fini) struct buf text = BUF((size_t)3 * SUBJECT_MAX + 8);
	const struct mail_address *address = address_for(envelope, which);
	bool is_reply = false;

	if (which == SORT_SUBJECT)
		is_reply = base_subject_add(&text,
					    utf8_first(envelope->subject, SUBJECT_MAX));
	else if (address && (which == SORT_DISPLAY_FROM || which == SORT_DISPLAY_TO))
		add_display(&text, address);
	else if (address)
		buf_add(&text, utf8_first(mailbox_of(address), PART_MAX));
	add_mapped(out, buf_str(&text), max);
	return is_reply;
}
