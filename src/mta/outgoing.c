#include "mta/outgoing.h"

#include "base/log.h"
#include "base/utf8.h"
#include "net/conn.h"
#include "wire/smtp/data.h"

enum { WHOLE_BYTES_MAX = 256 * 1024, LINE_MAX = 998, PIECE_BYTES = 32 * 1024 };

/* ---- looking ----------------------------------------------------------------------- */

static void end_line(struct outgoing *message)
{
	size_t len = message->line_len - message->is_after_cr;

	message->has_long_line |= len > LINE_MAX;
	message->is_in_body |= len == 0;
	message->line_len = 0;
	message->is_after_cr = false;
}

/* Of a line, without its LF. */
static void look_at_part(struct outgoing *message, struct str part, bool is_ascii)
{
	if (part.len == 0)
		return;
	if (!is_ascii && utf8_ascii_len(part) < part.len) {
		message->has_8bit = true;
		message->has_8bit_header |= !message->is_in_body;
	}
	message->line_len += part.len;
	message->is_after_cr = part.ptr[part.len - 1] == '\r';
	message->has_long_line |= message->line_len > LINE_MAX + 1;
}

void outgoing_look_at(struct outgoing *message, struct str piece)
{
	message->has_nul |= piece.len > 0 && memchr(piece.ptr, 0, piece.len);
	bool is_ascii = utf8_ascii_len(piece) == piece.len;

	while (piece.len > 0) {
		size_t len = str_find_byte(piece, '\n');

		look_at_part(message, str_first(piece, len), is_ascii);
		if (len < piece.len)
			end_line(message);
		piece = str_skip(piece, len + 1);
	}
}

static bool look_take(void *arg, struct str piece)
{
	outgoing_look_at(arg, piece);
	return true;
}

enum store_outcome outgoing_open(struct outgoing *message, struct store *store,
				 const struct queue_row *row)
{
	*message = (struct outgoing){.store = store, .row = row, .bytes = row->size};
	if (row->size <= WHOLE_BYTES_MAX) {
		enum store_outcome outcome = outgoing_whole(message);

		outgoing_look_at(message, buf_str(&message->text));
		return outcome;
	}
	outgoing_look_at(message, row->trace);
	return store_body_each(store, row->account, MESSAGE_REF(row->message), look_take,
			       message);
}

enum store_outcome outgoing_whole(struct outgoing *message)
{
	const struct queue_row *row = message->row;

	if (message->is_whole)
		return STORE_OK;
	message->text = BUF(row->size + 64);
	buf_add(&message->text, row->trace);
	enum store_outcome outcome = store_body(
		message->store, row->account, MESSAGE_REF(row->message), &message->text);

	message->is_whole = outcome == STORE_OK;
	return outcome;
}

void outgoing_close(struct outgoing *message)
{
	buf_fini(&message->text);
}

/* ---- sending ----------------------------------------------------------------------- */

struct sending {
	struct conn *conn;
	struct smtp_dots dots;
	struct buf dotted;
	bool has_dots;
	unsigned wait_s;
};

static bool send_piece(struct sending *sending, struct str piece)
{
	while (piece.len > 0 && !conn_is_broken(sending->conn)) {
		struct str part = str_first(piece, PIECE_BYTES);

		conn_deadline_s(sending->conn, sending->wait_s);
		if (sending->has_dots) {
			buf_reset(&sending->dotted);
			smtp_dots_add(&sending->dots, part, &sending->dotted);
			part = buf_str(&sending->dotted);
		}
		conn_add(sending->conn, part);
		piece = str_skip(piece, PIECE_BYTES);
	}
	return !conn_is_broken(sending->conn);
}

static bool send_take(void *arg, struct str piece)
{
	return send_piece(arg, piece);
}

static bool send_all(struct outgoing *message, struct sending *sending)
{
	const struct queue_row *row = message->row;

	if (message->is_whole)
		return send_piece(sending, buf_str(&message->text));
	if (!send_piece(sending, row->trace))
		return false;
	enum store_outcome outcome =
		store_body_each(message->store, row->account, MESSAGE_REF(row->message),
				send_take, sending);

	if (outcome != STORE_OK)
		LOG(WARN, "message lost while it was sent", KV_STR("queue_id", row->id),
		    KV("outcome", store_outcome_text(outcome)));
	return outcome == STORE_OK && !conn_is_broken(sending->conn);
}

bool outgoing_send(struct outgoing *message, struct conn *conn, unsigned wait_s,
		   bool has_dots)
{
	struct sending sending = {.conn = conn, .has_dots = has_dots, .wait_s = wait_s};

	sending.dotted = BUF(2 * PIECE_BYTES + 16);
	bool is_sent = send_all(message, &sending);

	/* Only a whole text gets its end mark: RFC 5321 §4.1.1.4. */
	if (is_sent && has_dots) {
		buf_reset(&sending.dotted);
		smtp_dots_end(&sending.dots, &sending.dotted);
		conn_add(conn, buf_str(&sending.dotted));
	}
	buf_fini(&sending.dotted);
	return is_sent && !conn_is_broken(conn);
}
