/* EHLO, HELO and LHLO: what is offered, to whom and when. */
#include "login/sasl.h"
#include "rt/clock.h"
#include "smtpd/session.h"

enum { LIST_MAX = 4096 };

bool smtpd_is_submission(const struct session *s)
{
	switch (s->service->kind) {
	case SMTPD_SUBMISSION:
	case SMTPD_SUBMISSIONS:
		return true;
	case SMTPD_MX:
	case SMTPD_LOCAL:
	case SMTPD_LMTP:
		break;
	}
	return false;
}

bool smtpd_is_first_hop(const struct session *s)
{
	return smtpd_is_submission(s) || s->service->kind == SMTPD_LOCAL;
}

/* Passwords travel under TLS only; in dev also on loopback. */
bool smtpd_offers_auth(const struct session *s)
{
	return smtpd_is_submission(s) && s->login.account == 0 &&
	       (conn_is_tls(s->conn) ||
		(s->service->is_dev && conn_peer_is_loopback(s->conn)));
}

bool smtpd_offers_starttls(const struct session *s)
{
	return s->service->tls && !conn_is_tls(s->conn);
}

unsigned smtpd_params(const struct session *s)
{
	unsigned params = SMTP_PARAM_SIZE | SMTP_PARAM_BODY | SMTP_PARAM_SMTPUTF8 |
			  SMTP_PARAM_RET | SMTP_PARAM_ENVID | SMTP_PARAM_NOTIFY |
			  SMTP_PARAM_ORCPT;

	if (conn_is_tls(s->conn)) /* RFC 8689 §2 */
		params |= SMTP_PARAM_REQUIRETLS;
	if (smtpd_is_submission(s)) /* RFC 4865 §4.2: at no other port */
		params |= SMTP_PARAM_AUTH | SMTP_PARAM_BY | SMTP_PARAM_HOLDFOR |
			  SMTP_PARAM_HOLDUNTIL;
	return params;
}

static void extensions_add(const struct session *s, struct buf *text)
{
	buf_add(text, STR("\nPIPELINING\nSIZE "));
	buf_add_u64(text, s->service->message_bytes_max);
	if (smtpd_offers_starttls(s))
		buf_add(text, STR("\nSTARTTLS"));
	if (smtpd_offers_auth(s))
		buf_printf(text, "\nAUTH %s", login_mechanisms(s->conn));
	if (smtpd_params(s) & SMTP_PARAM_REQUIRETLS)
		buf_add(text, STR("\nREQUIRETLS"));
	buf_add(text, STR("\nENHANCEDSTATUSCODES\n8BITMIME\nSMTPUTF8\nCHUNKING"
			  "\nBINARYMIME\nDSN\nLIMITS RCPTMAX="));
	buf_add_u64(text, s->service->recipients_max); /* RFC 9422 §4.2 */
	if (smtpd_params(s) & SMTP_PARAM_BY)
		buf_add(text, STR("\nDELIVERBY"));
	if (smtpd_params(s) & SMTP_PARAM_HOLDFOR) {
		buf_printf(text, "\nFUTURERELEASE %d ", SMTPD_HOLD_MAX_S);
		smtp_date_time_add(text, clock_s() + SMTPD_HOLD_MAX_S);
	}
}

/* Whatever it may have said before, the client starts anew.  RFC 5321 §4.1.1.1. */
static void greet(struct session *s, const struct smtp_command *command)
{
	SCOPED(buf_fini) struct buf text = BUF(LIST_MAX);

	draft_drop(&s->draft);
	if (!arena_copy(&s->arena, command->argument, &s->client)) {
		smtpd_reply(s, 421, "4.3.0", "You have greeted us often enough");
		s->is_done = true;
		return;
	}
	s->is_host_valid = command->is_host_valid;
	s->is_extended = command->verb != SMTP_HELO;
	buf_add(&text, s->service->hostname);
	if (s->is_extended)
		extensions_add(s, &text);
	smtpd_reply(s, 250, NULL, "%.*s", STR_FMT(buf_str(&text)));
}

/* LHLO says which of the two protocols it is, so neither server takes the other's.
 * RFC 2033 §4.1. */
void smtpd_on_hello(struct session *s, const struct smtp_command *command)
{
	bool is_lmtp = s->service->kind == SMTPD_LMTP;

	if (is_lmtp != (command->verb == SMTP_LHLO))
		smtpd_reply_error(s, 500, "5.5.1",
				  is_lmtp ? "This is LMTP: say LHLO"
					  : "This is SMTP: say EHLO");
	else
		greet(s, command);
}
