#include "pop3/session.h"

#include "base/log.h"
#include "login/sasl.h"
#include "net/tls.h"

enum {
	ERRORS_MAX = 10,
	SESSION_ARENA_MAX = 64 * 1024,
	SCRATCH_ARENA_MAX = 512 * 1024, /* a page of rows */
};

void pop3_reply_ok(struct session *s, const char *format, ...)
{
	SCOPED(buf_fini) struct buf out = BUF(1024);
	va_list args;

	buf_add(&out, STR("+OK "));
	va_start(args, format);
	buf_vprintf(&out, format, args);
	va_end(args);
	buf_add(&out, STR("\r\n"));
	conn_add(s->conn, buf_str(&out));
}

void pop3_reply_failed(struct session *s, const char *code, const char *text)
{
	if (code[0])
		conn_printf(s->conn, "-ERR [%s] %s\r\n", code, text);
	else
		conn_printf(s->conn, "-ERR %s\r\n", text);
}

void pop3_reply_error(struct session *s, const char *code, const char *text)
{
	if (++s->error_count < ERRORS_MAX) {
		pop3_reply_failed(s, code, text);
		return;
	}
	LOG(INFO, "too many errors", KV_INT("session", s->id),
	    KV_STR("peer", conn_peer(s->conn)));
	pop3_reply_failed(s, "", "Too many commands were wrong, goodbye");
	s->is_done = true;
}

/* Passwords travel under TLS only; in dev also on loopback. */
bool pop3_may_log_in(const struct session *s)
{
	return s->login.account == 0 &&
	       (conn_is_tls(s->conn) ||
		(s->service->is_dev && conn_peer_is_loopback(s->conn)));
}

bool pop3_may_starttls(const struct session *s)
{
	return s->service->tls && !conn_is_tls(s->conn) && s->login.account == 0;
}

/* RFC 2449 §5, §6; USER and SASL only where they may be used (RFC 2595 §2.1). */
static void on_capa(struct session *s)
{
	SCOPED(buf_fini) struct buf out = BUF(1024);
	bool is_open = s->login.account != 0;

	buf_add(&out, STR("+OK What can be done\r\n"));
	if (pop3_may_log_in(s) || is_open)
		buf_printf(&out, "USER\r\nSASL %s\r\n", login_mechanisms(s->conn));
	if (pop3_may_starttls(s))
		buf_add(&out, STR("STLS\r\n"));
	buf_add(&out, STR("TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
			  "EXPIRE NEVER\r\nUTF8 USER\r\nLANG\r\n"));
	if (is_open) /* not for strangers */
		buf_add(&out, STR("IMPLEMENTATION Postrider\r\n"));
	buf_add(&out, STR(".\r\n"));
	conn_add(s->conn, buf_str(&out));
}

/* What was typed behind STLS in plain text is dropped unread.  RFC 2595 §4. */
static err_t on_stls(struct session *s)
{
	if (!pop3_may_starttls(s)) {
		pop3_reply_error(s, "",
				 conn_is_tls(s->conn) ? "TLS is there already"
						      : "STLS is not offered now");
		return OK;
	}
	s->user = STR("");
	if (conn_drop_input(s->conn) > 0)
		LOG(WARN, "input after starttls dropped", KV_INT("session", s->id),
		    KV_STR("peer", conn_peer(s->conn)));
	pop3_reply_ok(s, "Go ahead");
	TRY(conn_flush(s->conn));
	return conn_starttls(s->conn, s->service->tls);
}

/* Deviates: RFC 6856 §2 asks for a downgraded copy of internationalised mail for clients
 * that do not say UTF8; they get it as it is, which all that are in use can show. */
static void on_utf8(struct session *s)
{
	if (s->login.account != 0)
		pop3_reply_error(s, "", "UTF8 comes before the log-in");
	else
		pop3_reply_ok(s, "UTF-8 it is");
}

/* We speak one language.  RFC 6856 §3. */
static void on_lang(struct session *s, struct str tag)
{
	if (tag.len == 0)
		conn_add(s->conn, STR("+OK Languages\r\nen English\r\n.\r\n"));
	else if (str_same(tag, STR("*")) || str_same_nocase(tag, STR("en")) ||
		 str_starts_nocase(tag, STR("en-")) ||
		 str_same_nocase(tag, STR("i-default")))
		pop3_reply_ok(s, "en English it is");
	else
		pop3_reply_error(s, "", "We do not speak that language");
}

/* The UPDATE state.  RFC 1939 §6. */
static void on_quit(struct session *s)
{
	size_t marked = s->drop.count - s->drop.live_count;
	enum store_outcome outcome =
		s->login.account != 0 ? maildrop_update(&s->drop) : STORE_OK;

	s->is_done = true;
	maildrop_close(&s->drop); /* who comes back at once shall find it free */
	if (outcome == STORE_OK) {
		pop3_reply_ok(s, "Goodbye");
	} else {
		LOG(WARN, "pop3 messages not removed", KV_INT("session", s->id),
		    KV_INT("account", s->login.account), KV_INT("messages", marked),
		    KV("why", store_outcome_text(outcome)));
		pop3_reply_failed(s, "SYS/TEMP",
				  "Some messages could not be removed; delete them again "
				  "next time");
	}
}

