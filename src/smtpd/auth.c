#include "login/sasl.h"
#include "smtpd/session.h"

static void answer(struct session *s, const struct login_sasl *x)
{
	switch (x->outcome) {
	case LOGIN_OK:
		s->login = x->login;
		smtpd_reply(s, 235, "2.7.0", "Welcome");
		return;
	case LOGIN_REFUSED:
		smtpd_reply_error(s, 535, "5.7.8", login_refusal(x->mechanism));
		return;
	case LOGIN_LATER:
		smtpd_reply(s, 454, "4.7.0",
			    "We cannot tell now whether that is your password; try again "
			    "in a minute");
		return;
	case LOGIN_BANNED:
		smtpd_reply(s, 421, "4.7.0",
			    "Too many log-ins have failed; check name and password, and "
			    "try again in ten minutes");
		s->is_done = true;
		return;
	case LOGIN_CROWDED:
		smtpd_reply(s, 454, "4.7.0",
			    "You have too many sessions; close a mail program "
			    "that you do not need");
		return;
	}
}

/* What came of an exchange that is over.  RFC 4954 §4. */
static void finish(struct session *s, const struct login_sasl *x, enum login_state state)
{
	switch (state) {
	case LOGIN_ASK:
		smtpd_reply_error(s, 500, "5.5.6", "The line is too long");
		return;
	case LOGIN_OVER:
		answer(s, x);
		return;
	case LOGIN_CANCELED:
		smtpd_reply_error(s, 501, "5.0.0", "You have given up");
		return;
	case LOGIN_NOT_BASE64:
		smtpd_reply_error(s, 501, "5.5.2", "That is not base64");
		return;
	case LOGIN_MALFORMED:
		smtpd_reply_error(s, 501, "5.5.2",
				  "That is not what the mechanism sends");
		return;
	case LOGIN_FOR_OTHER:
		smtpd_reply_error(s, 535, "5.7.8",
				  "Nobody acts for others here; log in as yourself");
		return;
	}
}

static err_t exchange(struct session *s, enum sasl_mechanism mechanism,
		      struct str initial)
{
	const struct login_client client = {s->conn, s->id, &s->arena};
	SCOPED(login_sasl_fini) struct login_sasl x;

	login_sasl_init(&x, &s->service->login, &client, mechanism);
	enum login_state state = login_sasl_first(&x, initial);

	while (state == LOGIN_ASK) {
		struct str line;

		smtpd_reply(s, 334, NULL, "%s", x.challenge);
		conn_deadline_s(s->conn, SMTPD_WAIT_S);
		err_t err = conn_line(s->conn, SMTP_AUTH_LINE_MAX, true, &line);

		if (err != OK)
			login_end(&s->service->login, &x.login);
		if (err == ERR_LIMIT)
			break;
		TRY(err);
		state = login_sasl_answer(&x, line);
	}
	finish(s, &x, state);
	return OK;
}

/* AUTH mechanism [initial-response].  RFC 4954 §4. */
err_t smtpd_on_auth(struct session *s, const struct smtp_command *command)
{
	enum sasl_mechanism mechanism =
		login_mechanism_find(s->conn, command->auth.mechanism);

	if (!smtpd_is_submission(s))
		smtpd_reply_error(s, 502, "5.5.1",
				  "Nobody logs in here; use port 465 or 587");
	else if (s->client.len == 0)
		smtpd_reply_error(s, 503, "5.5.1", "EHLO first");
	else if (s->login.account != 0 || s->draft)
		smtpd_reply_error(s, 503, "5.5.1",
				  s->draft ? "Not within a mail"
					   : "You are logged in already");
	else if (!smtpd_offers_auth(s))
		smtpd_reply_error(s, 538, "5.7.11",
				  "Passwords are taken under TLS only; switch it on in "
				  "your mail program");
	else if (mechanism == SASL_OTHER)
		smtpd_reply_error(
			s, 504, "5.5.4",
			"That way to log in is not offered; EHLO says which are");
	else
		return exchange(s, mechanism, command->auth.initial);
	return OK;
}
