#include "wire/imap/write.h"

#include "base/civil.h"
#include "wire/imap/mailbox_name.h"

enum { QUOTED_MAX = 1000 };

static bool is_quotable(struct str text)
{
	unsigned bad = 0;

	if (text.len > QUOTED_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) /* without a branch: many at once */
		bad |= (unsigned)(text.ptr[i] < 32) | (unsigned)(text.ptr[i] > 126);
	return bad == 0;
}

static bool has_specials(struct str text)
{
	unsigned found = 0;

	for (size_t i = 0; i < text.len; i++)
		found |= (unsigned)(text.ptr[i] == '"') | (unsigned)(text.ptr[i] == '\\');
	return found != 0;
}

void imap_write_quoted(struct buf *out, struct str text)
{
	char *room = has_specials(text) ? NULL : buf_room(out, text.len + 2);

	if (room) {
		room[0] = room[text.len + 1] = '"';
		if (text.len > 0)
			memcpy(room + 1, text.ptr, text.len);
		buf_grew(out, text.len + 2);
		return;
	}
	buf_add_byte(out, '"');
	while (text.len > 0) {
		size_t plain = 0;

		while (plain < text.len && text.ptr[plain] != '"' &&
		       text.ptr[plain] != '\\')
			plain++;
		buf_add(out, str_first(text, plain));
		if (plain < text.len) {
			buf_add_byte(out, '\\');
			buf_add_byte(out, text.ptr[plain++]);
		}
		text = str_skip(text, plain);
	}
	buf_add_byte(out, '"');
}

void imap_write_literal_head(struct buf *out, uint64_t len, bool is_binary)
{
	buf_add_c(out, is_binary ? "~{" : "{");
	buf_add_u64(out, len);
	buf_add_c(out, "}\r\n");
}

static void literal(struct buf *out, struct str text)
{
	imap_write_literal_head(out, text.len, false);
	char *room = buf_room(out, text.len);

	if (!room || text.len == 0)
		return;
	memcpy(room, text.ptr, text.len);
	for (char *nul = memchr(room, 0, text.len); nul;
	     nul = memchr(nul, 0, text.len - (size_t)(nul - room)))
		*nul = ' ';
	buf_grew(out, text.len);
}

void imap_write_string(struct buf *out, struct str text)
{
	if (is_quotable(text))
		imap_write_quoted(out, text);
	else
		literal(out, text);
}

void imap_write_nstring(struct buf *out, struct str text)
{
	if (text.ptr)
		imap_write_string(out, text);
	else
		buf_add_c(out, "NIL");
}

void imap_write_astring(struct buf *out, struct str text)
{
	bool is_atom =
		text.len > 0 && text.len < 100 && !str_same_nocase(text, STR("NIL"));

	for (size_t i = 0; is_atom && i < text.len; i++) {
		char c = text.ptr[i];

		is_atom = is_ascii_digit((unsigned char)c) || (c >= 'A' && c <= 'Z') ||
			  (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
	}
	if (is_atom)
		buf_add(out, text);
	else
		imap_write_string(out, text);
}

void imap_write_mailbox(struct buf *out, struct str name, bool is_utf8)
{
	if (!imap_mailbox_name_ok(name)) {
		literal(out, name);
		return;
	}
	if (is_utf8) {
		imap_write_quoted(out, name); /* RFC 9051 §9: quoted may hold UTF-8 */
		return;
	}
	buf_add_byte(out, '"');
	(void)imap_mailbox_name_to_utf7(out, name, true); /* it is a name */
	buf_add_byte(out, '"');
}

void imap_write_flags(struct buf *out, unsigned system, const struct str *keywords,
		      size_t keyword_count)
{
	static const struct str names[] = {STR("\\Seen"), STR("\\Answered"),
					   STR("\\Flagged"), STR("\\Deleted"),
					   STR("\\Draft")};
	bool is_first = true;

	buf_add_byte(out, '(');
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (!(system & 1u << i))
			continue;
		if (!is_first)
			buf_add_byte(out, ' ');
		buf_add(out, names[i]);
		is_first = false;
	}
	for (size_t i = 0; i < keyword_count; i++) {
		if (!is_first)
			buf_add_byte(out, ' ');
		buf_add(out, keywords[i]);
		is_first = false;
	}
	buf_add_byte(out, ')');
}

void imap_write_date_time(struct buf *out, struct imap_date_time when)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct civil at = civil_from_unix(when.at_s, when.zone_minutes);
	int zone = at.zone_minutes < 0 ? -at.zone_minutes : at.zone_minutes;

	buf_printf(out, "\"%2d-%.3s-%04d %02d:%02d:%02d %c%02d%02d\"", at.day,
		   months + 3 * (at.month - 1), at.year, at.hour, at.minute, at.second,
		   at.zone_minutes < 0 ? '-' : '+', zone / 60, zone % 60);
}