static void on_fault(struct session *s, enum pop3_fault fault)
{
	switch (fault) {
	case POP3_FAULT_NONE:
		break;
	case POP3_FAULT_VERB:
		pop3_reply_error(s, "", "No such command");
		return;
	case POP3_FAULT_LENGTH:
		pop3_reply_error(s, "", "The line is too long");
		return;
	case POP3_FAULT_OCTETS:
		pop3_reply_error(s, "", "The line holds octets that are no text");
		return;
	case POP3_FAULT_ARGUMENTS:
		pop3_reply_error(s, "", "The arguments are missing or malformed");
		return;
	}
}

static err_t transaction(struct session *s, const struct pop3_command *command)
{
	switch (command->verb) {
	case POP3_STAT:
		pop3_on_stat(s);
		return OK;
	case POP3_LIST:
		pop3_on_list(s, command->message);
		return OK;
	case POP3_UIDL:
		pop3_on_uidl(s, command->message);
		return OK;
	case POP3_RETR:
		return pop3_on_retr(s, command->message, UINT64_MAX);
	case POP3_TOP:
		return pop3_on_retr(s, command->message, command->lines);
	case POP3_DELE:
		pop3_on_dele(s, command->message);
		return OK;
	case POP3_NOOP:
		pop3_reply_ok(s, "Still here");
		return OK;
	case POP3_RSET:
		maildrop_undelete_all(&s->drop);
		pop3_reply_ok(s, "Nothing is marked any more");
		return OK;
	case POP3_USER:
	case POP3_PASS:
	case POP3_QUIT:
	case POP3_CAPA:
	case POP3_STLS:
	case POP3_AUTH:
	case POP3_UTF8:
	case POP3_LANG:
	case POP3_OTHER:
		break;
	}
	pop3_reply_error(s, "", "That is not possible after the log-in");
	return OK;
}

static err_t dispatch(struct session *s, const struct pop3_command *command)
{
	switch (command->verb) {
	case POP3_QUIT:
		on_quit(s);
		return OK;
	case POP3_CAPA:
		on_capa(s);
		return OK;
	case POP3_UTF8:
		on_utf8(s);
		return OK;
	case POP3_LANG:
		on_lang(s, command->argument);
		return OK;
	case POP3_USER:
		pop3_on_user(s, command->argument);
		return OK;
	case POP3_PASS:
		pop3_on_pass(s, command->argument);
		return OK;
	case POP3_AUTH:
		return pop3_on_auth(s, command);
	case POP3_STLS:
		return on_stls(s);
	case POP3_STAT:
	case POP3_LIST:
	case POP3_UIDL:
	case POP3_RETR:
	case POP3_TOP:
	case POP3_DELE:
	case POP3_NOOP:
	case POP3_RSET:
	case POP3_OTHER:
		break;
	}
	if (s->login.account != 0)
		return transaction(s, command);
	pop3_reply_error(s, "", "Log in first, with USER and PASS or AUTH");
	return OK;
}

static err_t one_command(struct session *s)
{
	struct str line;
	struct pop3_command command;

	arena_reset(&s->scratch);
	if (s->login.account == 0 && loop_now() >= s->login_until)
		return ERR_TIMEOUT; /* a stranger's small talk keeps no place */
	conn_deadline_s(s->conn, POP3_WAIT_S);
	err_t err = conn_line(s->conn, POP3_AUTH_LINE_MAX, true, &line);

	if (err == ERR_LIMIT) {
		pop3_reply_error(s, "", "The line is too long");
		return OK;
	}
	TRY(err);
	enum pop3_fault fault = pop3_command_parse(line, &command);

	if (fault == POP3_FAULT_NONE)
		return dispatch(s, &command);
	on_fault(s, fault);
	return OK;
}

/* Greet, then one command after the other.  RFC 1939 §4. */
static err_t talk(struct session *s)
{
	conn_deadline_s(s->conn, POP3_WAIT_S);
	s->login_until = deadline_s(POP3_WAIT_S);
	if (s->service->is_tls_first && !conn_is_tls(s->conn))
		TRY(conn_tls_first(s->conn, s->service->tls));
	pop3_reply_ok(s, "%.*s Postrider", STR_FMT(s->service->hostname));
	while (!s->is_done)
		TRY(one_command(s));
	return conn_flush(s->conn);
}

void pop3_session(struct conn *conn, const struct pop3_service *service)
{
	struct session s = {.conn = conn, .service = service, .id = task_id(task_self())};

	arena_init(&s.arena, SESSION_ARENA_MAX);
	arena_init(&s.scratch, SCRATCH_ARENA_MAX);
	reading_init(&s.reading);
	LOG(INFO, "pop3 session", KV_INT("session", s.id),
	    KV_STR("peer", conn_peer(conn)));
	err_t err = talk(&s);

	LOG(INFO, "pop3 session ended", KV_INT("session", s.id),
	    KV_INT("account", s.login.account), KV("why", err_text(err)));
	maildrop_close(&s.drop); /* without QUIT nothing is deleted: RFC 1939 §3 */
	reading_fini(&s.reading);
	if (s.login.account != 0)
		login_end(&service->login, &s.login);
	arena_fini(&s.scratch);
	arena_fini(&s.arena);
}
