/* IDLE, and what is told between commands after NOTIFY.  RFC 9051 §6.3.13, RFC 2177,
 * RFC 5465. */
#include "imap/events.h"

enum {
	LOOK_S = 30, /* we look so often, even if nobody wakes us */
	/* Translators of addresses forget silent connections; a word now and then keeps
	 * them, and tells us of clients that are gone. */
	KEEP_MS = 2 * 60 * 1000,
	LINE_MAX_BYTES = 1024,
};

static err_t tell(struct session *s, bool is_idle)
{
	unsigned events = 0;

	s->rings = s->watch.rings;
	if (s->state == IMAP_SELECTED)
		events = events_selected(s, is_idle ? MOMENT_IDLE : MOMENT_REST);
	if (events)
		TRY(selected_tell(s, events));
	return s->is_done ? OK : events_tell(s);
}

/* The next word to keep the connection: at the same moment for all sessions of an
 * account, so that a telephone that has several wakes up once, and not too soon. */
static deadline_t next_word(const struct session *s)
{
	uint64_t shift = (uint64_t)s->login.account * 7919 % KEEP_MS;
	deadline_t now = loop_now();
	deadline_t next = (now + shift) / KEEP_MS * KEEP_MS + KEEP_MS - shift;

	return next - now < KEEP_MS / 2 ? next + KEEP_MS : next;
}

/* Who waits keeps nothing; it is cheap to have again. */
static void release(struct session *s)
{
	arena_fini(&s->page);
	buf_release(&s->out);
}

err_t session_listen(struct session *s, bool is_idle)
{
	deadline_t until = deadline_s(IMAP_WAIT_S), word = next_word(s);
	bool is_due = is_idle;

	if (!is_idle && !events_at_rest(s))
		return OK;
	while (!s->is_done && (is_idle || events_at_rest(s))) {
		deadline_t look = deadline_s(LOOK_S);

		if (is_due || s->rings != s->watch.rings)
			TRY(tell(s, is_idle));
		if (s->is_done || conn_has_input(s->conn))
			break;
		if (loop_now() >= word) {
			conn_deadline_s(s->conn, IMAP_WAIT_OUTPUT_S);
			conn_add(s->conn, STR("* OK Still here\r\n"));
			word = next_word(s);
		}
		TRY(conn_flush(s->conn));
		if (s->rings != s->watch.rings)
			continue; /* it happened while we were telling */
		release(s);
		err_t err = conn_wait(s->conn, &s->watch.changed,
				      num_min(look, num_min(word, until)));

		if (err != OK && (err != ERR_TIMEOUT || loop_now() >= until))
			return err;
		is_due = err == ERR_TIMEOUT;
	}
	conn_deadline_s(s->conn, IMAP_WAIT_S); /* for the rest of what has begun */
	return OK;
}

err_t on_idle(struct session *s, const struct imap_command *command)
{
	struct str line;

	conn_add(s->conn, STR("+ idling\r\n"));
	TRY(session_listen(s, true));
	if (s->is_done)
		return OK;
	conn_deadline_s(s->conn, IMAP_WAIT_LOGIN_S); /* for the rest of the line */
	err_t err = conn_line(s->conn, LINE_MAX_BYTES, false, &line);

	if (err != OK && err != ERR_LIMIT)
		return err;
	if (err == ERR_LIMIT || !str_same_nocase(str_trim(line), STR("DONE")))
		return reply_bad(s, command, "only DONE ends IDLE");
	return reply_ok(s, command, "IDLE ended");
}
