#include "wire/imap/write.h"

#include "base/civil.h"
#include "base/num.h"
#include "wire/imap/mailbox_name.h"

enum { QUOTED_MAX = 1000 };

/* What is in a text that a quoted string cannot have, and what it can only have behind a
 * backslash. */
struct unquoted {
	bool has_bad, has_special;
};

#define EACH(octet) ((octet) * (UINT64_MAX / 255)) /* eight of them */

/* The high bit of each of eight octets that is 0, and perhaps of others above such. */
static uint64_t zeros(uint64_t octets)
{
	return (octets - EACH(1)) & ~octets;
}

static void look_at(uint64_t octets, uint64_t *bad, uint64_t *special)
{
	*bad |= octets | (octets + EACH(1)) | ((octets - EACH(32)) & ~octets);
	*special |= zeros(octets ^ EACH((uint64_t)'"')) |
		    zeros(octets ^ EACH((uint64_t)'\\'));
}

/* Eight at a time, the last of them perhaps once more; most of what is written are short
 * texts. */
static struct unquoted look_through(struct str text)
{
	uint64_t bad = 0, special = 0, octets = EACH((uint64_t)'x');

	if (text.len < sizeof octets) {
		for (size_t at = 0; at < text.len; at++)
			octets = octets << 8 | (unsigned char)text.ptr[at];
		look_at(octets, &bad, &special);
	} else {
		size_t last = text.len - sizeof octets;

		for (size_t at = 0; at < last; at += sizeof octets) {
			memcpy(&octets, text.ptr + at, sizeof octets);
			look_at(octets, &bad, &special);
		}
		memcpy(&octets, text.ptr + last, sizeof octets);
		look_at(octets, &bad, &special);
	}
	return (struct unquoted){(bad & EACH(128)) != 0, (special & EACH(128)) != 0};
}

static void add_quoted(struct buf *out, struct str text)
{
	char *room = buf_room(out, text.len + 2);

	if (!room)
		return;
	room[0] = room[text.len + 1] = '"';
	if (text.len > 0)
		memcpy(room + 1, text.ptr, text.len);
	buf_grew(out, text.len + 2);
}

void imap_write_quoted(struct buf *out, struct str text)
{
	if (!look_through(text).has_special) {
		add_quoted(out, text);
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
	struct unquoted found = look_through(str_first(text, QUOTED_MAX));

	if (found.has_bad || text.len > QUOTED_MAX)
		literal(out, text);
	else if (found.has_special)
		imap_write_quoted(out, text);
	else
		add_quoted(out, text);
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
	static const struct str names[] = {STR("\\Seen"),    STR("\\Answered"),
					   STR("\\Flagged"), STR("\\Deleted"),
					   STR("\\Draft"),   STR("\\Recent")};
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
	/* Without a sender or reply-to, it is the from. */
	const struct imap_addresses lists[] = {
		envelope->from, envelope->sender, envelope->reply_to,
		envelope->to,   envelope->cc,     envelope->bcc,
	};
	size_t from = 0, from_len = 0;

	buf_add_byte(out, '(');
	imap_write_nstring(out, envelope->date);
	buf_add_byte(out, ' ');
	imap_write_nstring(out, envelope->subject);
	buf_add_byte(out, ' ');
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		size_t at = out->len;

		if (i > 0 && i < 3 && lists[i].count == 0 && buf_room(out, from_len))
			buf_add(out, str_first(str_skip(buf_str(out), from), from_len));
		else
			addresses(out, lists[i]);
		if (i == 0) {
			from = at;
			from_len = out->len - at;
		}
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
