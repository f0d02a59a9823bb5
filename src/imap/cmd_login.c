/* STARTTLS, LOGIN and AUTHENTICATE: how somebody becomes known. */
#include "base/log.h"
#include "imap/session.h"
#include "login/sasl.h"
#include "net/tls.h"

enum { LINE_MAX_BYTES = 16 * 1024 };

/* Nothing typed behind STARTTLS in plain text survives it.  RFC 9051 §6.2.1. */
err_t on_starttls(struct session *s, const struct imap_command *command)
{
	if (!session_offers_starttls(s))
		return reply_bad(s, command,
				 conn_is_tls(s->conn) ? "TLS is there already"
						      : "STARTTLS is not offered here");
	if (conn_drop_input(s->conn) > 0)
		LOG(WARN, "input after starttls dropped", KV_INT("session", s->id),
		    KV_STR("peer", conn_peer(s->conn)));
	TRY(reply_only_ok(s, command, "Go ahead with TLS"));
	TRY(conn_flush(s->conn));
	return conn_starttls(s->conn, s->service->tls);
}

static err_t welcome(struct session *s, const struct imap_command *command)
{
	enum store_outcome outcome =
		store_watch_open(session_store(s), &s->watch, s->login.account);

	if (outcome != STORE_OK) {
		login_end(&s->service->login, &s->login);
		s->login = (struct login){0};
		return reply_no(s, command,
				"[UNAVAILABLE] Your mail cannot be reached now; try "
				"again in a minute");
	}
	s->state = IMAP_AUTHENTICATED;
	s->error_count = 0;
	SCOPED(buf_fini) struct buf list = BUF(2000);

	session_capabilities(s, &list);
	return reply_only_ok(s, command, "[CAPABILITY %.*s] Welcome",
			     STR_FMT(buf_str(&list)));
}

static err_t answer(struct session *s, const struct imap_command *command,
		    enum sasl_mechanism mechanism, enum login_outcome outcome)
{
	switch (outcome) {
	case LOGIN_OK:
		return welcome(s, command);
	case LOGIN_REFUSED: /* RFC 5530 §3 */
		return reply_no(s, command, "[AUTHENTICATIONFAILED] %s",
				login_refusal(mechanism));
	case LOGIN_LATER:
		return reply_no(s, command,
				"[UNAVAILABLE] We cannot tell now whether that is your "
				"password; try again in a minute");
	case LOGIN_CROWDED:
		return reply_no(
			s, command,
			"[LIMIT] You have too many sessions; close a mail program "
			"that you do not need");
	case LOGIN_BANNED:
		break;
	}
	TRY(reply_no(s, command,
		     "[LIMIT] Too many log-ins have failed; check name and password, and "
		     "try again in ten minutes"));
	return reply_bye(s, "Too many log-ins have failed; try again in ten minutes");
}

err_t on_login(struct session *s, const struct imap_command *command)
{
	const struct login_client client = {s->conn, s->id, &s->arena};

	if (!session_offers_login(s)) /* RFC 9051 §6.2.3 */
		return reply_no(s, command,
				"[PRIVACYREQUIRED] Passwords are taken under TLS only; "
				"switch it on in your mail program");
	return answer(s, command, SASL_PLAIN,
		      login_try(&s->service->login, command->login.user,
				command->login.password, &client, &s->login));
}

/* What came of an exchange that is over.  RFC 9051 §6.2.2. */
static err_t finish(struct session *s, const struct imap_command *command,
		    const struct login_sasl *x, enum login_state state)
{
	switch (state) {
	case LOGIN_ASK:
		return reply_bad(s, command, "the line is too long");
	case LOGIN_OVER:
		break;
	case LOGIN_CANCELED:
		return reply_bad(s, command, "you have given up");
	case LOGIN_NOT_BASE64:
		return reply_bad(s, command, "that is not base64");
	case LOGIN_MALFORMED:
		return reply_bad(s, command, "that is not what the mechanism sends");
	case LOGIN_FOR_OTHER:
		return reply_no(s, command,
				"[AUTHORIZATIONFAILED] Nobody acts for others here; log "
				"in as yourself");
	}
	if (x->outcome == LOGIN_OK)
		s->login = x->login;
	return answer(s, command, x->mechanism, x->outcome);
}

/* An empty initial response is not the same as none; RFC 4959 writes it "=". */
static struct str initial_of(const struct imap_command *command)
{
	if (!command->authenticate.has_initial)
		return STR("");
	return command->authenticate.initial.len > 0 ? command->authenticate.initial
						     : STR("=");
}

static err_t exchange(struct session *s, const struct imap_command *command,
		      enum sasl_mechanism mechanism)
{
	const struct login_client client = {s->conn, s->id, &s->arena};
	SCOPED(login_sasl_fini) struct login_sasl x;

	login_sasl_init(&x, &s->service->login, &client, mechanism);
	enum login_state state = login_sasl_first(&x, initial_of(command));

	while (state == LOGIN_ASK) {
		struct str line;

		conn_printf(s->conn, "+ %s\r\n", x.challenge);
		err_t err = conn_line(s->conn, LINE_MAX_BYTES, true, &line);

		if (err != OK)
			login_end(&s->service->login, &x.login);
		if (err == ERR_LIMIT)
			break;
		TRY(err);
		state = login_sasl_answer(&x, line);
	}
	return finish(s, command, &x, state);
}

/* RFC 9051 §6.2.2; the initial response is RFC 4959. */
err_t on_authenticate(struct session *s, const struct imap_command *command)
{
	enum sasl_mechanism mechanism =
		login_mechanism_find(s->conn, command->authenticate.mechanism);

	if (mechanism == SASL_OTHER)
		return reply_no(s, command,
				"[CANNOT] That way to log in is not offered; CAPABILITY "
				"says which are");
	if (!session_offers_login(s))
		return reply_no(s, command,
				"[PRIVACYREQUIRED] Passwords are taken under TLS only; "
				"switch it on in your mail program");
	return exchange(s, command, mechanism);
}
