#include "base/log.h"
#include "smtpd/session.h"
#include "wire/auth/sasl.h"

/* What the client sent, decoded and wiped when it goes. */
static void secret_fini(struct buf *secret)
{
	if (secret->room > 0)
		explicit_bzero(secret->ptr, secret->room);
	buf_fini(secret);
}

/* Asks with the server's challenge (base64) and decodes the answer into *secret; false,
 * and a reply was made, if there is none.  *err is how reading went. */
static bool ask(struct session *s, const char *challenge, struct buf *secret, err_t *err)
{
	struct str line;

	reply(s, 334, NULL, "%s", challenge);
	conn_deadline_s(s->conn, SMTPD_WAIT_S);
	*err = conn_line(s->conn, SMTP_AUTH_LINE_MAX, true, &line);
	if (*err == ERR_LIMIT) {
		*err = OK;
		reply_error(s, 500, "5.5.6", "The line is too long"); /* RFC 4954 §4 */
		return false;
	}
	if (*err != OK)
		return false;
	switch (sasl_line_decode(line, secret)) {
	case SASL_LINE_DATA:
		return true;
	case SASL_LINE_CANCEL:
		reply_error(s, 501, "5.0.0", "Given up");
		return false;
	case SASL_LINE_BAD:
		break;
	}
	reply_error(s, 501, "5.5.2", "That is not base64");
	return false;
}

/* The first answer, which may have come with the command.  RFC 4954 §4. */
static bool first_answer(struct session *s, struct str initial, const char *challenge,
			 struct buf *secret, err_t *err)
{
	if (initial.len == 0)
		return ask(s, challenge, secret, err);
	if (sasl_initial_decode(initial, secret) == SASL_LINE_DATA)
		return true;
	reply_error(s, 501, "5.5.2", "That is not base64");
	return false;
}

static void log_in(struct session *s, struct str name, struct str password)
{
	bool is_unlimited = s->service->is_dev && conn_peer_is_loopback(s->conn);
	struct login login = {0};

	switch (login_try(&s->service->login, name, password, conn_peer(s->conn),
			  is_unlimited, s->id, &s->arena, &login)) {
	case LOGIN_OK:
		s->login = login;
		reply(s, 235, "2.7.0", "Welcome");
		return;
	case LOGIN_REFUSED:
		reply_error(s, 535, "5.7.8", "Name or password is wrong");
		return;
	case LOGIN_LATER:
		reply(s, 454, "4.7.0", "We cannot tell now; try again later");
		return;
	case LOGIN_BANNED:
		reply(s, 421, "4.7.0", "Too many failures; try again later");
		s->is_done = true;
		return;
	}
}

static err_t on_plain(struct session *s, struct str initial)
{
	SCOPED(secret_fini) struct buf secret = BUF(SASL_TEXT_MAX);
	struct sasl_plain plain;
	err_t err = OK;

	if (!first_answer(s, initial, "", &secret, &err))
		return err;
	if (!sasl_plain_parse(buf_str(&secret), &plain))
		reply_error(s, 501, "5.5.2", "That is not what PLAIN sends");
	else if (plain.authzid.len > 0 && !str_same_nocase(plain.authzid, plain.authcid))
		reply_error(s, 535, "5.7.8", "Nobody acts for others here");
	else
		log_in(s, plain.authcid, plain.password);
	return OK;
}

static err_t on_login(struct session *s, struct str initial)
{
	SCOPED(secret_fini) struct buf name = BUF(SASL_TEXT_MAX);
	SCOPED(secret_fini) struct buf password = BUF(SASL_TEXT_MAX);
	err_t err = OK;

	if (!first_answer(s, initial, "VXNlcm5hbWU6", &name, &err) ||
	    !ask(s, "UGFzc3dvcmQ6", &password, &err))
		return err;
	if (sasl_login_is_valid(buf_str(&name)) &&
	    sasl_login_is_valid(buf_str(&password)))
		log_in(s, buf_str(&name), buf_str(&password));
	else
		reply_error(s, 501, "5.5.2", "That is not a name and a password");
	return OK;
}

/* AUTH mechanism [initial-response].  RFC 4954 §4. */
err_t on_auth(struct session *s, const struct smtp_command *command)
{
	struct str initial = command->auth.initial; /* decoded before the next read */

	if (!session_is_submission(s)) {
		reply_error(s, 502, "5.5.1", "Nobody logs in here; use port 465 or 587");
	} else if (s->client.len == 0) {
		reply_error(s, 503, "5.5.1", "EHLO first");
	} else if (s->login.account != 0 || s->draft) {
		reply_error(s, 503, "5.5.1", "Not now");
	} else if (!session_offers_auth(s)) {
		reply_error(s, 538, "5.7.11", "STARTTLS first");
	} else {
		switch (sasl_mechanism_find(command->auth.mechanism)) {
		case SASL_PLAIN:
			return on_plain(s, initial);
		case SASL_LOGIN:
			return on_login(s, initial);
		case SASL_OTHER:
			reply_error(s, 504, "5.5.4", "Use PLAIN or LOGIN");
			break;
		}
	}
	return OK;
}
