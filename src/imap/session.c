#include "imap/session.h"

#include <stdarg.h>

#include "base/log.h"
#include "imap/arriving.h"
#include "imap/events.h"
#include "imap/shares.h"
#include "wire/imap/framing.h"

enum {
	ERRORS_MAX = 20,
	SESSION_ARENA_MAX = 64 * 1024,
	SCRATCH_BEFORE_LOGIN = 128 * 1024,
	SCRATCH_MAX = 16 << 20,
};

static void PRINTF_LIKE(3, 0)
	reply_v(struct session *s, const char *head, const char *format, va_list args)
{
	buf_add_c(&s->out, head);
	buf_vprintf(&s->out, format, args);
	buf_add_c(&s->out, "\r\n");
	session_send(s);
}

/* At a tagged response the client takes the greatest mod-sequence that it was told for
 * one up to which it knows everything.  If an expunge before that waits still, or was not
 * seen yet, it MUST hear of a lower one.  RFC 7162 §3.2, §6. */
static void tell_known(struct session *s)
{
	if (s->is_condstore && s->box.sent > s->box.told)
		buf_printf(
			&s->out,
			"* OK [HIGHESTMODSEQ %llu] Not all is told that came after\r\n",
			(unsigned long long)s->box.told);
	s->box.sent = 0;
}

static void reply_tag(struct session *s, const struct imap_command *command)
{
	tell_known(s);
	if (command->tag.len > 0)
		buf_add(&s->out, command->tag);
	else
		buf_add_byte(&s->out,
			     '*'); /* RFC 9051 §7.1.3: not even a tag was there */
}

void session_send(struct session *s)
{
	if (!buf_ok(&s->out)) { /* cut short, so the client would misread what follows */
		LOG(WARN, "response too long", KV_INT("session", s->id));
		s->is_done = true;
	} else if (!s->is_done) {
		conn_deadline_s(s->conn, IMAP_WAIT_OUTPUT_S);
		conn_add(s->conn, buf_str(&s->out));
	}
	buf_reset(&s->out);
}

err_t reply_no(struct session *s, const struct imap_command *command, const char *format,
	       ...)
{
	va_list args;

	reply_tag(s, command);
	va_start(args, format);
	reply_v(s, " NO ", format, args);
	va_end(args);
	return OK;
}

err_t reply_bad(struct session *s, const struct imap_command *command, const char *format,
		...)
{
	va_list args;

	reply_tag(s, command);
	va_start(args, format);
	reply_v(s, " BAD ", format, args);
	va_end(args);
	if (++s->error_count < ERRORS_MAX)
		return OK;
	LOG(INFO, "too many errors", KV_INT("session", s->id),
	    KV_STR("peer", conn_peer(s->conn)));
	return reply_bye(s, "[CLIENTBUG] Too many commands were wrong, goodbye");
}

/* RFC 9738 §3.1: a response has one code, so that MESSAGELIMIT may have to go ahead. */
static void say_limit(struct session *s, struct buf *text)
{
	bool has_code = text->len > 0 && text->ptr[0] == '[';
	SCOPED(buf_fini) struct buf code = BUF(100);

	buf_printf(&code, "[MESSAGELIMIT %u %u]", s->service->command_messages_max,
		   s->limited_uid);
	if (has_code) {
		buf_printf(&s->out, "* NO %.*s There is more; go on below that\r\n",
			   STR_FMT(buf_str(&code)));
		return;
	}
	buf_reset(text);
	buf_printf(text, "%.*s Done so far; go on below that", STR_FMT(buf_str(&code)));
}

static void ok_v(struct session *s, const struct imap_command *command,
		 const char *format, va_list args) PRINTF_LIKE(3, 0);
static void ok_v(struct session *s, const struct imap_command *command,
		 const char *format, va_list args)
{
	SCOPED(buf_fini) struct buf text = BUF(IMAP_OUT_MAX);

	if (s->limited_uid == 0) {
		reply_tag(s, command);
		reply_v(s, " OK ", format, args);
		return;
	}
	buf_vprintf(&text, format, args);
	say_limit(s, &text);
	reply_tag(s, command);
	buf_printf(&s->out, " OK %.*s\r\n", STR_FMT(buf_str(&text)));
	session_send(s);
}

err_t reply_only_ok(struct session *s, const struct imap_command *command,
		    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ok_v(s, command, format, args);
	va_end(args);
	return OK;
}

