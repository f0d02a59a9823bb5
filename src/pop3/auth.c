/* The AUTHORIZATION state: USER and PASS, AUTH.  RFC 1939 §4, RFC 5034. */
#include "base/log.h"
#include "login/sasl.h"
#include "pop3/session.h"

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
		pop3_reply_ok(s, "%zu messages", s->drop.count);
		return;
	}
	LOG(INFO, "maildrop not opened", KV_INT("session", s->id),
	    KV_INT("account", login->account), KV("why", store_outcome_text(outcome)));
	struct login gone = *login;

	login_end(&s->service->login, &gone);
	if (outcome == STORE_CONFLICT)
		pop3_reply_failed(s, "IN-USE",
				  "Another program is fetching this mail; try again when "
				  "it has ended");
	else
		pop3_reply_failed(
			s, "SYS/TEMP",
			"Your mail cannot be reached now; try again in a minute");
}

static void answer(struct session *s, enum sasl_mechanism mechanism,
		   enum login_outcome outcome, const struct login *login)
{
	switch (outcome) {
	case LOGIN_OK:
		open_drop(s, login);
		return;
	case LOGIN_REFUSED:
		pop3_reply_error(s, "AUTH", login_refusal(mechanism)); /* RFC 3206 §4 */
		return;
	case LOGIN_LATER:
		pop3_reply_failed(s, "SYS/TEMP",
				  "We cannot tell now whether that is your password; try "
				  "again in a minute");
		return;
	case LOGIN_BANNED:
		pop3_reply_failed(s, "SYS/TEMP",
				  "Too many log-ins have failed; check name and "
				  "password, and try again in ten minutes");
		s->is_done = true;
		return;
	case LOGIN_CROWDED:
		pop3_reply_failed(s, "SYS/TEMP",
				  "You have too many sessions; close a mail program "
				  "that you do not need");
		return;
	}
}

static void log_in(struct session *s, struct str name, struct str password)
{
	const struct login_client client = {s->conn, s->id, &s->arena};
	struct login login;
	enum login_outcome outcome =
		login_try(&s->service->login, name, password, &client, &login);

	answer(s, SASL_PLAIN, outcome, &login);
}

/* True if a password may be sent; else a reply was made. */
static bool may_log_in(struct session *s)
{
	if (pop3_may_log_in(s))
		return true;
	pop3_reply_error(s, "",
			 s->login.account != 0 ? "You are logged in already"
					       : "Passwords are taken under TLS only; "
						 "switch it on in your mail program");
	return false;
}

/* Any name is accepted, so that nobody learns which exist. */
void pop3_on_user(struct session *s, struct str name)
{
	if (!may_log_in(s))
		return;
	if (!arena_copy(&s->arena, name, &s->user))
		pop3_reply_error(s, "", "USER was said too often; connect again");
	else
		pop3_reply_ok(s, "Now the password");
}

void pop3_on_pass(struct session *s, struct str password)
{
	struct str name = s->user;
	SCOPED(secret_fini) struct buf copy = BUF(POP3_LINE_MAX);

	if (!may_log_in(s))
		return;
	if (name.len == 0) {
		pop3_reply_error(s, "", "USER comes first");
		return;
	}
	s->user = STR("");
	buf_add(&copy, password); /* the log-in waits, the line does not */
	log_in(s, name, buf_str(&copy));
}

/* What came of an exchange that is over.  RFC 5034 §4. */
static void finish(struct session *s, const struct login_sasl *x, enum login_state state)
{
	switch (state) {
	case LOGIN_ASK:
		pop3_reply_error(s, "", "The line is too long");
		return;
	case LOGIN_OVER:
		answer(s, x->mechanism, x->outcome, &x->login);
		return;
	case LOGIN_CANCELED:
		pop3_reply_error(s, "", "You have given up");
		return;
	case LOGIN_NOT_BASE64:
		pop3_reply_error(s, "", "That is not base64");
		return;
	case LOGIN_MALFORMED:
		pop3_reply_error(s, "", "That is not what the mechanism sends");
		return;
	case LOGIN_FOR_OTHER:
		pop3_reply_error(s, "AUTH",
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

		conn_printf(s->conn, "+ %s\r\n", x.challenge);
		conn_deadline_s(s->conn, POP3_WAIT_S);
		err_t err = conn_line(s->conn, POP3_AUTH_LINE_MAX, true, &line);

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

/* The mechanisms, a line each. */
static void list_mechanisms(struct session *s)
{
	struct str rest = str_c(login_mechanisms(s->conn));

	conn_add(s->conn, STR("+OK Mechanisms\r\n"));
	while (rest.len > 0) {
		struct str name = str_cut(&rest, ' ');

		conn_printf(s->conn, "%.*s\r\n", STR_FMT(name));
	}
	conn_add(s->conn, STR(".\r\n"));
}

/* AUTH alone lists the mechanisms, as clients older than CAPA ask. */
err_t pop3_on_auth(struct session *s, const struct pop3_command *command)
{
	enum sasl_mechanism mechanism = login_mechanism_find(s->conn, command->argument);

	if (!may_log_in(s))
		return OK;
	if (command->argument.len == 0)
		list_mechanisms(s);
	else if (mechanism == SASL_OTHER)
		pop3_reply_error(s, "", "That mechanism is not offered");
	else
		return exchange(s, mechanism, command->initial);
	return OK;
}
