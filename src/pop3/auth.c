/* The AUTHORIZATION state: USER and PASS, AUTH.  RFC 1939 §4, RFC 5034. */
#include "base/log.h"
#include "pop3/session.h"
#include "wire/auth/sasl.h"

static void secret_fini(struct buf *secret)
{
	if (secret->room > 0)
		explicit_bzero(secret->ptr, secret->room);
	buf_fini(secret);
}

/* Who has the password gets the maildrop, if nobody else has it. */
static void open_drop(struct session *s, const struct login *login)
{
	enum store_outcome outcome =
		maildrop_open(&s->drop, s->service->login.store, login->account);

	if (outcome == STORE_OK) {
		s->login = *login;
		reply_ok(s, "%zu messages", s->drop.count);
		return;
	}
	LOG(INFO, "maildrop not opened", KV_INT("session", s->id),
	    KV_INT("account", login->account), KV("why", store_outcome_text(outcome)));
	struct login gone = *login;

	login_end(&s->service->login, &gone);
	if (outcome == STORE_CONFLICT)
		reply_failed(s, "IN-USE", "Another session has this maildrop");
	else
		reply_failed(s, "SYS/TEMP", "The maildrop cannot be opened now");
}

static void log_in(struct session *s, struct str name, struct str password)
{
	bool is_unlimited = s->service->is_dev && conn_peer_is_loopback(s->conn);
	struct login login = {0};

	switch (login_try(&s->service->login, name, password, conn_peer(s->conn),
			  is_unlimited, s->id, &s->arena, &login)) {
	case LOGIN_OK:
		open_drop(s, &login);
		return;
	case LOGIN_REFUSED:
		reply_error(s, "AUTH", "Name or password is wrong"); /* RFC 3206 §4 */
		return;
	case LOGIN_LATER:
		reply_failed(s, "SYS/TEMP", "We cannot tell now; try again later");
		return;
	case LOGIN_BANNED:
		reply_failed(s, "SYS/TEMP", "Too many failures; try again later");
		s->is_done = true;
		return;
	}
}

/* True if a password may be sent; else a reply was made. */
static bool may_log_in(struct session *s)
{
	if (session_may_log_in(s))
		return true;
	reply_error(s, "",
		    s->login.account != 0 ? "You are logged in" : "STLS comes first");
	return false;
}

/* Any name is accepted, so that nobody learns which exist. */
void on_user(struct session *s, struct str name)
{
	if (!may_log_in(s))
		return;
	if (!arena_copy(&s->arena, name, &s->user))
		reply_error(s, "", "That is too much");
	else
		reply_ok(s, "Now the password");
}

void on_pass(struct session *s, struct str password)
{
	struct str name = s->user;
	SCOPED(secret_fini) struct buf copy = BUF(POP3_LINE_MAX);

	if (!may_log_in(s))
		return;
	if (name.len == 0) {
		reply_error(s, "", "USER comes first");
		return;
	}
	s->user = STR("");
	buf_add(&copy, password); /* the log-in waits, the line does not */
	log_in(s, name, buf_str(&copy));
}

/* Asks with the server's challenge (base64) and decodes the answer; false, and a reply
 * was made, if there is none.  *err is how reading went. */
static bool ask(struct session *s, const char *challenge, struct buf *secret, err_t *err)
{
	struct str line;

	conn_printf(s->conn, "+ %s\r\n", challenge);
	conn_deadline_s(s->conn, POP3_WAIT_S);
	*err = conn_line(s->conn, POP3_AUTH_LINE_MAX, true, &line);
	if (*err == ERR_LIMIT) {
		*err = OK;
		reply_error(s, "", "The line is too long");
		return false;
	}
	if (*err != OK)
		return false;
	switch (sasl_line_decode(line, secret)) {
	case SASL_LINE_DATA:
		return true;
	case SASL_LINE_CANCEL:
		reply_error(s, "", "Given up");
		return false;
	case SASL_LINE_BAD:
		break;
	}
	reply_error(s, "", "That is not base64");
	return false;
}

static bool first_answer(struct session *s, struct str initial, const char *challenge,
			 struct buf *secret, err_t *err)
{
	if (initial.len == 0)
		return ask(s, challenge, secret, err);
	if (sasl_initial_decode(initial, secret) == SASL_LINE_DATA)
		return true;
	reply_error(s, "", "That is not base64");
	return false;
}

static err_t on_plain(struct session *s, struct str initial)
{
	SCOPED(secret_fini) struct buf secret = BUF(SASL_TEXT_MAX);
	struct sasl_plain plain;
	err_t err = OK;

	if (!first_answer(s, initial, "", &secret, &err))
		return err;
	if (!sasl_plain_parse(buf_str(&secret), &plain))
		reply_error(s, "", "That is not what PLAIN sends");
	else if (plain.authzid.len > 0 && !str_same_nocase(plain.authzid, plain.authcid))
		reply_error(s, "AUTH", "Nobody acts for others here");
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
		reply_error(s, "", "That is not a name and a password");
	return OK;
}

/* AUTH alone lists the mechanisms, as clients older than CAPA ask. */
err_t on_auth(struct session *s, const struct pop3_command *command)
{
	if (!may_log_in(s))
		return OK;
	if (command->argument.len == 0) {
		conn_add(s->conn, STR("+OK Mechanisms\r\nPLAIN\r\nLOGIN\r\n.\r\n"));
		return OK;
	}
	switch (sasl_mechanism_find(command->argument)) {
	case SASL_PLAIN:
		return on_plain(s, command->initial);
	case SASL_LOGIN:
		return on_login(s, command->initial);
	case SASL_OTHER:
		break;
	}
	reply_error(s, "", "Use PLAIN or LOGIN");
	return OK;
}
