#include "imap/arriving.h"

#include "base/mem.h"
#include "base/num.h"
#include "imap/catenate.h"
#include "imap/limit.h"
#include "imap/literal8.h"
#include "imap/shares.h"
#include "rt/clock.h"
#include "store/digest.h"

enum {
	PASS_MAX = 256 << 20,
	PIECE_WAIT_S = 300,
	ALL_WAIT_S = 2 * 60 * 60, /* who is slower holds memory for ever */
	MESSAGES_MAX = 500,       /* of one command: one commit holds no more */
	LINE_BYTES_MAX = 16 << 10,
};

/* What all sessions of this process hold of messages that are not stored yet. */
static size_t held_bytes;
static const size_t held_bytes_max = (size_t)1 << 30;

struct arriving arriving_of(struct session *s, const struct imap_command *command)
{
	return (struct arriving){
		.s = s, .command = command, .line = command->append.rest};
}

void arriving_fini(struct arriving *a)
{
	held_bytes -= a->held;
	for (size_t i = 0; i < a->count; i++) {
		buf_fini(&a->list[i].text);
		buf_fini(&a->list[i].digest);
	}
	mem_free(a->list);
}

void arriving_held(struct arriving *a, struct buf *text, size_t before)
{
	a->held += text->room - before;
	held_bytes += text->room - before;
	if (held_bytes <= held_bytes_max || a->is_crowded)
		return;
	a->is_crowded = true;
	a->held -= text->room;
	held_bytes -= text->room;
	buf_release(text);
}

/* Takes len octets from the connection, for a's text if there is one. */
static err_t take_octets(struct session *s, uint64_t len, struct arriving *a,
			 struct buf *text)
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
		if (text && !a->is_crowded) {
			size_t before = text->room;

			buf_add(text, got);
			arriving_held(a, text, before);
		}
		conn_take(s->conn, got.len);
		len -= got.len;
	}
	return OK;
}

