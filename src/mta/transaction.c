#include "mta/transaction.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/utf8.h"
#include "directory/name.h"
#include "mta/convert.h"
#include "mta/outgoing.h"
#include "mta/settle.h"
#include "mta/table.h"
#include "net/conn.h"
#include "queue/schedule.h"
#include "rt/clock.h"
#include "wire/smtp/param.h"

enum { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4, NOTIFY_DELAY = 8 };

/* One of the recipients that are named in this transaction. */
struct rcpt {
	struct entry *entry;
	bool is_accepted;
	struct verdict verdict;
};

struct transaction {
	struct run *run;
	struct client *client;
	struct mail *mail;
	struct outgoing message;
	bool is_binary; /* it goes by BDAT, as it is */
	bool is_utf8;   /* MAIL says SMTPUTF8 */
	bool has_reply; /* the server said something to this mail */
	struct rcpt rcpts[MAIL_RCPTS_MAX];
	size_t count, accepted;
	struct arena arena; /* texts of verdicts */
};

/* ---- verdicts ---------------------------------------------------------------------- */

static bool offers(const struct transaction *t, enum client_offer offer)
{
	return t->client->offers & offer;
}

static void decide(struct rcpt *rcpt, const struct verdict *verdict)
{
	if (rcpt->verdict.kind == VERDICT_NONE)
		rcpt->verdict = *verdict;
}

static void decide_all(struct transaction *t, const struct verdict *verdict)
{
	for (size_t i = 0; i < t->count; i++)
		decide(&t->rcpts[i], verdict);
}

static struct str words(struct transaction *t)
{
	struct str said = utf8_first(buf_str(&t->client->text), CLIENT_TEXT_MAX), kept;

	return arena_copy(&t->arena, said, &kept) ? kept : STR("");
}

/* Our own word on the whole mail. */
static void fail_all(struct transaction *t, struct smtp_enhanced status, const char *text)
{
	const struct verdict verdict = {.kind = status.class == 5 ? VERDICT_FAILED
								  : VERDICT_RETRY,
					.status = status,
					.text = str_c(text)};

	decide_all(t, &verdict);
}

/* The last reply as a verdict.  RFC 5321 §4.2.1. */
static struct verdict said(struct transaction *t)
{
	int code = t->client->reply.code;
	struct verdict verdict = {.kind = VERDICT_RETRY,
				  .code = code,
				  .status = client_status(t->client),
				  .text = words(t)};

	if (code / 100 == 2)
		verdict.kind = VERDICT_DONE;
	if (code / 100 == 5)
		verdict.kind = VERDICT_FAILED;
	return verdict;
}

/* The connection is gone.  One that had served before, and said nothing to this mail, was
 * only old. */
static void give_up(struct transaction *t)
{
	bool was_old = !t->has_reply && t->client->mails > 1;
	const struct verdict verdict = {.kind = was_old ? VERDICT_AGAIN : VERDICT_RETRY,
					.status = {4, 4, 2},
					.text = words(t)};

	t->client->has_failed = true;
	decide_all(t, &verdict);
}

/* ---- what the mail needs ----------------------------------------------------------- */

static bool is_ascii(struct str text)
{
	return utf8_ascii_len(text) == text.len;
}

/* RFC 6531 §3.5: only the domain can be said otherwise. */
static bool needs_utf8(const struct transaction *t)
{
	const struct queue_row *row = &t->mail->row;

	if (!(row->body_kind & QUEUE_SMTPUTF8))
		return false;
	if (t->message.has_8bit_header || !is_ascii(row->sender))
		return true;
	for (size_t i = 0; i < t->count; i++) {
		struct str address = t->rcpts[i].entry->row.recipient.address;

		if (!is_ascii(str_first(address, str_rfind_byte(address, '@'))))
			return true;
	}
	return false;
}

static bool needs_conversion(const struct transaction *t)
{
	return t->message.has_long_line || t->message.has_nul ||
	       (t->message.has_8bit && !offers(t, OFFER_8BITMIME)) ||
	       (t->mail->row.body_kind & QUEUE_BODY_MASK) == QUEUE_BINARYMIME;
}

