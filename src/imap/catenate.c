#include "imap/catenate.h"

#include "imap/message.h"
#include "wire/imap/url.h"

enum { PARTS_MAX = 1000 };

/* A message that is there, as a row; ABSENT if the URL leads nowhere. */
static enum store_outcome find_message(struct arriving *a, const struct imap_url *url,
				       struct mailbox **found,
				       const struct message_row **row)
{
	struct session *s = a->s;
	struct uid_range one = {url->uid, url->uid};
	struct message_row *rows;
	size_t count = 0;
	uint32_t next;

	enum store_outcome outcome = arriving_mailbox(a, url->mailbox, found);
	const struct mailbox *mailbox = *found;

	if (outcome != STORE_OK)
		return outcome;
	if ((url->uid_validity != 0 && url->uid_validity != mailbox->row.uid_validity) ||
	    !(mailbox->row.rights & ACL_READ))
		return STORE_ABSENT; /* RFC 5092 §5: as if it did not exist */
	arena_reset(&s->page);
	outcome = store_rows(session_store(s), mailbox->account, mailbox->row.id, one,
			     ROW_MESSAGE | ROW_DIGEST, &s->page, &rows, &count, &next);

	if (outcome == STORE_OK && count == 0)
		return STORE_ABSENT;
	*row = rows;
	return outcome;
}

static bool is_fields(const struct imap_section *section)
{
	return section->text == IMAP_TEXT_FIELDS || section->text == IMAP_TEXT_FIELDS_NOT;
}

/* Adds the named fields of the header block that is at where. */
static enum store_outcome add_fields(struct message *m,
				     const struct imap_section *section,
				     struct octets where, struct buf *text)
{
	SCOPED(buf_fini) struct buf header = BUF(IMAP_OUT_MAX), named = BUF(IMAP_OUT_MAX);
	enum store_outcome outcome = message_read(m, where, &header);

	if (outcome != STORE_OK)
		return outcome;
	message_fields(&named, buf_str(&header), section);
	struct octets part = message_cut(section, (struct octets){0, named.len});

	buf_add(text, str_first(str_skip(buf_str(&named), part.at), part.len));
	return buf_ok(&named) && buf_ok(text) ? STORE_OK : STORE_INVALID;
}

/* Adds what the URL leads to, "as if the literal returned in a FETCH BODY response were
 * put in place" (RFC 4469 §3).  INVALID if the whole becomes too long. */
static enum store_outcome add_section(struct arriving *a, struct message *m,
				      const struct imap_section *section,
				      struct buf *text)
{
	struct octets where;
	enum store_outcome outcome = STORE_OK;

	if (section->part_count > 0)
		outcome = message_structure(m);
	else if (section->text != IMAP_TEXT_ALL)
		outcome = message_header_size(m);
	if (outcome == STORE_OK && !message_locate(m, section, &where))
		outcome = STORE_ABSENT;
	if (outcome != STORE_OK)
		return outcome;
	if (is_fields(section))
		return add_fields(m, section, where, text);
	struct octets part = message_cut(section, where);

	if (arriving_too_big(a, part.len).len > 0)
		return STORE_INVALID;
	return message_read(m, part, text);
}

/* RFC 9051 §4.3.1: what an ordinary literal cannot hold, FETCH says as message_say()
 * does. */
static void say_plain(char *octets, size_t len)
{
	for (size_t i = 0; i < len; i++)
		octets[i] = (char)(octets[i] ? octets[i] : 0x80);
}

static enum store_outcome add_url(struct arriving *a, struct str wire, struct buf *text)
{
	struct imap_url url;
	struct message message;
	struct mailbox *mailbox;
	const struct message_row *row;
	size_t len = text->len, room = text->room;

	if (!imap_url(wire, &a->s->scratch, &url))
		return STORE_ABSENT;
	enum store_outcome outcome = find_message(a, &url, &mailbox, &row);

	if (outcome != STORE_OK)
		return outcome;
	message_init(&message, a->s);
	message.account = mailbox->account;
	message.mailbox = mailbox->row.id;
	message_turn(&message, row);
	outcome = add_section(a, &message, &url.section, text);
	message_fini(&message);
	if (outcome != STORE_OK)
		return outcome;
	say_plain(text->ptr + len, text->len - len);
	a->bytes += text->len - len;
	arriving_held(a, text, room);
	return STORE_OK;
}