/* RFC 9051 §7.5.1: EXPUNGE may not be sent while these are in progress, as the client
 * counts with sequence numbers; nor within a UID SEARCH that has some among its keys (RFC
 * 7162 §3.2.10.2).  SORT and THREAD are like SEARCH (RFC 5256 §3). */
static enum moment end_of(const struct imap_command *command)
{
	if (command->verb == IMAP_SEARCH || command->verb == IMAP_ESEARCH ||
	    command->verb == IMAP_SORT || command->verb == IMAP_THREAD)
		return MOMENT_NUMBERS;
	if (command->verb == IMAP_EXPUNGE || command->verb == IMAP_MOVE ||
	    command->verb == IMAP_REPLACE)
		return MOMENT_REMOVED;
	if (command->is_uid)
		return MOMENT_COMMAND;
	return command->verb == IMAP_FETCH || command->verb == IMAP_STORE
		       ? MOMENT_NUMBERS
		       : MOMENT_COMMAND;
}

err_t reply_ok(struct session *s, const struct imap_command *command, const char *format,
	       ...)
{
	va_list args;

	if (s->state == IMAP_SELECTED)
		TRY(selected_tell(s, events_selected(s, end_of(command))));
	if (s->is_done)
		return OK; /* the mailbox is gone, and BYE was said */
	va_start(args, format);
	ok_v(s, command, format, args);
	va_end(args);
	return OK;
}

err_t reply_bye(struct session *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	reply_v(s, "* BYE ", format, args);
	va_end(args);
	s->is_done = true;
	return OK;
}

/* Response codes of RFC 5530. */
err_t reply_store(struct session *s, const struct imap_command *command,
		  enum store_outcome outcome)
{
	switch (outcome) {
	case STORE_OK:
		break;
	case STORE_CONFLICT:
		return reply_no(s, command,
				"[ALREADYEXISTS] A mailbox of that name is there "
				"already; choose another name");
	case STORE_ABSENT:
		return reply_no(s, command,
				"[NONEXISTENT] There is no such mailbox; it may have "
				"been renamed or deleted");
	case STORE_OVER_QUOTA:
		return reply_no(s, command,
				"[OVERQUOTA] You have no room left; delete some mail, "
				"then try again");
	case STORE_DENIED:
		return reply_no(s, command,
				"[NOPERM] You may not do that; ask who runs this server "
				"if you should");
	case STORE_INVALID:
		return reply_no(s, command,
				"[LIMIT] That is more than can be done at once; try it "
				"with less");
	case STORE_DAMAGED:
		return reply_no(s, command,
				"[CORRUPTION] That is damaged on our disk; tell who runs "
				"this server");
	case STORE_FULL:
		return reply_no(s, command,
				"[UNAVAILABLE] Our disk is full; try again later, or "
				"tell who runs this server");
	case STORE_UNAVAILABLE:
		return reply_no(s, command,
				"[UNAVAILABLE] The mail store does not answer; try again "
				"in a minute");
	case STORE_UNKNOWN:
		return reply_no(s, command,
				"[UNAVAILABLE] The mail store did not answer in time; "
				"look whether it was done, and try again if not");
	}
	ASSERT(outcome != STORE_OK);
	return OK;
}

void session_condstore(struct session *s)
{
	if (!s->is_condstore && s->state == IMAP_SELECTED)
		buf_printf(&s->out, "* OK [HIGHESTMODSEQ %llu] The highest so far\r\n",
			   (unsigned long long)s->box.told);
	s->is_condstore = true;
}

bool session_is_utf8(const struct session *s)
{
	return s->is_rev2 || s->is_utf8;
}

struct store *session_store(const struct session *s)
{
	return s->service->login.store;
}

/* Passwords travel under TLS only; in dev also on loopback.  RFC 9051 §6.2.3. */
bool session_offers_login(const struct session *s)
{
	return conn_is_tls(s->conn) ||
	       (s->service->is_dev && conn_peer_is_loopback(s->conn));
}

bool session_offers_starttls(const struct session *s)
{
	return s->service->tls && !conn_is_tls(s->conn) &&
	       s->state == IMAP_NOT_AUTHENTICATED;
}

