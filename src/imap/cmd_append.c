/* APPEND: the client brings a message.  RFC 9051 §6.3.12, RFC 4315 §3. */
#include "imap/mailboxes.h"
#include "rt/clock.h"
#include "store/digest.h"

enum { PASS_MAX = 256 << 20, PIECE_WAIT_S = 300 };

/* Takes len octets from the connection, into message if it is not NULL. */
static err_t take_octets(struct session *s, uint64_t len, struct buf *message)
{
	while (len > 0) {
		struct str got;

		conn_deadline_s(s->conn, PIECE_WAIT_S);
		conn_acknowledge(s->conn); /* many clients send the CRLF by itself */
		TRY(conn_peek(s->conn, &got));
		got = str_first(got, len < got.len ? (size_t)len : got.len);
		if (message)
			buf_add(message, got);
		conn_take(s->conn, got.len);
		len -= got.len;
	}
	return OK;
}

/* The end of the command's last line; false if something stands before it. */
static err_t take_line_end(struct session *s, bool *is_clean)
{
	struct str line;

	conn_acknowledge(s->conn);
	err_t err = conn_line(s->conn, 1024, true, &line);

	*is_clean = err == OK && line.len == 0;
	return err == ERR_LIMIT ? OK : err;
}

/* A message that is on its way although nobody wants it (RFC 7888 §4). */
err_t append_skip(struct session *s, const struct imap_literal *literal)
{
	bool is_clean;

	if (literal->is_synchronising)
		return OK; /* not being asked for it, the client goes on */
	if (literal->len > PASS_MAX)
		return reply_bye(s, "[TOOBIG] The message is too long");
	TRY(take_octets(s, literal->len, NULL));
	return take_line_end(s, &is_clean);
}

static err_t refuse(struct session *s, const struct imap_command *command,
		    const char *text)
{
	/* The response comes first: with a synchronising literal it is the answer. */
	TRY(reply_no(s, command, "%s", text));
	return append_skip(s, &command->append.message);
}

static enum store_outcome add(struct session *s, const struct imap_append *append,
			      uint64_t mailbox, struct str message,
			      struct store_result *result)
{
	struct store_op op = {.kind = OP_APPEND};
	struct store_commit commit = {
		.account = s->login.account, .ops = &op, .count = 1};
	SCOPED(buf_fini) struct buf digest = BUF(DIGEST_BYTES_MAX);

	digest_make(message, &digest);
	op.append = (struct op_append){
		.mailbox = mailbox,
		.body.raw = message,
		.body.raw_size = message.len,
		.digest = buf_str(&digest),
		.received_at = append->has_date ? append->date.at_s : clock_s(),
		.received_zone = (int16_t)append->date.zone_minutes,
		.flags = (uint8_t)append->flags.system,
		.keywords = {append->flags.keywords, append->flags.keyword_count},
	};
	return store_commit(session_store(s), &commit, &s->scratch, result);
}

err_t on_append(struct session *s, const struct imap_command *command)
{
	const struct imap_append *append = &command->append;
	SCOPED(buf_fini) struct buf message = BUF(s->service->message_bytes_max);
	struct store_result result;
	struct mailbox *mailbox;
	bool is_clean;
	enum store_outcome outcome = mailbox_find(s, append->mailbox, &mailbox);

	if (outcome == STORE_ABSENT)
		return refuse(s, command, "[TRYCREATE] There is no such mailbox");
	if (outcome != STORE_OK)
		return refuse(s, command, "[UNAVAILABLE] Not now; try again later");
	if (mailbox->row.is_container)
		return refuse(s, command, "[CANNOT] It holds no messages");
	if (append->message.len > s->service->message_bytes_max) /* RFC 7889 §4 */
		return refuse(s, command, "[TOOBIG] The message is too long");
	if (append->flags.keyword_count > KEYWORDS_MAX)
		return refuse(s, command, "[LIMIT] Too many keywords");
	if (append->message.is_synchronising)
		conn_add(s->conn, STR("+ Go ahead\r\n"));
	TRY(take_octets(s, append->message.len, &message));
	TRY(take_line_end(s, &is_clean));
	if (!is_clean)
		return reply_bad(s, command, "one message is all that APPEND takes");
	if (message.len == 0)
		return reply_no(s, command, "[CANNOT] The message is empty");
	outcome = add(s, append, mailbox->row.id, buf_str(&message), &result);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_ok(s, command, "[APPENDUID %u %u] It is stored",
			result.ops[0].uid_validity, result.ops[0].uid);
}
