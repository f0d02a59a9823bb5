/* APPEND: the client brings messages.  RFC 9051 §6.3.12, RFC 4315 §3; several at once are
 * RFC 3502, and are stored in one commit, all or none. */
#include "base/mem.h"
#include "base/num.h"
#include "imap/literal8.h"
#include "imap/mailboxes.h"
#include "rt/clock.h"
#include "store/digest.h"

enum {
	PASS_MAX = 256 << 20,
	PIECE_WAIT_S = 300,
	ALL_WAIT_S = 2 * 60 * 60, /* who is slower holds memory for ever */
	MESSAGES_MAX = 500,       /* of one command */
	LINE_BYTES_MAX = 16 << 10,
};

struct arrived {
	struct imap_append_message head;
	struct buf text, digest;
};

/* What all sessions of this process hold of messages that are not stored yet. */
static size_t held_bytes;
static const size_t held_bytes_max = (size_t)1 << 30;

/* One APPEND. */
struct appending {
	struct session *s;
	const struct imap_command *command;
	uint64_t mailbox;
	struct arrived *list;
	size_t count, room;
	uint64_t bytes;
	size_t held; /* its share of held_bytes */
	bool is_crowded;
};

static void appending_fini(struct appending *a)
{
	held_bytes -= a->held;
	for (size_t i = 0; i < a->count; i++) {
		buf_fini(&a->list[i].text);
		buf_fini(&a->list[i].digest);
	}
	mem_free(a->list);
}

/* Keeps a piece of the message, or none of it any more if all hold too much. */
static void keep(struct appending *a, struct buf *message, struct str piece)
{
	size_t before = message->room;

	if (!a->is_crowded)
		buf_add(message, piece);
	a->held += message->room - before;
	held_bytes += message->room - before;
	if (held_bytes <= held_bytes_max || a->is_crowded)
		return;
	a->is_crowded = true;
	a->held -= message->room;
	held_bytes -= message->room;
	buf_release(message);
}

/* Takes len octets from the connection, into a's message if there is one. */
static err_t take_octets(struct session *s, uint64_t len, struct appending *a,
			 struct buf *message)
{
	deadline_t until = deadline_s(ALL_WAIT_S);

	while (len > 0) {
		struct str got;

		if (loop_now() >= until)
			return ERR_TIMEOUT;
		conn_deadline_s(s->conn, PIECE_WAIT_S);
		conn_acknowledge(s->conn); /* many clients send the CRLF by itself */
		TRY(conn_peek(s->conn, &got));
		got = str_first(got, len < got.len ? (size_t)len : got.len);
		if (message)
			keep(a, message, got);
		conn_take(s->conn, got.len);
		len -= got.len;
	}
	return OK;
}

/* What follows a message's octets, with its CRLF. */
static err_t take_line(struct session *s, struct str *line)
{
	struct str got;

	conn_acknowledge(s->conn);
	TRY(conn_line(s->conn, LINE_BYTES_MAX, true, &got));
	*line = arena_printf(&s->scratch, "%.*s\r\n", STR_FMT(got));
	return line->len > 0 ? OK : ERR_LIMIT;
}

/* Whether a literal is announced at the end of a line that may be wrong otherwise. */
static bool announces(struct session *s, struct str line, struct imap_literal *literal)
{
	struct imap_in in =
		imap_in_over(str_skip(line, str_rfind_byte(line, '{')), &s->scratch);

	return imap_literal_head(&in, literal) && cur_done(in.at);
}

/* Messages that are on their way although nobody wants them (RFC 7888 §4). */
err_t append_skip(struct session *s, struct str line)
{
	struct imap_literal literal;
	uint64_t passed = 0;

	while (announces(s, line, &literal)) {
		if (literal.is_synchronising)
			return OK; /* not being asked for it, the client goes on */
		passed += literal.len;
		if (literal.len > PASS_MAX || passed > PASS_MAX)
			return reply_bye(s, "[TOOBIG] The message is too long; make its "
					    "attachments smaller");
		TRY(take_octets(s, literal.len, NULL, NULL));
		TRY(take_line(s, &line));
	}
	return OK;
}

/* NULL, or why the message is not wanted. */
static const char *why_not(const struct appending *a,
			   const struct imap_append_message *message)
{
	uint64_t max = a->s->service->message_bytes_max;

	if (message->literal.len > max) /* RFC 7889 §4 */
		return "[TOOBIG] The message is too long; make its attachments smaller";
	if (message->literal.len > max - num_min(a->bytes, max))
		return "[TOOBIG] The messages are too long together; store fewer at once";
	if (a->count == MESSAGES_MAX)
		return "[LIMIT] Too many messages; store fewer at once";
	if (message->flags.keyword_count > KEYWORDS_MAX)
		return "[LIMIT] Too many keywords; give it fewer";
	if (message->is_utf8 && !a->s->is_utf8)
		return "[CANNOT] ENABLE UTF8=ACCEPT first";
	return NULL;
}

/* Takes the message, and the line behind it. */
static err_t take_message(struct appending *a, const struct imap_append_message *head,
			  struct str *line)
{
	struct session *s = a->s;

	MEM_ROOM(a->list, a->count, a->room);
	struct arrived *arrived = &a->list[a->count++];