/* RFC 2852 §4.1.4.1: what is of no use later MUST NOT go to a server that does not know,
 * or may take longer.  LMTP is delivery. */
static bool heeds_time(struct transaction *t)
{
	const struct queue_row *row = &t->mail->row;
	int64_t by_s;

	if (!(row->timing.modes & QUEUE_BY_RETURN) || t->client->options.is_lmtp)
		return true;
	if (!schedule_by_remaining(&row->timing, clock_s(), &by_s) || by_s <= 0)
		fail_all(t, (struct smtp_enhanced){5, 4, 7},
			 "The time that its sender set has passed");
	else if (!offers(t, OFFER_DELIVERBY))
		fail_all(t, (struct smtp_enhanced){5, 3, 3},
			 "The server does not heed the time that the sender set "
			 "(DELIVERBY)");
	else if (by_s < t->client->bounds.by_min_s)
		fail_all(t, (struct smtp_enhanced){5, 3, 3},
			 "The server may take longer than the time that the sender set");
	else
		return true;
	return false;
}

/* False: no recipient can have it, and each has its verdict. */
static bool prepare(struct transaction *t)
{
	const struct queue_row *row = &t->mail->row;
	bool is_binary = (row->body_kind & QUEUE_BODY_MASK) == QUEUE_BINARYMIME;
	enum store_outcome outcome =
		outgoing_open(&t->message, t->run->options->store, row);

	if (outcome != STORE_OK) {
		fail_all(t, (struct smtp_enhanced){4, 3, 0},
			 "The text of the message cannot be read now");
		return false;
	}
	if (t->client->bounds.size_max > 0 &&
	    t->message.bytes > t->client->bounds.size_max) {
		fail_all(t, (struct smtp_enhanced){5, 3, 4},
			 "The message is bigger than the server takes");
		return false;
	}
	t->is_utf8 = needs_utf8(t);
	if (t->is_utf8 && !offers(t, OFFER_SMTPUTF8)) {
		fail_all(t, (struct smtp_enhanced){5, 6, 7},
			 "The server does not take international addresses (SMTPUTF8)");
		return false;
	}
	t->is_binary =
		is_binary && offers(t, OFFER_CHUNKING) && offers(t, OFFER_BINARYMIME);
	if (t->is_binary || !needs_conversion(t))
		return true;
	switch (convert_message(&t->message, offers(t, OFFER_8BITMIME))) {
	case CONVERT_DONE:
		return true;
	case CONVERT_IMPOSSIBLE:
		fail_all(t, (struct smtp_enhanced){5, 6, 3},
			 "The server cannot take the message as it is, and changing it "
			 "would break its signature");
		return false;
	case CONVERT_NOT_NOW:
		break;
	}
	fail_all(t, (struct smtp_enhanced){4, 3, 0},
		 "The text of the message cannot be read now");
	return false;
}

/* ---- the envelope ------------------------------------------------------------------ */

static bool is_dot_atom(struct str local)
{
	static const char atext[] = "!#$%&'*+-/=?^_`{|}~."; /* RFC 5322 §3.2.3 */

	if (local.len == 0 || local.ptr[0] == '.' || str_ends(local, STR(".")) ||
	    str_find(local, STR("..")) < local.len)
		return false;
	for (size_t i = 0; i < local.len; i++) {
		unsigned char c = (unsigned char)local.ptr[i];

		if (c < 0x80 && !is_ascii_digit(c) &&
		    !(ascii_lower((char)c) >= 'a' && ascii_lower((char)c) <= 'z') &&
		    (c == 0 || !strchr(atext, c)))
			return false;
	}
	return true;
}

static void add_quoted(struct buf *out, struct str local)
{
	buf_add_byte(out, '"');
	for (size_t i = 0; i < local.len; i++) {
		if (local.ptr[i] == '"' || local.ptr[i] == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, local.ptr[i]);
	}
	buf_add_byte(out, '"');
}