/* url-resp-text: what cannot be in a response code is percent-encoded.  RFC 4469 §5. */
static struct str bad_url(struct arriving *a, struct str wire)
{
	SCOPED(buf_fini) struct buf url = BUF(IMAP_OUT_MAX / 8);

	wire = str_first(wire, IMAP_URL_BYTES_MAX);
	for (size_t i = 0; i < wire.len; i++) {
		unsigned char c = (unsigned char)wire.ptr[i];

		if (c > ' ' && c < 127 && c != ']')
			buf_add_byte(&url, (char)c);
		else
			buf_printf(&url, "%%%02X", c);
	}
	if (url.len == 0)
		buf_add_c(&url, "%20"); /* at least one octet has to be there */
	return arena_printf(&a->s->scratch, "[BADURL %.*s] That leads to no message here",
			    STR_FMT(buf_str(&url)));
}

static struct str why_not(struct arriving *a, struct str url, enum store_outcome outcome)
{
	if (outcome == STORE_OK)
		return STR("");
	if (outcome == STORE_ABSENT || outcome == STORE_DENIED)
		return bad_url(a, url);
	if (outcome == STORE_INVALID)
		return STR("[TOOBIG] The message becomes too long; leave something out");
	if (outcome == STORE_DAMAGED)
		return STR("[CORRUPTION] A part is damaged on our disk; tell who runs "
			   "this server");
	return STR("[UNAVAILABLE] The mail store does not answer; try again in a minute");
}

static err_t take_text(struct arriving *a, const struct imap_cat_part *part,
		       struct arrived *arrived, struct str *why)
{
	if (part->is_utf8 && !a->s->is_utf8)
		*why = STR("[CANNOT] ENABLE UTF8=ACCEPT first");
	else
		*why = arriving_too_big(a, part->literal.len);
	if (why->len > 0)
		return OK;
	a->bytes += part->literal.len;
	arrived->head.literal.is_binary |= part->literal.is_binary;
	arriving_ask(a, &part->literal);
	TRY(arriving_octets(a, part->literal.len, &arrived->text));
	return arriving_line(a);
}

/* A URL that comes as a literal. */
static err_t take_url(struct arriving *a, const struct imap_cat_part *part,
		      struct arrived *arrived, struct str *why)
{
	SCOPED(buf_fini) struct buf url = BUF(IMAP_URL_BYTES_MAX);
	struct arriving aside = {.s = a->s}; /* the URL is no part of the message */

	if (part->literal.len > IMAP_URL_BYTES_MAX) {
		*why = STR("[TOOBIG] The URL is too long");
		return OK;
	}
	arriving_ask(a, &part->literal);
	err_t err = arriving_octets(&aside, part->literal.len, &url);

	arriving_fini(&aside);
	TRY(err);
	if (url.len < part->literal.len) {
		*why = STR("[UNAVAILABLE] No room just now; try again later");
		return OK;
	}
	TRY(arriving_line(a));
	*why = why_not(a, buf_str(&url), add_url(a, buf_str(&url), &arrived->text));
	return OK;
}

err_t catenate_take(struct arriving *a, struct arrived *arrived, struct str *why,
		    enum arriving_refusal *how)
{
	struct imap_cat_part part, before;
	struct str url;

	for (size_t count = 0; why->len == 0; count++) {
		struct imap_in in = arriving_rest(a);

		if (!imap_cat_part(&in, count > 0 ? &before : NULL, &part)) {
			*why = in.reason;
			*how = ARRIVING_BAD;
			return OK;
		}
		arriving_took(a, &in);
		if (count == PARTS_MAX)
			*why = STR("[LIMIT] Too many parts; give it fewer");
		before = part;
		switch (part.kind) {
		case IMAP_CAT_END:
			return OK;
		case IMAP_CAT_TEXT:
			if (why->len == 0)
				TRY(take_text(a, &part, arrived, why));
			break;
		case IMAP_CAT_URL_LITERAL:
			if (why->len == 0)
				TRY(take_url(a, &part, arrived, why));
			break;
		case IMAP_CAT_URL:
			url = part.url;
			if (why->len == 0)
				*why = why_not(a, url, add_url(a, url, &arrived->text));
			break;
		}
	}
	return OK;
}
