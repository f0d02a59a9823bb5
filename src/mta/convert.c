#include "mta/convert.h"

#include "base/utf8.h"
#include "wire/mail/header.h"
#include "wire/mail/mime.h"

enum {
	LINE_MAX = 998,
	ARENA_BYTES = 8 * 1024 * 1024,
	TEXT_BYTES_MAX = 64 * 1024 * 1024,
};

/* The text is copied up to each place where something changes. */
struct conversion {
	struct str text;
	size_t copied;
	bool may_8bit;
	struct buf *out;
};

static bool has_long_line(struct str text)
{
	while (text.len > LINE_MAX) {
		size_t len = str_find_byte(text, '\n');

		if (len > LINE_MAX + 1)
			return true;
		text = str_skip(text, len + 1);
	}
	return false;
}

static bool fits(const struct conversion *c, struct str body)
{
	bool is_ascii = utf8_ascii_len(body) == body.len;

	return (is_ascii || c->may_8bit) && !has_long_line(body) &&
	       (body.len == 0 || !memchr(body.ptr, 0, body.len));
}

static void copy_to(struct conversion *c, size_t place)
{
	buf_add(c->out, str_first(str_skip(c->text, c->copied), place - c->copied));
	c->copied = place;
}

/* ---- what must not be touched ------------------------------------------------------ */

static bool is_signed(struct str text, const struct mime_part *root)
{
	struct mail_fields fields = mail_fields_over(text);
	struct mail_field field;

	while (mail_fields_next(&fields, &field))
		if (str_same_nocase(field.name, STR("DKIM-Signature")) ||
		    str_same_nocase(field.name, STR("ARC-Message-Signature")))
			return true;
	for (struct mime_part *part = (struct mime_part *)(uintptr_t)root; part;
	     part = mime_next(part))
		if (mime_is(part, "multipart", "signed") ||
		    mime_is(part, "multipart", "encrypted"))
			return true;
	return false;
}

/* ---- one part ---------------------------------------------------------------------- */

/* The header of the part without its old encoding, and with the new one. */
static void write_header(struct conversion *c, const struct mime_part *part,
			 enum mail_transfer transfer)
{
	struct str header =
		str_first(str_skip(c->text, part->header_at), part->header_len);
	struct mail_fields fields =
		part->parent ? mail_fields_of_part(header) : mail_fields_over(header);
	struct mail_field field;
	bool has_type = false, has_version = false;

	copy_to(c, part->header_at);
	while (mail_fields_next(&fields, &field)) {
		has_type |= str_same_nocase(field.name, STR("Content-Type"));
		has_version |= str_same_nocase(field.name, STR("MIME-Version"));
		if (str_same_nocase(field.name, STR("Content-Transfer-Encoding")))
			continue;
		buf_add(c->out, str_first(str_skip(header, field.at), field.len));
	}
	if (!part->parent && !has_version)
		buf_add(c->out, STR("MIME-Version: 1.0\r\n"));
	if (!has_type && part->kind == MIME_LEAF) /* RFC 1428 §4 */
		buf_add(c->out,
			STR("Content-Type: text/plain; charset=unknown-8bit\r\n"));
	buf_printf(c->out, "Content-Transfer-Encoding: %.*s\r\n\r\n",
		   STR_FMT(mail_transfer_name(transfer)));
	c->copied = part->header_at + part->header_len;
}

static void convert_leaf(struct conversion *c, const struct mime_part *part)
{
	struct str body = str_first(str_skip(c->text, part->body_at), part->body_len);
	bool is_text = str_same_nocase(part->type, STR("text"));

	write_header(c, part, is_text ? MAIL_TRANSFER_QP : MAIL_TRANSFER_BASE64);
	if (is_text)
		mail_qp_add(c->out, body);
	else
		mail_base64_add(c->out, body);
	c->copied = part->body_at + part->body_len;
}

/* What contains others says 8bit no more than they do.  RFC 2045 §6.4. */
static bool is_loud(const struct conversion *c, const struct mime_part *part)
{
	return part->transfer == MAIL_TRANSFER_BINARY ||
	       (part->transfer == MAIL_TRANSFER_8BIT && !c->may_8bit);
}

/* False: it does not fit, and cannot be made to. */
static bool convert_part(struct conversion *c, const struct mime_part *part)
{
	struct str header =
		str_first(str_skip(c->text, part->header_at), part->header_len);
	struct str body = str_first(str_skip(c->text, part->body_at), part->body_len);

	if (!fits(c, header) || part->is_opaque)
		return fits(c, header) && fits(c, body);
	if (part->kind != MIME_LEAF) {
		if (is_loud(c, part))
			write_header(c, part,
				     c->may_8bit ? MAIL_TRANSFER_8BIT
						 : MAIL_TRANSFER_7BIT);
		return true;
	}
	if (fits(c, body) && !is_loud(c, part))
		return true;
	/* Already encoded, and yet it does not fit: it says what it is not. */
	if (part->transfer == MAIL_TRANSFER_QP || part->transfer == MAIL_TRANSFER_BASE64)
		return fits(c, body);
	convert_leaf(c, part);
	return true;
}

static enum convert convert_all(struct conversion *c, struct arena *arena)
{
	struct mime mime = mime_parse(arena, c->text);

	if (!mime.root || is_signed(c->text, mime.root))
		return CONVERT_IMPOSSIBLE;
	for (struct mime_part *part = mime.root; part; part = mime_next(part))
		if (!convert_part(c, part))
			return CONVERT_IMPOSSIBLE;
	copy_to(c, c->text.len);
	return buf_ok(c->out) ? CONVERT_DONE : CONVERT_NOT_NOW;
}

enum convert convert_text(struct str text, bool may_8bit, struct buf *out)
{
	struct conversion c = {.text = text, .may_8bit = may_8bit, .out = out};
	struct arena arena;

	arena_init(&arena, ARENA_BYTES);
	enum convert outcome = convert_all(&c, &arena);

	arena_fini(&arena);
	return outcome;
}

enum convert convert_message(struct outgoing *message, bool may_8bit)
{
	if (message->bytes > TEXT_BYTES_MAX)
		return CONVERT_IMPOSSIBLE;
	if (outgoing_whole(message) != STORE_OK)
		return CONVERT_NOT_NOW;
	struct buf out = BUF(4 * message->text.len + 64 * 1024);
	enum convert outcome = convert_text(buf_str(&message->text), may_8bit, &out);

	if (outcome != CONVERT_DONE) {
		buf_fini(&out);
		return outcome;
	}
	buf_fini(&message->text);
	message->text = out;
	message->bytes = out.len;
	message->has_long_line = message->has_nul = message->has_8bit = false;
	message->line_len = 0;
	outgoing_look_at(message, buf_str(&message->text));
	return CONVERT_DONE;
}