static void addresses(struct buf *out, struct imap_addresses all)
{
	if (all.count == 0) {
		buf_add_c(out, "NIL");
		return;
	}
	buf_add_byte(out, '(');
	for (size_t i = 0; i < all.count; i++) {
		buf_add_byte(out, '(');
		imap_write_nstring(out, all.list[i].name);
		buf_add_c(out, " NIL "); /* addr-adl: source routes are dropped */
		imap_write_nstring(out, all.list[i].mailbox);
		buf_add_byte(out, ' ');
		imap_write_nstring(out, all.list[i].host);
		buf_add_byte(out, ')');
	}
	buf_add_byte(out, ')');
}

void imap_write_envelope(struct buf *out, const struct imap_envelope *envelope)
{
	struct imap_addresses from = envelope->from;
	const struct imap_addresses lists[] = {
		from,
		envelope->sender.count > 0 ? envelope->sender : from,
		envelope->reply_to.count > 0 ? envelope->reply_to : from,
		envelope->to,
		envelope->cc,
		envelope->bcc,
	};

	buf_add_byte(out, '(');
	imap_write_nstring(out, envelope->date);
	buf_add_byte(out, ' ');
	imap_write_nstring(out, envelope->subject);
	buf_add_byte(out, ' ');
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		addresses(out, lists[i]);
		buf_add_byte(out, ' ');
	}
	imap_write_nstring(out, envelope->in_reply_to);
	buf_add_byte(out, ' ');
	imap_write_nstring(out, envelope->message_id);
	buf_add_byte(out, ')');
}

static void params(struct buf *out, const struct imap_param *list, size_t count)
{
	if (count == 0) {
		buf_add_c(out, "NIL");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		buf_add_byte(out, i == 0 ? '(' : ' ');
		imap_write_string(out, list[i].name);
		buf_add_byte(out, ' ');
		imap_write_string(out, list[i].value);
	}
	buf_add_byte(out, ')');
}

/* body-fld-dsp [SP body-fld-lang [SP body-fld-loc]] */
static void extension_tail(struct buf *out, const struct imap_body *body)
{
	buf_add_byte(out, ' ');
	if (body->disposition.ptr) {
		buf_add_byte(out, '(');
		imap_write_string(out, body->disposition);
		buf_add_byte(out, ' ');
		params(out, body->disposition_params, body->disposition_param_count);
		buf_add_byte(out, ')');
	} else {
		buf_add_c(out, "NIL");
	}
	buf_add_byte(out, ' ');
	imap_write_nstring(out, body->language);
	buf_add_byte(out, ' ');
	imap_write_nstring(out, body->location);
}

static void body_write(struct buf *out, const struct imap_body *body, bool is_extended,
		       unsigned depth);

static void multipart_write(struct buf *out, const struct imap_body *body,
			    bool is_extended, unsigned depth)
{
	for (const struct imap_body *part = body->child; part; part = part->next)
		body_write(out, part, is_extended, depth);
	buf_add_byte(out, ' ');
	imap_write_string(out, body->subtype);
	if (!is_extended)
		return;
	buf_add_byte(out, ' ');
	params(out, body->params, body->param_count);
	extension_tail(out, body);
}

static void single_write(struct buf *out, const struct imap_body *body, bool is_extended,
			 unsigned depth)
{
	bool is_message = body->envelope && body->child && depth > 0;
	bool is_unshown = (body->envelope || body->is_multipart) && !is_message;

	imap_write_string(out, is_unshown ? STR("APPLICATION") : body->type);
	buf_add_byte(out, ' ');
	imap_write_string(out, is_unshown ? STR("OCTET-STREAM") : body->subtype);
	buf_add_byte(out, ' ');
	params(out, body->params, body->param_count);
	buf_add_byte(out, ' ');
	imap_write_nstring(out, body->id);
	buf_add_byte(out, ' ');
	imap_write_nstring(out, body->description);
	buf_add_byte(out, ' ');
	imap_write_string(out, body->encoding.ptr ? body->encoding : STR("7BIT"));
	buf_add_byte(out, ' ');
	buf_add_u64(out, body->size);
	if (is_message) {
		buf_add_byte(out, ' ');
		imap_write_envelope(out, body->envelope);
		buf_add_byte(out, ' ');
		body_write(out, body->child, is_extended, depth - 1);
	}
	if (is_message || (!is_unshown && str_same_nocase(body->type, STR("TEXT")))) {
		buf_add_byte(out, ' ');
		buf_add_u64(out, body->lines);
	}
	if (!is_extended)
		return;
	buf_add_byte(out, ' ');
	imap_write_nstring(out, body->md5);
	extension_tail(out, body);
}

static void body_write(struct buf *out, const struct imap_body *body, bool is_extended,
		       unsigned depth)
{
	buf_add_byte(out, '(');
	if (body->is_multipart && body->child && depth > 0)
		multipart_write(out, body, is_extended, depth - 1);
	else
		single_write(out, body, is_extended, depth);
	buf_add_byte(out, ')');
}

void imap_write_body(struct buf *out, const struct imap_body *body, bool is_extended)
{
	body_write(out, body, is_extended, IMAP_BODY_DEPTH_MAX);
}