static command_handler *const handlers[IMAP_VERB_COUNT] = {
	[IMAP_CAPABILITY] = on_capability,
	[IMAP_NOOP] = on_noop,
	[IMAP_LOGOUT] = on_logout,
	[IMAP_ID] = on_id,
	[IMAP_STARTTLS] = on_starttls,
	[IMAP_AUTHENTICATE] = on_authenticate,
	[IMAP_LOGIN] = on_login,
	[IMAP_ENABLE] = on_enable,
	[IMAP_SELECT] = on_select,
	[IMAP_EXAMINE] = on_select,
	[IMAP_CREATE] = on_create,
	[IMAP_DELETE] = on_delete,
	[IMAP_RENAME] = on_rename,
	[IMAP_SUBSCRIBE] = on_subscribe,
	[IMAP_UNSUBSCRIBE] = on_subscribe,
	[IMAP_LIST] = on_list,
	[IMAP_LSUB] = on_lsub,
	[IMAP_NAMESPACE] = on_namespace,
	[IMAP_STATUS] = on_status,
	[IMAP_APPEND] = on_append,
	[IMAP_IDLE] = on_idle,
	[IMAP_CHECK] = on_noop,
	[IMAP_CLOSE] = on_close,
	[IMAP_UNSELECT] = on_unselect,
	[IMAP_EXPUNGE] = on_expunge,
	[IMAP_SEARCH] = on_search,
	[IMAP_SORT] = on_search,
	[IMAP_THREAD] = on_thread,
	[IMAP_CANCELUPDATE] = on_cancelupdate,
	[IMAP_ESEARCH] = on_esearch,
	[IMAP_FETCH] = on_fetch,
	[IMAP_STORE] = on_store,
	[IMAP_COPY] = on_copy,
	[IMAP_MOVE] = on_move,
	[IMAP_COMPRESS] = on_compress,
	[IMAP_REPLACE] = on_replace,
	[IMAP_GETQUOTA] = on_getquota,
	[IMAP_GETQUOTAROOT] = on_getquotaroot,
	[IMAP_SETQUOTA] = on_setquota,
	[IMAP_UNAUTHENTICATE] = on_unauthenticate,
	[IMAP_UIDBATCHES] = on_uidbatches,
	[IMAP_NOTIFY] = on_notify,
	[IMAP_GETACL] = on_getacl,
	[IMAP_SETACL] = on_setacl,
	[IMAP_DELETEACL] = on_deleteacl,
	[IMAP_LISTRIGHTS] = on_listrights,
	[IMAP_MYRIGHTS] = on_myrights,
	[IMAP_GETMETADATA] = on_getmetadata,
	[IMAP_SETMETADATA] = on_setmetadata,
};

static err_t run_command(struct session *s, struct str text)
{
	struct imap_dialect dialect = {
		.state = s->state, .is_utf8 = session_is_utf8(s), .is_rev2 = s->is_rev2};
	struct imap_command command;
	struct str reason;

	s->limited_uid = 0;
	if (imap_command_parse(text, dialect, &s->scratch, &command, &reason)) {
		if (!s->is_uid_only || command.is_uid ||
		    !imap_verb_has_numbers(command.verb))
			return handlers[command.verb](s, &command);
		reason = STR(UID_REQUIRED); /* RFC 9586 §3.2, §3.8 */
	}
	TRY(reply_bad(s, &command, "%.*s", STR_FMT(reason)));
	bool brings = command.verb == IMAP_APPEND || command.verb == IMAP_REPLACE;

	if (command.tag.len > 0 && brings && !s->is_done)
		return arriving_skip(s, text);
	return OK;
}

/* What cannot be taken: a synchronising literal is refused and the client goes on (RFC
 * 7888 §4); anything else is on its way already, and reading on would take it for
 * commands. */
static err_t refuse_too_long(struct session *s, struct str got,
			     const struct imap_frame *frame)
{
	struct imap_command command = {.tag = STR("")};
	struct cursor at = cur_over(str_first(got, IMAP_TAG_MAX));
	struct imap_in in = {.at = at};

	if (!frame->is_synchronising)
		return reply_bye(s, "[TOOBIG] The command is too long");
	if (!imap_tag(&in, &command.tag))
		command.tag = STR("");
	conn_take(s->conn, frame->len);
	return reply_bad(s, &command, "[TOOBIG] The literal is too long");
}

