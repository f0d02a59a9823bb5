#include "wire/smtp/data.h"

#include "base/log.h"
#include "base/num.h"
#include "smtpd/incoming.h"
#include "smtpd/session.h"

enum {
	TEXT_FIRST_BYTES = 16 * 1024,     /* room made before the first octet comes */
	TEXT_FIRST_BYTES_MAX = 256 * 1024 /* and if the client announced so much */
};

/* What all sessions of this process hold of messages that are coming in. */
static size_t held_bytes;
static const size_t held_bytes_max = (size_t)1 << 30;

static void text_fini(struct buf *text)
{
	held_bytes -= text->room;
	buf_fini(text);
}

/* Takes a piece; keeps the count of what is held. */
static size_t take(struct smtp_data *data, struct str input, struct buf *text)
{
	size_t before = text->room;
	size_t n = smtp_data_feed(data, input, text);

	held_bytes += text->room - before;
	return n;
}

/* Everything up to the end mark, even where nothing is kept any more, so that the
 * dialogue can go on.  *is_crowded: there was no room for it in memory. */
static err_t read_text(struct session *s, struct smtp_data *data, struct buf *text,
		       bool *is_crowded)
{
	while (!data->is_done) {
		struct str input;

		conn_deadline_s(s->conn, SMTPD_WAIT_S);
		TRY(conn_peek(s->conn, &input));
		if (held_bytes > held_bytes_max && !data->is_too_big) {
			*is_crowded = true;
			data->is_too_big = true;
			held_bytes -= text->room;
			buf_release(text);
		}
		conn_take(s->conn, take(data, input, text));
	}
	return OK;
}

/* What is wrong with the text as such; NULL if nothing is.  On port 25 a bare CR or LF is
 * refused, because servers read it differently (SMTP smuggling). */
static const char *text_fault(const struct smtp_data *data)
{
	if (data->has_nul)
		return "The message holds NUL characters (RFC 5322 does not allow them)";
	if (data->line_ends == SMTP_LINES_REPAIR)
		return NULL;
	if (data->has_bare_lf)
		return "A line ended with LF alone; each must end with CR LF "
		       "(RFC 5321 section 2.3.8)";
	if (data->has_bare_cr)
		return "There was a CR without LF; each line must end with CR LF "
		       "(RFC 5321 section 2.3.8)";
	return NULL;
}

static err_t receive(struct session *s, struct draft *draft, struct buf *text)
{
	bool is_crowded = false;
	struct smtp_data data;
	uint64_t first = num_max(TEXT_FIRST_BYTES,
				 num_min(draft->params.size, TEXT_FIRST_BYTES_MAX));

	smtp_data_init(&data,
		       smtpd_is_submission(s) ? SMTP_LINES_REPAIR : SMTP_LINES_KEEP,
		       s->service->message_bytes_max);
	smtpd_reply(s, 354, NULL, "Go ahead, end with a dot");
	(void)buf_room(text, num_min(first, text->max)); /* only a hint */
	held_bytes += text->room;
	TRY(read_text(s, &data, text, &is_crowded));
	const char *fault = text_fault(&data);

	if (is_crowded)
		smtpd_reply(s, 452, "4.3.1", "No room just now; try again later");
	else if (data.is_too_big)
		smtpd_reply(s, 552, "5.3.4", "Messages may have %llu octets at most",
			    (unsigned long long)s->service->message_bytes_max);
	else if (fault)
		smtpd_reply(s, 550, "5.6.0", "%s", fault);
	else
		incoming_accept(s, draft, text);
	if (fault || data.is_too_big)
		LOG(INFO, "message refused", KV_INT("session", s->id),
		    KV_STR("peer", conn_peer(s->conn)), KV_STR("from", draft->sender),
		    KV("why", fault ? fault : "too big"));
	return OK;
}

/* DATA: from the final 250 on, the message is ours.  RFC 5321 §4.1.1.4, §6.1. */
err_t smtpd_on_data(struct session *s)
{
	if (!s->draft) {
		smtpd_reply_error(s, 503, "5.5.1", "MAIL first");
		return OK;
	}
	if (s->draft->count == 0) {
		smtpd_reply_error(s, 554, "5.5.1",
				  "There is no recipient"); /* RFC 5321 §3.3 */
		return OK;
	}
	SCOPED(draft_drop) struct draft *draft = s->draft; /* ours to drop from here */
	SCOPED(text_fini) struct buf text = BUF(s->service->message_bytes_max);

	s->draft = NULL;
	return receive(s, draft, &text);
}

/* BDAT is not offered, but what it announced is not commands.  RFC 3030 §2. */
err_t smtpd_on_bdat(struct session *s, const struct smtp_command *command)
{
	uint64_t rest = command->bdat.bytes;

	while (rest > 0) {
		struct str input;

		conn_deadline_s(s->conn, SMTPD_WAIT_S);
		TRY(conn_peek(s->conn, &input));
		size_t n = num_min(input.len, rest);

		conn_take(s->conn, n);
		rest -= n;
	}
	draft_drop(&s->draft);
	smtpd_reply_error(s, 502, "5.5.1", "CHUNKING is not offered; use DATA");
	return OK;
}
