#include "smtpd/session.h"

#include <stdio.h>

#include "base/log.h"
#include "base/num.h"
#include "net/tls.h"
#include "wire/smtp/reply.h"

enum {
	ERRORS_MAX = 10,
	IDLE_MAX = 5000, /* far more than the recipients of a mail and probes between */
	SESSION_ARENA_MAX = 256 * 1024,
	SCRATCH_ARENA_MAX = 64 * 1024,
	REPLY_MAX = 4096,
};

void smtpd_reply(struct session *s, int code, const char *enhanced, const char *format,
		 ...)
{
	char text[REPLY_MAX];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);

	va_end(args);
	ASSERT(len >= 0);
	buf_reset(&s->reply);
	smtp_reply_add(&s->reply, code, enhanced,
		       (struct str){text, num_min((size_t)len, sizeof text - 1)});
	conn_add(s->conn, buf_str(&s->reply));
}

void smtpd_reply_error(struct session *s, int code, const char *enhanced,
		       const char *text)
{
	if (++s->error_count < ERRORS_MAX) {
		smtpd_reply(s, code, enhanced, "%s", text);
		return;
	}
	LOG(INFO, "too many errors", KV_INT("session", s->id),
	    KV_STR("peer", conn_peer(s->conn)));
	smtpd_reply(s, 421, "4.7.0", "Too many errors, goodbye");
	s->is_done = true;
}

/* Nothing said before counts any more, and what was typed behind STARTTLS in plain text
 * is dropped unread.  RFC 3207 §4.2. */
static err_t on_starttls(struct session *s)
{
	if (!smtpd_offers_starttls(s)) {
		smtpd_reply_error(s, 503, "5.5.1",
				  conn_is_tls(s->conn) ? "TLS is there already"
						       : "STARTTLS is not offered here");
		return OK;
	}
	draft_drop(&s->draft);
	s->client = STR("");
	if (conn_drop_input(s->conn) > 0)
		LOG(WARN, "input after starttls dropped", KV_INT("session", s->id),
		    KV_STR("peer", conn_peer(s->conn)));
	smtpd_reply(s, 220, "2.0.0", "Go ahead");
	TRY(conn_flush(s->conn));
	return conn_starttls(s->conn, s->service->tls);
}

static void on_rset(struct session *s)
{
	draft_drop(&s->draft);
	smtpd_reply(s, 250, "2.0.0", "Forgotten");
}

static void on_quit(struct session *s)
{
	smtpd_reply(s, 221, "2.0.0", "Goodbye");
	s->is_done = true;
}

/* What cannot be parsed.  RFC 5321 §4.2.2, §4.1.1.11; RFC 3463 §3.6. */
static void on_fault(struct session *s, enum smtp_fault fault,
		     const struct smtp_command *command)
{
	switch (fault) {
	case SMTP_FAULT_NONE:
		break;
	case SMTP_FAULT_VERB:
		smtpd_reply_error(s, 500, "5.5.1", "No such command");
		return;
	case SMTP_FAULT_LENGTH:
		smtpd_reply_error(s, 500, "5.5.2", "The line is too long");
		return;
	case SMTP_FAULT_OCTETS:
		smtpd_reply_error(s, 500, "5.5.2",
				  "The line holds octets that are no text");
		return;
	case SMTP_FAULT_ARGUMENTS:
		smtpd_reply_error(s, 501, "5.5.4",
				  "The arguments are missing or malformed");
		return;
	case SMTP_FAULT_PATH:
		if (command->verb == SMTP_MAIL)
			smtpd_reply_error(s, 501, "5.1.7",
					  "That is not a sender's address");
		else
			smtpd_reply_error(s, 501, "5.1.3",
					  "That is not a mailbox address");
		return;
	case SMTP_FAULT_PARAM:
		smtpd_reply_error(s, 501, "5.5.4", "A parameter is malformed");
		return;
	case SMTP_FAULT_PARAM_UNKNOWN:
		smtpd_reply_error(s, 555, "5.5.4", "A parameter is not known here");
		return;
	case SMTP_FAULT_MEMORY:
		smtpd_reply(s, 451, "4.3.0", "That is too much just now");
		return;
	}
}

