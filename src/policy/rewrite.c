#include "policy/rewrite.h"

#include "base/utf8.h"
#include "text/text_header.h"
#include "wire/mail/address.h"
#include "wire/mail/header.h"
#include "wire/smtp/path.h"

enum {
	FROM_ADDRESSES_MAX = 100,
	VALUE_BYTES_MAX = 2000, /* of a From field that is kept as it was written */
	LINE_ROOM = 900,        /* RFC 5322 §2.1.1: 998, with the field's new name */
	NAME_BYTES_MAX = 200,
};

/* The author, as From had it. */
struct author {
	struct str value;   /* behind the colon */
	struct str name;    /* or "" */
	struct str mailbox; /* LOCAL@DOMAIN of the first, or "" */
	bool has_reply_to;
};

static struct str mailbox_text(const struct mail_address *mailbox, struct arena *scratch)
{
	SCOPED(buf_fini) struct buf text = BUF(2 * SMTP_PATH_MAX);
	struct str kept = STR("");

	mail_local_add(&text, mailbox->local);
	buf_printf(&text, "@%.*s", STR_FMT(mailbox->domain));
	if (buf_ok(&text))
		(void)arena_copy(scratch, buf_str(&text), &kept);
	return kept;
}

static void read_from(struct str value, struct arena *scratch, struct author *author)
{
	struct mail_addresses all =
		mail_addresses_parse(scratch, value, FROM_ADDRESSES_MAX);

	author->value = value;
	for (size_t i = 0; i < all.count; i++) {
		if (all.items[i].kind != MAIL_MAILBOX)
			continue;
		author->name = all.items[i].name;
		author->mailbox = mailbox_text(&all.items[i], scratch);
		return;
	}
}

static struct author find_author(struct str message, struct arena *scratch)
{
	struct mail_fields fields = mail_fields_over(message);
	struct author author = {.value = STR("")};
	struct mail_field field;
	size_t from_count = 0;

	while (mail_fields_next(&fields, &field)) {
		if (str_same_nocase(field.name, STR("Reply-To")))
			author.has_reply_to = true;
		if (str_same_nocase(field.name, STR("From")) && from_count++ == 0)
			read_from(field.value, scratch, &author);
	}
	return author;
}

/* RFC 5322 §3.4: words before the address. */
static void add_from(struct buf *whole, const struct author *author, struct str address)
{
	SCOPED(buf_fini) struct buf decoded = BUF(4 * VALUE_BYTES_MAX);
	SCOPED(buf_fini) struct buf name = BUF(2 * NAME_BYTES_MAX + SMTP_PATH_MAX);
	struct str domain = str_skip(address, str_rfind_byte(address, '@') + 1);

	text_header_add(&decoded, str_first(author->name, VALUE_BYTES_MAX));
	if (decoded.len == 0)
		buf_add(&decoded, author->mailbox);
	buf_add(&name, utf8_first(buf_str(&decoded), NAME_BYTES_MAX));
	buf_printf(&name, "%svia %.*s", name.len > 0 ? " " : "", STR_FMT(domain));
	buf_add_c(whole, "From: ");
	mail_name_add(whole, buf_str(&name));
	buf_printf(whole, "\r\n <%.*s>\r\n", STR_FMT(address));
}

static void add_author(struct buf *whole, const char *field, const struct author *author)
{
	struct str value = author->value;

	buf_printf(whole, "%s:", field);
	if (value.len > VALUE_BYTES_MAX)
		buf_printf(whole, " <%.*s>", STR_FMT(author->mailbox));
	else if (str_find_byte(value, '\r') > LINE_ROOM)
		buf_printf(whole, "\r\n %.*s", STR_FMT(str_trim(value)));
	else
		buf_add(whole, value);
	buf_add_c(whole, "\r\n");
}

static void add_fields(struct buf *whole, const struct author *author, struct str address)
{
	add_from(whole, author, address);
	if (author->value.len == 0 ||
	    (author->value.len > VALUE_BYTES_MAX && author->mailbox.len == 0))
		return;
	if (!author->has_reply_to)
		add_author(whole, "Reply-To", author);
	add_author(whole, "X-Original-From", author);
}

void rewrite_from(struct str message, struct str address, struct arena *scratch,
		  struct buf *whole)
{
	struct author author = find_author(message, scratch);
	struct mail_fields fields = mail_fields_over(message);
	struct mail_field field;
	size_t kept = 0; /* up to here the message is dealt with */
	bool is_written = false;

	while (mail_fields_next(&fields, &field)) {
		if (!str_same_nocase(field.name, STR("From")))
			continue;
		buf_add(whole, str_first(str_skip(message, kept), field.at - kept));
		kept = field.at + field.len;
		if (!is_written)
			add_fields(whole, &author, address);
		is_written = true;
	}
	if (!is_written)
		add_fields(whole, &author, address);
	buf_add(whole, str_skip(message, kept));
}