void transaction_path_add(struct buf *out, struct str address)
{
	size_t at = str_rfind_byte(address, '@');
	struct str local = str_first(address, at), domain = str_skip(address, at + 1);
	bool is_quoted = local.len >= 2 && str_starts(local, STR("\"")) &&
			 str_ends(local, STR("\""));
	struct arena arena;

	if (address.len == 0)
		return;
	if (is_quoted || is_dot_atom(local))
		buf_add(out, local);
	else
		add_quoted(out, local);
	if (at == address.len)
		return;
	arena_init(&arena, 8192);
	buf_add_byte(out, '@');
	if (is_ascii(domain) || !name_domain(domain, &arena, &domain))
		domain = str_skip(address, at + 1);
	buf_add(out, domain);
	arena_fini(&arena);
}

/* RFC 2852 §4.1.4: the time that is left, as late as it can be said. */
static void add_by(const struct transaction *t, struct buf *out)
{
	enum { BY_S_MAX = 999999999 };
	const struct queue_timing *timing = &t->mail->row.timing;
	bool is_return = timing->modes & QUEUE_BY_RETURN;
	int64_t by_s;

	if (!offers(t, OFFER_DELIVERBY) ||
	    !schedule_by_remaining(timing, clock_s(), &by_s))
		return;
	if (is_return && by_s < 1) /* it has just passed: RFC 2852 §4 */
		by_s = 1;
	by_s = by_s < -BY_S_MAX ? -BY_S_MAX : by_s > BY_S_MAX ? BY_S_MAX : by_s;
	buf_printf(out, " BY=%lld;%c%s", (long long)by_s, is_return ? 'R' : 'N',
		   timing->modes & QUEUE_BY_TRACE ? "T" : "");
}

static void add_mail(struct transaction *t, struct buf *out)
{
	const struct queue_row *row = &t->mail->row;
	bool is_eight = t->message.has_8bit && offers(t, OFFER_8BITMIME);

	buf_add(out, STR("MAIL FROM:<"));
	transaction_path_add(out, row->sender);
	buf_add_byte(out, '>');
	if (offers(t, OFFER_SIZE))
		buf_printf(out, " SIZE=%llu", (unsigned long long)t->message.bytes);
	if (t->is_binary)
		buf_add(out, STR(" BODY=BINARYMIME"));
	else if (is_eight)
		buf_add(out, STR(" BODY=8BITMIME"));
	if (t->is_utf8)
		buf_add(out, STR(" SMTPUTF8"));
	if ((row->body_kind & QUEUE_REQUIRETLS) && offers(t, OFFER_REQUIRETLS))
		buf_add(out, STR(" REQUIRETLS")); /* RFC 8689 §4.2.1 */
	add_by(t, out);
	if (offers(t, OFFER_DSN) && row->ret != 0)
		buf_add(out, row->ret == 1 ? STR(" RET=FULL") : STR(" RET=HDRS"));
	if (offers(t, OFFER_DSN) && row->envid.len > 0) {
		buf_add(out, STR(" ENVID="));
		smtp_xtext_add(out, row->envid);
	}
	buf_add(out, STR("\r\n"));
}

static void add_notify(uint8_t notify, struct buf *out)
{
	static const struct {
		uint8_t bit;
		struct str word;
	} wishes[] = {{NOTIFY_NEVER, STR("NEVER")},
		      {NOTIFY_SUCCESS, STR("SUCCESS")},
		      {NOTIFY_FAILURE, STR("FAILURE")},
		      {NOTIFY_DELAY, STR("DELAY")}};
	const char *before = " NOTIFY=";

	for (size_t i = 0; i < COUNT_OF(wishes); i++) {
		if (!(notify & wishes[i].bit))
			continue;
		buf_add_c(out, before);
		buf_add(out, wishes[i].word);
		before = ",";
	}
}

/* RFC 2852 §4.1.4.2: where nobody else heeds the time, a delay is worth hearing of. */
static uint8_t notify_of(const struct transaction *t, uint8_t notify)
{
	if (!(t->mail->row.timing.modes & QUEUE_BY_NOTIFY) ||
	    offers(t, OFFER_DELIVERBY) || (notify & NOTIFY_NEVER))
		return notify;
	return (uint8_t)(notify ? notify | NOTIFY_DELAY : NOTIFY_FAILURE | NOTIFY_DELAY);
}