	*arrived = (struct arrived){.head = *head,
				    .text = BUF(s->service->message_bytes_max),
				    .digest = BUF(DIGEST_BYTES_MAX)};
	a->bytes += head->literal.len;
	if (head->literal.is_synchronising)
		conn_add(s->conn, STR("+ Go ahead\r\n"));
	TRY(take_octets(s, head->literal.len, a, &arrived->text));
	return take_line(s, line);
}

/* NULL, or why it cannot be stored. */
static const char *read_message(struct arrived *arrived)
{
	if (arrived->text.len == 0)
		return "[CANNOT] The message is empty"; /* RFC 3502 §6.3.11 */
	if (arrived->head.literal.is_binary && !literal8_encode(&arrived->text))
		return "[UNKNOWN-CTE] There is a NUL where none can be";
	digest_make_warily("imap digest", buf_str(&arrived->text), &arrived->digest);
	return NULL;
}

static struct op_append op_of(const struct appending *a, const struct arrived *arrived)
{
	const struct imap_append_message *head = &arrived->head;

	return (struct op_append){
		.mailbox = a->mailbox,
		.body.raw = buf_str(&arrived->text),
		.body.raw_size = arrived->text.len,
		.digest = buf_str(&arrived->digest),
		.received_at = head->has_date ? head->date.at_s : clock_s(),
		.received_zone = (int16_t)head->date.zone_minutes,
		.flags = (uint8_t)head->flags.system,
		.keywords = {head->flags.keywords, head->flags.keyword_count},
	};
}

static err_t store_all(struct appending *a)
{
	struct session *s = a->s;
	struct store_op *ops = ARENA_ARRAY(&s->scratch, struct store_op, a->count);
	struct store_commit commit = {
		.account = s->login.account, .ops = ops, .count = a->count};
	SCOPED(buf_fini) struct buf code = BUF(IMAP_OUT_MAX / 2);
	struct imap_set_writer writer = {.out = &code};
	struct store_result result;

	if (!ops)
		return reply_store(s, a->command, STORE_INVALID);
	for (size_t i = 0; i < a->count; i++) {
		ops[i].kind = OP_APPEND;
		ops[i].append = op_of(a, &a->list[i]);
	}
	enum store_outcome outcome =
		store_commit(session_store(s), &commit, &s->scratch, &result);

	if (outcome != STORE_OK)
		return reply_store(s, a->command, outcome);
	for (size_t i = 0; i < a->count; i++)
		imap_set_add(&writer, result.ops[i].uid);
	imap_set_end(&writer);
	return reply_ok(s, a->command, "[APPENDUID %u %.*s] %s",
			result.ops[0].uid_validity, STR_FMT(buf_str(&code)),
			a->count == 1 ? "It is stored" : "They are stored");
}

/* The response comes first: with a synchronising literal it is the answer. */
static err_t refuse(struct appending *a, const char *text,
		    const struct imap_literal *literal)
{
	struct str line = arena_printf(&a->s->scratch, "{%llu%s}\r\n",
				       (unsigned long long)literal->len,
				       literal->is_synchronising ? "" : "+");

	TRY(reply_no(a->s, a->command, "%s", text));
	return append_skip(a->s, line);
}

/* Where it is to go; NULL, or why it cannot. */
static const char *find_target(struct appending *a)
{
	struct mailbox *mailbox;
	enum store_outcome outcome =
		mailbox_find(a->s, a->command->append.mailbox, &mailbox);

	if (outcome == STORE_ABSENT)
		return "[TRYCREATE] There is no such mailbox; create it first";
	if (outcome != STORE_OK)
		return "[UNAVAILABLE] The mail store does not answer; try again in a "
		       "minute";
	if (mailbox->row.is_container)
		return "[CANNOT] That mailbox holds other mailboxes, but no messages; "
		       "choose another";
	a->mailbox = mailbox->row.id;
	return NULL;
}

/* Deviates: 8-bit header fields are taken outside UTF8 (...) too, which RFC 6855 §4 does
 * not want: mailboxes that are copied from elsewhere hold such messages, and to refuse
 * them would be to lose them. */
err_t on_append(struct session *s, const struct imap_command *command)
{
	SCOPED(appending_fini) struct appending a = {.s = s, .command = command};
	struct imap_append_message next = command->append.first;
	const char *why = find_target(&a);
	bool is_end = false;

	while (!is_end) {
		struct str line;

		if (!why)
			why = why_not(&a, &next);
		if (why)
			return refuse(&a, why, &next.literal);
		TRY(take_message(&a, &next, &line));
		struct arrived *arrived = &a.list[a.count - 1];
		struct imap_in in = imap_in_over(line, &s->scratch);

		if (!imap_append_next(&in, arrived->head.is_utf8, &is_end, &next)) {
			TRY(reply_bad(s, command, "%.*s", STR_FMT(in.reason)));
			return append_skip(s, line);
		}
		why = a.is_crowded ? "[UNAVAILABLE] No room just now; try again later"
				   : read_message(arrived);
		if (why) {
			TRY(reply_no(s, command, "%s", why));
			return append_skip(s, line);
		}
	}
	return store_all(&a);
}