/* Waits for one command and runs it. */
static err_t next_command(struct session *s)
{
	bool is_known = s->state != IMAP_NOT_AUTHENTICATED;
	const struct imap_frame_limits *limits =
		is_known ? &imap_frame_after_login : &imap_frame_before_login;
	struct imap_frame frame = {0};
	struct str got, text;

	TRY(session_listen(s, false));
	if (s->is_done)
		return OK;
	TRY(conn_peek(s->conn, &got));
	for (;;) {
		switch (imap_frame_scan(&frame, got, limits)) {
		case IMAP_FRAME_MORE:
			TRY(conn_more(s->conn, limits->command_max + limits->line_max,
				      &got));
			continue;
		case IMAP_FRAME_GO:
			conn_add(s->conn, STR("+ Go ahead\r\n"));
			continue;
		case IMAP_FRAME_TOO_LONG:
			return refuse_too_long(s, got, &frame);
		case IMAP_FRAME_WHOLE:
		case IMAP_FRAME_MESSAGE:
			break;
		}
		break;
	}
	/* Leniency: empty lines between commands are passed over. */
	if (str_same(str_first(got, frame.len), STR("\r\n"))) {
		conn_take(s->conn, frame.len);
		return OK;
	}
	if (!arena_copy(&s->scratch, str_first(got, frame.len), &text))
		return reply_bye(s, "[LIMIT] The command is too long");
	conn_take(s->conn, frame.len);
	if (!is_known) /* the answer to a log-in may come late */
		conn_shrink(s->conn);
	err_t err = run_command(s, text);

	if (!is_known) /* it may have held a password */
		explicit_bzero((void *)(uintptr_t)text.ptr, text.len);
	return err;
}

static void greet(struct session *s)
{
	buf_add_c(&s->out, "* OK [CAPABILITY ");
	session_capabilities(s, &s->out);
	buf_printf(&s->out, "] %.*s is ready\r\n", STR_FMT(s->service->hostname));
	session_send(s);
}

static err_t converse(struct session *s)
{
	greet(s);
	while (!s->is_done) {
		unsigned wait_s = IMAP_WAIT_S;

		if (s->state == IMAP_NOT_AUTHENTICATED) {
			deadline_t now = loop_now();

			if (now >= s->login_until)
				return ERR_TIMEOUT;
			wait_s = (unsigned)((s->login_until - now) / 1000) + 1;
		}
		conn_deadline_s(s->conn, wait_s);
		TRY(next_command(s));
		/* An idle session keeps nothing; they are cheap to have again. */
		arena_fini(&s->scratch);
		arena_fini(&s->page);
		buf_release(&s->out);
		s->scratch.max = s->state == IMAP_NOT_AUTHENTICATED ? SCRATCH_BEFORE_LOGIN
								    : SCRATCH_MAX;
	}
	return OK;
}

/* Of the session only what belongs to the connection is left. */
void session_forget(struct session *s)
{
	selected_leave(s);
	events_free(&s->events);
	shares_end(s);
	if (s->login.account != 0) {
		store_watch_close(&s->watch);
		login_end(&s->service->login, &s->login);
	}
	s->login = (struct login){0};
	s->watch = (struct store_watch){0};
	s->state = IMAP_NOT_AUTHENTICATED;
	s->is_rev2 = s->is_utf8 = s->is_condstore = s->is_qresync = false;
	s->is_uid_only = false;
	s->login_until = deadline_s(IMAP_WAIT_LOGIN_S);
	arena_fini(&s->page);
	arena_fini(&s->arena);
}

static void session_end(struct session *s)
{
	session_forget(s);
	buf_fini(&s->out);
	arena_fini(&s->scratch);
}

void imap_session(struct conn *conn, const struct imap_service *service)
{
	struct session s = {
		.conn = conn,
		.service = service,
		.id = task_self() ? task_id(task_self()) : 0,
		.state = IMAP_NOT_AUTHENTICATED,
		.login_until = deadline_s(IMAP_WAIT_LOGIN_S),
		.out = BUF(IMAP_OUT_MAX),
	};

	arena_init(&s.arena, SESSION_ARENA_MAX);
	arena_init(&s.scratch, SCRATCH_BEFORE_LOGIN);
	arena_init(&s.page, IMAP_PAGE_MAX);
	task_describe(conn_peer(conn));
	err_t err = converse(&s);

	if (err == ERR_TIMEOUT)
		(void)reply_bye(
			&s, "You were silent for too long; connect again"); /* it ends
									       anyway */
	else if (err == ERR_CANCELED)
		(void)reply_bye(&s, "[UNAVAILABLE] The server is going down; connect "
				    "again in a minute");
	else if (err == ERR_LIMIT)
		(void)reply_bye(&s, "[TOOBIG] The command is too long");
	(void)conn_flush(conn); /* as far as it goes */
	LOG(DEBUG, "session ended", KV_INT("session", s.id), KV("why", err_text(err)));
	session_end(&s);
}