/* RFC 3461 §5.2.1: passed on unchanged. */
static void add_rcpt(struct transaction *t, const struct queue_recipient *to,
		     struct buf *out)
{
	buf_add(out, STR("RCPT TO:<"));
	transaction_path_add(out, to->address);
	buf_add_byte(out, '>');
	size_t type = str_find_byte(to->orcpt, ';');

	if (offers(t, OFFER_DSN))
		add_notify(notify_of(t, to->notify), out);
	if (offers(t, OFFER_DSN) && type < to->orcpt.len &&
	    (t->is_utf8 || is_ascii(to->orcpt))) {
		buf_add(out, STR(" ORCPT="));
		buf_add(out, str_first(to->orcpt, type + 1));
		smtp_xtext_add(out, str_skip(to->orcpt, type + 1));
	}
	buf_add(out, STR("\r\n"));
}

static void say(struct transaction *t, struct buf *command)
{
	conn_add(t->client->conn, buf_str(command));
	buf_reset(command);
}

static bool read_mail(struct transaction *t)
{
	if (client_reply(t->client, WAIT_ENVELOPE) != OK) {
		give_up(t);
		return false;
	}
	struct verdict verdict = said(t);

	/* It has had enough of us on this connection. */
	if (verdict.code == 421 && t->client->mails > 1)
		verdict.kind = VERDICT_AGAIN;
	t->has_reply = true;
	if (verdict.kind != VERDICT_DONE)
		decide_all(t, &verdict);
	return true;
}

static bool read_rcpt(struct transaction *t, struct rcpt *rcpt)
{
	if (t->client->has_failed || client_reply(t->client, WAIT_ENVELOPE) != OK) {
		give_up(t);
		return false;
	}
	struct verdict verdict = said(t);

	if (verdict.kind == VERDICT_DONE) {
		rcpt->is_accepted = rcpt->verdict.kind == VERDICT_NONE;
		t->accepted += rcpt->is_accepted;
		return true;
	}
	/* RFC 5321 §4.5.3.1.10: too many at once; the rest goes in another one. */
	if ((verdict.code == 452 || verdict.code == 552) && t->accepted > 0)
		verdict.kind = VERDICT_AGAIN;
	decide(rcpt, &verdict);
	return true;
}

/* Says the envelope, with DATA behind it if all may be said at once.  RFC 2920 §3.1.
 * False: the connection is gone, or nobody wants the mail and nothing is left to read. */
static bool say_envelope(struct transaction *t)
{
	bool is_pipelined = offers(t, OFFER_PIPELINING);
	SCOPED(buf_fini) struct buf command = BUF(16 * 1024);

	add_mail(t, &command);
	say(t, &command);
	if (!is_pipelined && !read_mail(t))
		return false;
	for (size_t i = 0; i < t->count; i++) {
		if (!is_pipelined && t->rcpts[i].verdict.kind != VERDICT_NONE)
			continue;
		add_rcpt(t, &t->rcpts[i].entry->row.recipient, &command);
		say(t, &command);
		if (!is_pipelined && !read_rcpt(t, &t->rcpts[i]))
			return false;
	}
	if (!is_pipelined)
		return true;
	if (!t->is_binary)
		conn_add(t->client->conn, STR("DATA\r\n"));
	if (!read_mail(t))
		return false;
	for (size_t i = 0; i < t->count; i++)
		if (!read_rcpt(t, &t->rcpts[i]))
			return false;
	return true;
}

/* ---- the text ---------------------------------------------------------------------- */

/* LMTP: each recipient that was accepted has a reply of its own.  RFC 2033 §4.2. */
static void read_final(struct transaction *t)
{
	bool is_each = t->client->options.is_lmtp;
	struct verdict verdict = {0};

	for (size_t i = 0; i < t->count; i++) {
		struct rcpt *rcpt = &t->rcpts[i];

		if (!rcpt->is_accepted)
			continue;
		if (is_each || verdict.kind == VERDICT_NONE) {
			if (client_reply(t->client, WAIT_FINAL) != OK) {
				give_up(t); /* it may have it: twice rather than never */
				return;
			}
			verdict = said(t);
		}
		decide(rcpt, &verdict);
	}
}

