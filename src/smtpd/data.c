/* DATA and BDAT: the text comes, and is answered for. */
#include "base/log.h"
#include "base/num.h"
#include "smtpd/incoming.h"
#include "smtpd/session.h"

/* What has come of the text; waits for more.  Where a limit is near the wait is short. */
static err_t next_piece(struct session *s, const struct body *body, struct str *input)
{
	unsigned wait_s = body ? body_wait_s(body, loop_now()) : BODY_WAIT_S;

	if (wait_s == 0)
		return ERR_TIMEOUT;
	conn_deadline_s(s->conn, wait_s);
	return conn_peek(s->conn, input);
}

/* A long text is passed on while it comes. */
static void go_ahead(struct session *s, struct draft *draft)
{
	if (draft->body.data.is_too_big)
		deliver_ahead_drop(&draft->ahead);
	else
		deliver_ahead(s->service->deliver, &draft->ahead,
			      buf_str(&draft->body.text));
}

/* Everything up to the end mark, even where nothing is kept any more, so that the
 * dialogue can go on. */
static err_t read_text(struct session *s, struct draft *draft)
{
	struct body *body = &draft->body;

	while (!body->data.is_done) {
		struct str input;

		TRY(next_piece(s, body, &input));
		conn_take(s->conn, body_take(body, input));
		go_ahead(s, draft);
	}
	return OK;
}

/* One chunk; draft NULL: only past it. */
static err_t read_chunk(struct session *s, uint64_t bytes, struct draft *draft)
{
	struct body *body = draft ? &draft->body : NULL;

	while (bytes > 0) {
		struct str input;

		TRY(next_piece(s, body, &input));
		input = str_first(input, num_min(input.len, bytes));
		if (body)
			(void)body_take(body, input); /* chunks are taken whole */
		conn_take(s->conn, input.len);
		bytes -= input.len;
		if (draft)
			go_ahead(s, draft);
	}
	return OK;
}

/* The reply to a whole message: in LMTP each recipient gets it.  RFC 2033 §4.2. */
static void reply_each(struct session *s, const struct draft *draft, int code,
		       const char *enhanced, const char *text)
{
	size_t count = s->service->kind == SMTPD_LMTP ? draft->given : 1;

	for (size_t i = 0; i < count; i++)
		smtpd_reply(s, code, enhanced, "%s", text);
}

struct verdict {
	int code; /* 0: the text may be taken */
	const char *enhanced, *text;
};

static struct verdict judge(const struct body *body)
{
	const char *fault = body_fault(body);

	if (body->is_crowded)
		return (struct verdict){452, "4.3.1",
					"No room just now; try again later"};
	if (body->data.is_too_big)
		return (struct verdict){552, "5.3.4", "The message is too big"};
	if (fault)
		return (struct verdict){550, "5.6.0", fault};
	return (struct verdict){0};
}

/* The text is whole. */
static void settle(struct session *s, struct draft *draft)
{
	struct verdict verdict = judge(&draft->body);

	s->idle_count = 0;
	if (verdict.code == 0) {
		incoming_accept(s, draft);
		return;
	}
	LOG(INFO, "message refused", KV_INT("session", s->id),
	    KV_STR("peer", conn_peer(s->conn)), KV_STR("from", draft->sender),
	    KV("why", verdict.text));
	reply_each(s, draft, verdict.code, verdict.enhanced, verdict.text);
}

static enum smtp_line_ends line_ends(const struct session *s, const struct draft *draft)
{
	if (draft->params.body == SMTP_BODY_BINARYMIME)
		return SMTP_LINES_BINARY;
	return smtpd_is_first_hop(s) ? SMTP_LINES_REPAIR : SMTP_LINES_KEEP;
}

static void begin(struct session *s, struct draft *draft, enum body_how how)
{
	body_begin(&draft->body, how, line_ends(s, draft), draft->params.size,
		   s->service->message_bytes_max);
}

/* DATA: from the final 250 on, the message is ours.  RFC 5321 §4.1.1.4, §6.1. */
err_t smtpd_on_data(struct session *s)
{
	bool is_lmtp = s->service->kind == SMTPD_LMTP;

	if (!s->draft) {
		smtpd_reply_error(s, 503, "5.5.1", "MAIL first");
		return OK;
	}
	if (s->draft->body.is_begun ||
	    s->draft->params.body == SMTP_BODY_BINARYMIME) { /* RFC 3030 §2, §3 */
		smtpd_reply_error(s, 503, "5.5.1", "This message comes by BDAT");
		return OK;
	}
	if (s->draft->given == 0) { /* RFC 5321 §3.3, RFC 2033 §4.2 */
		smtpd_reply_error(s, is_lmtp ? 503 : 554, "5.5.1",
				  "There is no recipient");
		return OK;
	}
	SCOPED(draft_drop) struct draft *draft = s->draft; /* ours to drop from here */

	s->draft = NULL;
	begin(s, draft, BODY_DATA);
	smtpd_reply(s, 354, NULL, "Go ahead, end with a dot");
	TRY(read_text(s, draft));
	settle(s, draft);
	return OK;
}

/* A chunk that belongs to nothing.  It is no nonsense of the client's: when RCPT was
 * refused, its pipelined chunks still come.  In LMTP the last one is answered for as many
 * recipients as there are.  RFC 3030 §2, RFC 2033 §4.3. */
static void no_place(struct session *s, bool is_last)
{
	if (s->service->kind == SMTPD_LMTP && is_last)
		return;
	smtpd_reply(s, 503, "5.5.1", "%s",
		    s->draft ? "There is no recipient" : "MAIL first");
}

/* BDAT: what it announced is never taken for commands, whatever the answer is; and a
 * message that was refused goes on being refused until its last chunk or RSET.
 * RFC 3030 §2. */
err_t smtpd_on_bdat(struct session *s, const struct smtp_command *command)
{
	bool has_place = s->draft && s->draft->given > 0;

	if (has_place && !s->draft->body.is_begun)
		begin(s, s->draft, BODY_CHUNKS);
	TRY(read_chunk(s, command->bdat.bytes, has_place ? s->draft : NULL));
	if (!has_place) {
		no_place(s, command->bdat.is_last);
		return OK;
	}
	if (!command->bdat.is_last) {
		struct verdict verdict = judge(&s->draft->body);

		if (verdict.code != 0)
			smtpd_reply(s, verdict.code, verdict.enhanced, "%s",
				    verdict.text);
		else
			smtpd_reply(s, 250, "2.0.0", "%llu octets",
				    (unsigned long long)command->bdat.bytes);
		return OK;
	}
	SCOPED(draft_drop) struct draft *draft = s->draft;

	s->draft = NULL;
	smtp_chunks_end(&draft->body.data, &draft->body.text);
	settle(s, draft);
	return OK;
}
