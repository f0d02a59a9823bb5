#include "wire/auth/dkim_canon.h"

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* ---- the body ---------------------------------------------------------------------- */

static void give(const struct dkim_sink *sink, struct str piece)
{
	sink->take(sink->context, piece);
}

/* What has waited, now that something follows. */
static void give_waiting(struct dkim_canon_body *body, const struct dkim_sink *sink)
{
	static const char ends[] = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";

	while (body->line_ends > 0) {
		uint64_t count = body->line_ends < 8 ? body->line_ends : 8;

		give(sink, (struct str){ends, 2 * (size_t)count});
		body->line_ends -= count;
	}
	if (body->has_space)
		give(sink, STR(" "));
	body->has_space = false;
	body->has_text = true;
}

/* How many octets at the front come out as they are.  Relaxed: one space between other
 * octets is as it shall be. */
static size_t plain_run(enum dkim_canon canon, struct str text)
{
	if (canon == DKIM_SIMPLE)
		return str_find_byte(text, '\r');
	size_t at = 0;

	while (at < text.len) {
		char c = text.ptr[at];

		if (c == '\r' || c == '\t')
			break;
		if (c == ' ' && (at + 1 == text.len || is_wsp(text.ptr[at + 1]) ||
				 text.ptr[at + 1] == '\r'))
			break;
		at++;
	}
	return at;
}

/* After a CR: a line end, or a CR of its own. */
static struct str after_cr(struct dkim_canon_body *body, struct str piece,
			   const struct dkim_sink *sink)
{
	body->has_cr = false;
	if (piece.ptr[0] != '\n') {
		give_waiting(body, sink);
		give(sink, STR("\r"));
		return piece;
	}
	body->has_space = false; /* RFC 6376 §3.4.4: none at the end of a line */
	body->line_ends++;
	return str_skip(piece, 1);
}

void dkim_canon_body_add(struct dkim_canon_body *body, struct str piece,
			 const struct dkim_sink *sink)
{
	while (piece.len > 0) {
		if (body->has_cr) {
			piece = after_cr(body, piece, sink);
			continue;
		}
		size_t plain = body->canon == DKIM_RELAXED && is_wsp(piece.ptr[0])
				       ? 0
				       : plain_run(body->canon, piece);

		if (plain > 0) {
			give_waiting(body, sink);
			give(sink, str_first(piece, plain));
			piece = str_skip(piece, plain);
			continue;
		}
		if (piece.ptr[0] == '\r')
			body->has_cr = true;
		else
			body->has_space = true;
		piece = str_skip(piece, 1);
	}
}

/* RFC 6376 §3.4.3: a body that is empty or lacks its last CRLF gets one; §3.4.4: the
 * empty body stays empty. */
void dkim_canon_body_end(struct dkim_canon_body *body, const struct dkim_sink *sink)
{
	if (body->has_cr) {
		give_waiting(body, sink);
		give(sink, STR("\r"));
	}
	if (body->has_text || body->canon == DKIM_SIMPLE)
		give(sink, STR("\r\n"));
	*body = (struct dkim_canon_body){.canon = body->canon};
}

/* ---- header fields ----------------------------------------------------------------- */

static struct str without_line_end(struct str field)
{
	return str_ends(field, STR("\r\n")) ? str_first(field, field.len - 2) : field;
}

/* RFC 6376 §3.4.2 */
static void relaxed_value(struct str value, struct buf *out)
{
	bool has_space = false, has_text = false;

	for (size_t at = 0; at < value.len; at++) {
		char c = value.ptr[at];

		if (c == '\r' && at + 1 < value.len && value.ptr[at + 1] == '\n') {
			at++; /* unfolded */
			continue;
		}
		if (is_wsp(c)) {
			has_space = true;
			continue;
		}
		if (has_space && has_text)
			buf_add_byte(out, ' ');
		has_space = false;
		has_text = true;
		buf_add_byte(out, c);
	}
}

void dkim_canon_field(enum dkim_canon canon, struct str field, struct buf *out)
{
	field = without_line_end(field);
	size_t colon = str_find_byte(field, ':'), name = colon;

	if (canon == DKIM_SIMPLE || colon == field.len) {
		buf_add(out, field);
		return;
	}
	while (name > 0 && is_wsp(field.ptr[name - 1]))
		name--;
	for (size_t i = 0; i < name; i++)
		buf_add_byte(out, ascii_lower(field.ptr[i]));
	buf_add_byte(out, ':');
	relaxed_value(str_skip(field, colon + 1), out);
}