static err_t dispatch(struct session *s, const struct smtp_command *command)
{
	switch (command->verb) {
	case SMTP_EHLO:
	case SMTP_HELO:
	case SMTP_LHLO:
		smtpd_on_hello(s, command);
		return OK;
	case SMTP_MAIL:
		smtpd_on_mail(s, command);
		return OK;
	case SMTP_RCPT:
		smtpd_on_rcpt(s, command);
		return OK;
	case SMTP_DATA:
		return smtpd_on_data(s);
	case SMTP_BDAT:
		return smtpd_on_bdat(s, command);
	case SMTP_RSET:
		on_rset(s);
		return OK;
	case SMTP_NOOP:
		smtpd_reply(s, 250, "2.0.0", "Still here");
		return OK;
	case SMTP_VRFY:
		smtpd_reply(s, 252, "2.0.0", "Send it mail and see"); /* RFC 5321 §7.3 */
		return OK;
	case SMTP_HELP:
		smtpd_reply(s, 214, "2.0.0",
			    "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT "
			    "STARTTLS AUTH\nSee RFC 5321");
		return OK;
	case SMTP_QUIT:
		on_quit(s);
		return OK;
	case SMTP_STARTTLS:
		return on_starttls(s);
	case SMTP_AUTH:
		return smtpd_on_auth(s, command);
	case SMTP_EXPN:
	case SMTP_OTHER:
		break;
	}
	smtpd_reply_error(s, 502, "5.5.1", "That is not done here");
	return OK;
}

static err_t one_command(struct session *s)
{
	struct str line;
	struct smtp_command command;
	size_t max = smtpd_is_submission(s) ? SMTP_AUTH_LINE_MAX : SMTP_LINE_MAX;

	arena_reset(&s->scratch);
	conn_deadline_s(s->conn, SMTPD_WAIT_S);
	err_t err = conn_line(s->conn, max, true, &line);

	if (err == ERR_LIMIT) {
		smtpd_reply_error(s, 500, "5.5.2", "The line is too long");
		return OK;
	}
	TRY(err);
	enum smtp_fault fault = smtp_command_parse(line, &s->scratch, &command);

	if (fault == SMTP_FAULT_NONE)
		return dispatch(s, &command);
	on_fault(s, fault, &command);
	if (command.verb == SMTP_BDAT) /* what follows may be text: no command of ours */
		s->is_done = true;
	return OK;
}

/* Who talks for ever and never sends a mail only keeps a place.  False: it was told so.
 */
static bool is_patience_left(struct session *s)
{
	if (s->idle_count++ < IDLE_MAX)
		return true;
	LOG(INFO, "too many commands", KV_INT("session", s->id),
	    KV_STR("peer", conn_peer(s->conn)));
	smtpd_reply(s, 421, "4.7.0", "Too many commands and no mail, goodbye");
	return false;
}

/* Greet, then one command after the other.  RFC 5321 §3.1. */
static err_t talk(struct session *s)
{
	conn_deadline_s(s->conn, SMTPD_WAIT_S);
	if (s->service->kind == SMTPD_SUBMISSIONS && !conn_is_tls(s->conn))
		TRY(conn_tls_first(s->conn, s->service->tls));
	smtpd_reply(s, 220, NULL, "%.*s %s Postrider", STR_FMT(s->service->hostname),
		    s->service->kind == SMTPD_LMTP ? "LMTP" : "ESMTP");
	while (!s->is_done && is_patience_left(s))
		TRY(one_command(s));
	return conn_flush(s->conn);
}

/* The client is owed a 421 when it is we who leave.  RFC 5321 §3.8. */
static void farewell(struct session *s, err_t err)
{
	if (err == ERR_TIMEOUT)
		smtpd_reply(s, 421, "4.4.2",
			    "You were silent or slow for too long, goodbye");
	else if (err == ERR_CANCELED)
		smtpd_reply(s, 421, "4.3.2", "We are closing, come back later");
	else
		return;
	(void)conn_flush(s->conn); /* it may be gone already */
}

void smtpd_session(struct conn *conn, const struct smtpd_service *service)
{
	struct session s = {.conn = conn,
			    .service = service,
			    .id = task_id(task_self()),
			    .reply = BUF(2 * REPLY_MAX)};

	arena_init(&s.arena, SESSION_ARENA_MAX);
	arena_init(&s.scratch, SCRATCH_ARENA_MAX);
	LOG(INFO, "smtp session", KV_INT("session", s.id),
	    KV_STR("peer", conn_peer(conn)));
	err_t err = talk(&s);

	farewell(&s, err);
	LOG(INFO, "smtp session ended", KV_INT("session", s.id),
	    KV("why", err_text(err)));
	draft_drop(&s.draft);
	if (s.login.account != 0)
		login_end(&service->login, &s.login);
	buf_fini(&s.reply);
	arena_fini(&s.scratch);
	arena_fini(&s.arena);
}