err_t arriving_octets(struct arriving *a, uint64_t len, struct buf *text)
{
	return take_octets(a->s, len, a, text);
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

err_t arriving_line(struct arriving *a)
{
	a->taken = 0;
	return take_line(a->s, &a->line);
}

struct imap_in arriving_rest(const struct arriving *a)
{
	struct imap_in in = imap_in_over(str_skip(a->line, a->taken), &a->s->scratch);

	in.is_utf8 = session_is_utf8(a->s);
	return in;
}

void arriving_took(struct arriving *a, const struct imap_in *in)
{
	a->taken = a->line.len - (size_t)(in->at.end - in->at.at);
}

void arriving_ask(struct arriving *a, const struct imap_literal *literal)
{
	if (literal->is_synchronising)
		conn_add(a->s->conn, STR("+ Go ahead\r\n"));
}

/* Whether a literal is announced at the end of a line that may be wrong otherwise. */
static bool announces(struct session *s, struct str line, struct imap_literal *literal)
{
	struct imap_in in =
		imap_in_over(str_skip(line, str_rfind_byte(line, '{')), &s->scratch);

	return imap_literal_head(&in, literal) && cur_done(in.at);
}

/* Messages that are on their way although nobody wants them (RFC 7888 §4). */
err_t arriving_skip(struct session *s, struct str line)
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

struct str arriving_too_big(const struct arriving *a, uint64_t len)
{
	uint64_t max = a->s->service->message_bytes_max;

	if (len > max) /* RFC 7889 §4, RFC 4469 §4.2 */
		return STR("[TOOBIG] The message is too long; make its attachments "
			   "smaller");
	if (len > max - num_min(a->bytes, max))
		return STR("[TOOBIG] That is too long together; store fewer at once");
	return STR("");
}

/* "", or why the message is not wanted. */
static struct str why_not(const struct arriving *a,
			  const struct imap_append_message *message)
{
	struct str too_big = arriving_too_big(a, message->literal.len);

	if (too_big.len > 0)
		return too_big;
	uint32_t limit = limit_of_saving(a->s);

	if (limit > 0 && a->count == limit) /* RFC 9738 §3.1: all or none */
		return arena_printf(&a->s->scratch,
				    "[MESSAGELIMIT %u] Too many messages; store fewer at "
				    "once",
				    limit);
	if (a->count == MESSAGES_MAX)
		return STR("[LIMIT] Too many messages; store fewer at once");
	if (message->flags.keyword_count > KEYWORDS_MAX)
		return STR("[LIMIT] Too many keywords; give it fewer");
	if (message->is_utf8 && !a->s->is_utf8)
		return STR("[CANNOT] ENABLE UTF8=ACCEPT first");
	return STR("");
}

/* Takes the message, up to what is behind it. */
static err_t take_message(struct arriving *a, const struct imap_append_message *head,
			  struct str *why, enum arriving_refusal *how)
{
	struct session *s = a->s;

	MEM_ROOM(a->list, a->count, a->room);
	struct arrived *arrived = &a->list[a->count++];

	*arrived = (struct arrived){.head = *head,
				    .text = BUF(s->service->message_bytes_max),
				    .digest = BUF(DIGEST_BYTES_MAX)};
	if (head->is_catenated)
		return catenate_take(a, arrived, why, how);
	a->bytes += head->literal.len;
	arriving_ask(a, &head->literal);
	TRY(arriving_octets(a, head->literal.len, &arrived->text));
	return arriving_line(a);
}

/* "", or why it cannot be stored. */
static struct str read_message(struct arriving *a, struct arrived *arrived)
{
	if (a->is_crowded)
		return STR("[UNAVAILABLE] No room just now; try again later");
	if (arrived->text.len == 0)
		return STR("[CANNOT] The message is empty"); /* RFC 3502 §6.3.11 */
	if (arrived->head.literal.is_binary && !literal8_encode(&arrived->text))
		return STR("[UNKNOWN-CTE] There is a NUL where none can be");
	digest_make_warily("imap digest", buf_str(&arrived->text), &arrived->digest);
	return STR("");
}

struct op_append arriving_op(const struct arriving *a, size_t i)
{
	const struct arrived *arrived = &a->list[i];
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

void arriving_seen(struct arriving *a, const struct op_result *made)
{
	struct uid_range *seen =
		ARENA_ARRAY(&a->s->scratch, struct uid_range, a->count + 1);
	size_t count = 0;

	for (size_t i = 0; seen && i < a->count; i++)
		if (a->list[i].head.flags.system & IMAP_SEEN)
			seen[count++] = (struct uid_range){made[i].uid, made[i].uid};
	shares_mark_seen(a->s, a->account, a->mailbox, (struct uid_set){seen, count});
}

/* The response comes first: with a synchronising literal it is the answer. */
static err_t refuse(struct arriving *a, enum arriving_refusal how, struct str text,
		    struct str line)
{
	TRY(how == ARRIVING_BAD ? reply_bad(a->s, a->command, "%.*s", STR_FMT(text))
				: reply_no(a->s, a->command, "%.*s", STR_FMT(text)));
	return a->s->is_done ? OK : arriving_skip(a->s, line);
}

/* The line that ended with this message's literal. */
static struct str head_line(struct arriving *a, const struct imap_append_message *head)
{
	if (head->is_catenated)
		return a->line;
	return arena_printf(&a->s->scratch, "{%llu%s}\r\n",
			    (unsigned long long)head->literal.len,
			    head->literal.is_synchronising ? "" : "+");
}

err_t arriving_refuse(struct arriving *a, enum arriving_refusal how, struct str text)
{
	return refuse(a, how, text, head_line(a, &a->command->append.first));
}

/* What is loaded stays so for the command, which can name a thousand. */
enum store_outcome arriving_mailbox(struct arriving *a, struct str path,
				    struct mailbox **found)
{
	bool is_shared = shares_name(path);
	struct mailboxes *all = is_shared ? &a->others : &a->own;
	enum store_outcome outcome = STORE_OK;

	*found = all->list ? mailboxes_find(all, path) : NULL;
	if (!all->list || (is_shared && !*found)) {
		outcome = mailboxes_load_for(a->s, path, all);
		*found = outcome == STORE_OK ? mailboxes_find(all, path) : NULL;
	}
	if (outcome != STORE_OK)
		return outcome;
	return *found && (*found)->row.rights != 0 ? STORE_OK : STORE_ABSENT;
}

/* Where it is to go; "", or why it cannot. */
static struct str find_target(struct arriving *a)
{
	struct mailbox *mailbox;
	enum store_outcome outcome =
		arriving_mailbox(a, a->command->append.mailbox, &mailbox);

	if (outcome == STORE_ABSENT)
		return STR("[TRYCREATE] There is no such mailbox; create it first");
	if (outcome != STORE_OK)
		return STR("[UNAVAILABLE] The mail store does not answer; try again in "
			   "a minute");
	if (mailbox->row.is_container)
		return STR("[CANNOT] That mailbox holds other mailboxes, but no "
			   "messages; choose another");
	if (!(mailbox->row.rights & ACL_INSERT))
		return STR("[NOPERM] You may not put anything into that mailbox; ask who "
			   "shares it");
	if (a->command->verb == IMAP_REPLACE && mailbox->account != a->s->box.account)
		return STR(
			"[CANNOT] The new message would be in the mailbox of another "
			"account than the old one; use APPEND, and expunge the old one");
	a->account = mailbox->account;
	a->mailbox = mailbox->row.id;
	return STR("");
}

/* What is behind a message: the next, or the end.  "", or why that cannot be. */
static struct str read_next(struct arriving *a, bool *is_end,
			    struct imap_append_message *next)
{
	const struct arrived *arrived = &a->list[a->count - 1];
	struct imap_in in = arriving_rest(a);

	if (!imap_append_next(&in, arrived->head.is_utf8, is_end, next))
		return in.reason;
	arriving_took(a, &in);
	return STR("");
}

/* Deviates: 8-bit header fields are taken outside UTF8 (...) too, which RFC 6855 §4 does
 * not want: mailboxes that are copied from elsewhere hold such messages, and to refuse
 * them would be to lose them. */
err_t arriving_take(struct arriving *a, bool *is_whole)
{
	struct imap_append_message next = a->command->append.first;
	enum arriving_refusal how = ARRIVING_NO;
	struct str why = find_target(a);
	bool is_end = false;

	*is_whole = false;
	while (!is_end) {
		if (why.len == 0)
			why = why_not(a, &next);
		if (why.len > 0)
			return refuse(a, ARRIVING_NO, why, head_line(a, &next));
		TRY(take_message(a, &next, &why, &how));
		if (why.len == 0) {
			why = read_next(a, &is_end, &next);
			how = why.len > 0 ? ARRIVING_BAD : ARRIVING_NO;
		}
		if (why.len == 0)
			why = read_message(a, &a->list[a->count - 1]);
		if (why.len > 0)
			return refuse(a, how, why, a->line);
	}
	*is_whole = true;
	return OK;
}