static void send_text(struct transaction *t)
{
	if (t->is_binary)
		conn_printf(t->client->conn, "BDAT %llu LAST\r\n",
			    (unsigned long long)t->message.bytes);
	if (outgoing_send(&t->message, t->client->conn, WAIT_BLOCK, !t->is_binary)) {
		read_final(t);
		return;
	}
	buf_reset(&t->client->text);
	buf_add(&t->client->text, STR("The connection was lost while the text was sent"));
	give_up(t);
}

/* After an envelope that nobody wants: DATA may have been said already, and if it is
 * taken, an empty text ends it (RFC 2920 §3.1); nobody gets it. */
static void end_unwanted(struct transaction *t)
{
	struct client *client = t->client;
	bool said_data = offers(t, OFFER_PIPELINING) && !t->is_binary;

	if (said_data && client_reply(client, WAIT_DATA) != OK)
		return;
	conn_add(client->conn,
		 said_data && client->reply.code == 354 ? STR(".\r\n") : STR("RSET\r\n"));
	(void)client_reply(client, WAIT_ENVELOPE); /* has_failed says it */
}

static void run(struct transaction *t)
{
	if (!say_envelope(t))
		return;
	if (t->accepted == 0) {
		if (!t->client->has_failed)
			end_unwanted(t);
		return;
	}
	if (!t->is_binary) {
		if (!offers(t, OFFER_PIPELINING))
			conn_add(t->client->conn, STR("DATA\r\n"));
		if (client_reply(t->client, WAIT_DATA) != OK) {
			give_up(t);
			return;
		}
		if (t->client->reply.code != 354) {
			struct verdict verdict = said(t);

			if (verdict.kind == VERDICT_DONE) /* makes no sense */
				verdict.kind = VERDICT_RETRY;
			decide_all(t, &verdict);
			return;
		}
	}
	send_text(t);
}

/* ---- all of it --------------------------------------------------------------------- */

static void hand_over(struct transaction *t)
{
	const struct settle_where where = {.is_lmtp = t->client->options.is_lmtp,
					   .has_dsn = offers(t, OFFER_DSN),
					   .has_by = offers(t, OFFER_DELIVERBY),
					   .host = t->client->host,
					   .peer = conn_peer(t->client->conn),
					   .tls = conn_tls_text(t->client->conn)};

	for (size_t i = 0; i < t->count; i++) {
		ASSERT(t->rcpts[i].verdict.kind != VERDICT_NONE);
		if (t->rcpts[i].verdict.kind != VERDICT_AGAIN)
			settle_verdict(t->run, t->rcpts[i].entry, &t->rcpts[i].verdict,
				       &where);
	}
}

/* RFC 9422 §4.2: the server may want fewer; the others wait for the next transaction, and
 * those of domains that may not be named for the next session. */
static size_t rcpts_max(const struct client *client)
{
	size_t most = client->bounds.limits.rcpt_max;

	return most > 0 ? num_min(most, MAIL_RCPTS_MAX) : MAIL_RCPTS_MAX;
}

bool transaction_run(struct run *run_of, struct client *client, struct mail *mail)
{
	struct transaction *t = NEW(struct transaction);
	bool is_begun;

	*t = (struct transaction){.run = run_of, .client = client, .mail = mail};
	arena_init(&t->arena, 2 * MAIL_RCPTS_MAX * CLIENT_TEXT_MAX);
	LIST_EACH(&mail->entries, link)
	{
		struct entry *entry = CONTAINER_OF(link, struct entry, in_mail);

		if (t->count == rcpts_max(client))
			break;
		if (client_may_name(client, route_domain(entry->row.recipient.address)))
			t->rcpts[t->count++].entry = entry;
	}
	is_begun = t->count > 0;
	client->mails += is_begun;
	if (is_begun && heeds_time(t) && prepare(t))
		run(t);
	hand_over(t);
	outgoing_close(&t->message);
	arena_fini(&t->arena);
	mem_free(t);
	return is_begun;
}
