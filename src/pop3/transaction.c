/* The TRANSACTION state: looking at the maildrop.  RFC 1939 §5, §7. */
#include "base/log.h"
#include "pop3/session.h"
#include "pop3/top.h"
#include "wire/smtp/data.h"

/* The message of that number, or NULL and a reply was made. */
static struct maildrop_item *find(struct session *s, uint32_t number)
{
	struct maildrop_item *item = maildrop_item(&s->drop, number);

	if (!item)
		pop3_reply_error(s, "",
				 "There is no such message, or it is marked as deleted");
	return item;
}

void pop3_on_stat(struct session *s)
{
	pop3_reply_ok(s, "%zu %llu", s->drop.live_count,
		      (unsigned long long)s->drop.live_bytes);
}

void pop3_on_dele(struct session *s, uint32_t number)
{
	struct maildrop_item *item = find(s, number);

	if (!item)
		return;
	maildrop_delete(&s->drop, item);
	pop3_reply_ok(s, "Marked; QUIT removes it");
}

static void list_line(struct session *s, size_t number, const struct maildrop_item *item)
{
	conn_printf(s->conn, "%zu %llu\r\n", number, (unsigned long long)item->bytes);
}

/* Stable for ever: the membership's number is never given again, and the mailbox's tells
 * apart should another one ever be served. */
static void uidl_line(struct session *s, size_t number, const struct maildrop_item *item)
{
	conn_printf(s->conn, "%zu %llx.%llx\r\n", number,
		    (unsigned long long)MAILBOX_INBOX, (unsigned long long)item->member);
}

/* One message's line behind "+OK ", or a list of all that are not marked. */
static void list(struct session *s, uint32_t number,
		 void (*line)(struct session *, size_t, const struct maildrop_item *))
{
	if (number > 0) {
		struct maildrop_item *item = find(s, number);

		if (!item)
			return;
		conn_add(s->conn, STR("+OK "));
		line(s, number, item);
		return;
	}
	pop3_reply_ok(s, "%zu messages", s->drop.live_count);
	for (size_t i = 0; i < s->drop.count && !conn_is_broken(s->conn); i++)
		if (!s->drop.items[i].is_deleted)
			line(s, i + 1, &s->drop.items[i]);
	conn_add(s->conn, STR(".\r\n"));
}

void pop3_on_list(struct session *s, uint32_t number)
{
	list(s, number, list_line);
}

void pop3_on_uidl(struct session *s, uint32_t number)
{
	list(s, number, uidl_line);
}

/* A message on its way out. */
struct sending {
	struct session *s;
	struct smtp_dots dots;
	struct top top;
	struct str trace;
	bool is_begun; /* the "+OK" was said */
};

/* More of the text; false when no more is wanted. */
static bool send_text(struct sending *sending, struct str text)
{
	struct conn *conn = sending->s->conn;
	size_t len = top_take(&sending->top, text);
	SCOPED(buf_fini) struct buf out = BUF(2 * text.len + 2);

	conn_deadline_s(conn, POP3_WAIT_S);
	smtp_dots_add(&sending->dots, str_first(text, len), &out);
	conn_add(conn, buf_str(&out));
	return len == text.len && !conn_is_broken(conn);
}

static bool begin(struct sending *sending)
{
	sending->is_begun = true;
	pop3_reply_ok(sending->s, "Here it is");
	return send_text(sending, sending->trace);
}

static bool take_piece(void *arg, struct str piece)
{
	struct sending *sending = arg;

	if (!sending->is_begun && !begin(sending))
		return false;
	return send_text(sending, piece);
}

/* RETR and TOP.  Only when the store has begun to give the body do we say "+OK"; should
 * it fail in the middle, the client sees a connection that broke and no false end. */
err_t pop3_on_retr(struct session *s, uint32_t number, uint64_t lines)
{
	struct sending sending = {.s = s, .top = top_of(lines)};
	struct maildrop_item *item = find(s, number);

	if (!item)
		return OK;
	const struct message_row *row;
	enum store_outcome outcome = reading_row(&s->reading, &s->drop, number, &row);

	if (outcome == STORE_OK) {
		sending.trace = row->trace;
		outcome = reading_body(&s->reading, &s->drop, row, take_piece, &sending);
	}
	if (outcome == STORE_OK && !sending.is_begun)
		(void)begin(&sending); /* an empty body */
	if (outcome == STORE_OK) {
		SCOPED(buf_fini) struct buf end = BUF(16);

		smtp_dots_end(&sending.dots, &end);
		conn_add(s->conn, buf_str(&end));
		return OK;
	}
	LOG(WARN, "pop3 message not read", KV_INT("session", s->id),
	    KV_INT("account", s->login.account), KV_INT("message", item->message),
	    KV("why", store_outcome_text(outcome)));
	if (sending.is_begun)
		return ERR_IO;
	if (outcome == STORE_ABSENT)
		pop3_reply_failed(s, "",
				  "That message has been deleted elsewhere; connect "
				  "again to see what is there");
	else if (outcome == STORE_DAMAGED) /* RFC 3206 §4: waiting does not help */
		pop3_reply_failed(
			s, "SYS/PERM",
			"The message is damaged on our disk; tell who runs this server");
	else
		pop3_reply_failed(
			s, "SYS/TEMP",
			"The message cannot be read now; try again in a minute");
	return OK;
}
