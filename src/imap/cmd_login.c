/* STARTTLS, LOGIN and AUTHENTICATE: how somebody becomes known. */
#include "base/log.h"
#include "imap/session.h"
#include "net/tls.h"
#include "wire/auth/sasl.h"

enum { LINE_MAX_BYTES = 16 * 1024 };

/* Nothing typed behind STARTTLS in plain text survives it.  RFC 9051 §6.2.1. */
err_t on_starttls(struct session *s, const struct imap_command *command)
{
	if (!session_offers_starttls(s))
		return reply_bad(s, command, "there is no STARTTLS now");
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
		return reply_no(s, command, "[UNAVAILABLE] Not now; try again later");
	}
	s->state = IMAP_AUTHENTICATED;
	s->error_count = 0;
	SCOPED(buf_fini) struct buf list = BUF(2000);

	session_capabilities(s, &list);
	return reply_only_ok(s, command, "[CAPABILITY %.*s] Welcome",
			     STR_FMT(buf_str(&list)));
}

static err_t log_in(struct session *s, const struct imap_command *command,
		    struct str name, struct str password)
{
	bool is_unlimited = s->service->is_dev && conn_peer_is_loopback(s->conn);

	switch (login_try(&s->service->login, name, password, conn_peer(s->conn),
			  is_unlimited, s->id, &s->arena, &s->login)) {
	case LOGIN_OK:
		return welcome(s, command);
	case LOGIN_REFUSED: /* RFC 5530 §3 */
		return reply_no(s, command,
				"[AUTHENTICATIONFAILED] Name or password is wrong");
	case LOGIN_LATER:
		return reply_no(s, command,
				"[UNAVAILABLE] We cannot tell now; try again later");
	case LOGIN_BANNED:
		break;
	}
	TRY(reply_no(s, command, "[LIMIT] Too many failures; try again later"));
	return reply_bye(s, "Too many failures; try again later");
}

err_t on_login(struct session *s, const struct imap_command *command)
{
	if (!session_offers_login(s)) /* RFC 9051 §6.2.3 */
		return reply_no(s, command, "[PRIVACYREQUIRED] STARTTLS first");
	return log_in(s, command, command->login.user, command->login.password);
}

/* What the client sent, decoded and wiped when it goes. */
static void secret_fini(struct buf *secret)
{
	if (secret->room > 0)
		explicit_bzero(secret->ptr, secret->room);
	buf_fini(secret);
}

static err_t bad_line(struct session *s, const struct imap_command *command,
		      enum sasl_line kind)
{
	if (kind == SASL_LINE_CANCEL) /* RFC 9051 §6.2.2 */
		return reply_bad(s, command, "given up");
	return reply_bad(s, command, "that is not base64");
}

/* RFC 9051 §6.2.2; the initial response is RFC 4959. */
err_t on_authenticate(struct session *s, const struct imap_command *command)
{
	SCOPED(secret_fini) struct buf secret = BUF(SASL_TEXT_MAX);
	struct sasl_plain plain;
	struct str line;
	enum sasl_line kind;

	if (sasl_mechanism_find(command->authenticate.mechanism) != SASL_PLAIN)
		return reply_no(s, command, "[CANNOT] Only PLAIN is offered");
	if (!session_offers_login(s))
		return reply_no(s, command, "[PRIVACYREQUIRED] STARTTLS first");
	if (command->authenticate.has_initial) {
		struct str initial = command->authenticate.initial;

		kind = sasl_initial_decode(initial.len > 0 ? initial : STR("="), &secret);
	} else {
		conn_add(s->conn, STR("+ \r\n"));
		err_t err = conn_line(s->conn, LINE_MAX_BYTES, true, &line);

		if (err == ERR_LIMIT)
			return reply_bad(s, command, "the line is too long");
		if (err != OK)
			return err;
		kind = sasl_line_decode(line, &secret);
	}
	if (kind != SASL_LINE_DATA)
		return bad_line(s, command, kind);
	if (!sasl_plain_parse(buf_str(&secret), &plain))
		return reply_bad(s, command, "that is not what PLAIN sends");
	if (plain.authzid.len > 0 && !str_same_nocase(plain.authzid, plain.authcid))
		return reply_no(s, command,
				"[AUTHORIZATIONFAILED] Nobody acts for others here");
	return log_in(s, command, plain.authcid, plain.password);
}
