#include "net/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "net/conn_state.h"
#include "net/limits.h"

enum { DEADLINE_USUAL_S = 300, OUT_FIRST = 512, PRINTF_BYTES = 512 };

struct conn *conn_new(int fd, struct str peer)
{
	struct conn *conn = NEW(struct conn);
	struct address address;
	int on = 1;

	conn->out = BUF(CONN_OUT_MAX);
	conn->fd = fd;
	conn->broken = poll_open(&conn->poll, fd);
	conn->deadline = deadline_s(DEADLINE_USUAL_S);
	peer = str_first(peer, sizeof conn->peer - 1);
	if (peer.len > 0)
		memcpy(conn->peer, peer.ptr, peer.len);
	if (address_of_local(fd, &address))
		(void)address_text(&address, conn->local);
	conn->is_loopback = str_starts(peer, STR("127.")) || str_same(peer, STR("::1")) ||
			    address.socket.ss_family == AF_UNIX;
	/* Replies leave as they are made; fails on Unix sockets, which have no such
	 * delay. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return conn;
}

/* Octets that were not read when a socket is closed make the kernel reset it, and a reset
 * may overtake our last words. */
static void drain(struct conn *conn)
{
	char unwanted[4096];

	for (int i = 0; i < 16 && conn->poll.is_readable; i++) {
		ssize_t got = recv(conn->fd, unwanted, sizeof unwanted, MSG_DONTWAIT);

		if (got <= 0)
			break;
	}
}

void conn_acknowledge(struct conn *conn)
{
	const int on = 1;

	/* It may fail: then it is only slower. */
	(void)setsockopt(conn->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

void conn_free(struct conn **conn_ptr)
{
	struct conn *conn = *conn_ptr;

	if (!conn)
		return;
	*conn_ptr = NULL;
	if (conn->broken == OK && conn_has_output(conn))
		(void)conn_try_send(conn); /* what leaves at once, leaves */
	conn_tls_end(conn);
	drain(conn);
	poll_close(&conn->poll);
	(void)close(conn->fd); /* nothing more can be learnt from it */
	conn_packed_free(conn);
	mem_free(conn->in);
	buf_fini(&conn->out);
	buf_fini(&conn->early);
	mem_free(conn);
}

struct str conn_peer(const struct conn *conn)
{
	return str_c(conn->peer);
}

void conn_set_peer(struct conn *conn, const struct address *peer)
{
	(void)address_text(peer, conn->peer);
	conn->is_loopback = false;
}

void conn_set_seat(struct conn *conn, struct limits_seat *seat)
{
	conn->seat = seat;
}

void conn_known(struct conn *conn, bool is_known)
{
	if (conn->seat)
		limits_known(conn->seat, is_known);
}

struct str conn_local(const struct conn *conn)
{
	return str_c(conn->local);
}

bool conn_peer_is_loopback(const struct conn *conn)
{
	return conn->is_loopback;
}

bool conn_is_tls(const struct conn *conn)
{
	return conn->ssl != NULL;
}

struct str conn_tls_text(const struct conn *conn)
{
	return str_c(conn->tls_text);
}

void conn_deadline_s(struct conn *conn, unsigned seconds)
{
	conn->deadline = deadline_s(seconds);
}

void conn_shrink(struct conn *conn)
{
	if (conn->in_start == conn->in_end) {
		mem_free(conn->in);
		conn->in = NULL;
		conn->in_start = conn->in_end = conn->in_room = conn->scanned = 0;
	}
	if (conn->out.len == 0)
		buf_release(&conn->out);
	conn_packed_shrink(conn);
}

err_t conn_flush(struct conn *conn)
{
	while (conn->broken == OK && conn_has_output(conn))
		conn->broken = conn_await(conn, conn_try_send(conn));
	buf_reset(&conn->out);
	conn->out_sent = 0;
	return conn->broken;
}

bool conn_is_broken(const struct conn *conn)
{
	return conn->broken != OK;
}

/* What fills the buffer by itself leaves without being copied there.  Some of it may:
 * returns the rest. */
static struct str send_long(struct conn *conn, struct str text)
{
	size_t sent = 0;

	if (conn_flush(conn) == OK)
		conn->broken = conn_await(conn, conn_wire_send(conn, text, &sent));
	return str_skip(text, sent);
}

void conn_add(struct conn *conn, struct str text)
{
	bool may_leave = !conn->packed || !conn->packed->packs_out;

	while (text.len > 0 && conn->broken == OK) {
		if (text.len >= CONN_OUT_MAX && may_leave) {
			text = send_long(conn, text);
			continue;
		}
		if (conn->out.room == 0)
			(void)buf_room(&conn->out,
				       OUT_FIRST); /* one allocation a reply */
		struct str part = str_first(text, CONN_OUT_MAX - conn->out.len);

		buf_add(&conn->out, part);
		text = str_skip(text, part.len);
		if (conn->out.len == CONN_OUT_MAX)
			(void)conn_flush(conn); /* a failure latches */
	}
}

void conn_printf(struct conn *conn, const char *format, ...)
{
	char small[PRINTF_BYTES];
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(small, sizeof small, format, args);

	ASSERT(len >= 0);
	if ((size_t)len < sizeof small) {
		conn_add(conn, (struct str){small, (size_t)len});
	} else {
		struct buf big = BUF((size_t)len + 1);

		buf_vprintf(&big, format, again);
		conn_add(conn, buf_str(&big));
		buf_fini(&big);
	}
	va_end(again);
	va_end(args);
}

/* Room behind what is there: the callers bound how much that may be. */
static void make_room(struct conn *conn)
{
	size_t have = conn->in_end - conn->in_start;
	size_t want = conn->is_bulk ? CONN_IN_BULK : CONN_IN_FIRST;

	bool is_cramped = conn->in_room - conn->in_end < conn->in_room / 2;

	if (have == 0 || is_cramped) {
		if (have > 0 && conn->in_start > 0)
			memmove(conn->in, conn->in + conn->in_start, have);
		conn->in_start = 0;
		conn->in_end = have;
	}
	if (conn->in_end == conn->in_room)
		want = num_max(want, conn->in_room * 2);
	if (want > conn->in_room) {
		conn->in = mem_grown(conn->in, want, 1);
		conn->in_room = want;
	}
}

/* One attempt to read; at the peer's end, what we still have to say leaves. */
static enum conn_io try_fill(struct conn *conn)
{
	size_t got = 0;

	make_room(conn);
	size_t room = conn->in_room - conn->in_end;
	enum conn_io outcome = conn_try_recv(conn, conn->in + conn->in_end, room, &got);

	conn->in_end += got;
	if (got > 0)
		conn->is_bulk = got == room;
	if (outcome == CONN_IO_END)
		(void)conn_flush(conn); /* the end is the answer */
	return outcome;
}

/* May suspend until at least one octet more is there. */
static err_t fill(struct conn *conn)
{
	for (;;) {
		enum conn_io outcome = CONN_IO_WANT_READ;

		if (conn->broken != OK)
			return conn->broken;
		if (loop_now() >= conn->deadline) {
			(void)conn_flush(conn); /* only what leaves without waiting */
			return ERR_TIMEOUT;
		}
		if (conn->poll.is_readable) /* lets others run now and then */
			TRY(poll_readable(&conn->poll, conn->deadline));
		if (conn_may_recv(conn))
			outcome = try_fill(conn);
		if (outcome == CONN_IO_DONE)
			return OK;
		if (outcome == CONN_IO_END)
			return ERR_CLOSED;
		TRY(conn_flush(conn));
		conn_shrink(conn);
		TRY(conn_await(conn, outcome));
	}
}

static struct str input_of(const struct conn *conn)
{
	return str_skip((struct str){conn->in, conn->in_end}, conn->in_start);
}

void conn_take(struct conn *conn, size_t n)
{
	ASSERT(n <= conn->in_end - conn->in_start);
	conn->in_start += n;
	conn->scanned = 0;
	conn->peeked -= num_min(n, conn->peeked);
}

/* Looks for a line end in what is there; false if there is none.  *line gets the line
 * without it, *whole its length with it. */
static bool line_find(struct conn *conn, bool is_strict, struct str *line, size_t *whole)
{
	struct str input = input_of(conn);

	while (conn->scanned < input.len) {
		struct str rest = str_skip(input, conn->scanned);
		size_t at = conn->scanned + str_find_byte(rest, '\n');

		if (at == input.len) {
			conn->scanned = input.len;
			break;
		}
		bool has_cr = at > 0 && input.ptr[at - 1] == '\r';

		if (has_cr || !is_strict) {
			*line = str_first(input, has_cr ? at - 1 : at);
			*whole = at + 1;
			return true;
		}
		conn->scanned = at + 1; /* a bare LF is content */
	}
	return false;
}

/* Forgets a part of a line that is too long, but for a CR that may belong to its end. */
static void line_skip(struct conn *conn)
{
	struct str input = input_of(conn);
	bool keeps_cr = str_ends(input, STR("\r"));

	conn->is_skipping = true;
	conn_take(conn, input.len - keeps_cr);
}

err_t conn_line(struct conn *conn, size_t max, bool is_strict, struct str *line)
{
	size_t whole = 0;

	ASSERT(max < SIZE_MAX / 4);
	*line = STR("");
	conn->peeked = 0;
	while (!line_find(conn, is_strict, line, &whole)) {
		if (conn->is_skipping || conn->in_end - conn->in_start > max + 1)
			line_skip(conn);
		TRY(fill(conn));
	}
	conn_take(conn, whole);
	bool is_too_long = conn->is_skipping || line->len > max;

	conn->is_skipping = false;
	if (is_too_long)
		*line = STR("");
	return is_too_long ? ERR_LIMIT : OK;
}

err_t conn_peek(struct conn *conn, struct str *input)
{
	*input = STR("");
	if (conn->in_start == conn->in_end)
		TRY(fill(conn));
	*input = input_of(conn);
	conn->peeked = input->len;
	return OK;
}

err_t conn_more(struct conn *conn, size_t max, struct str *input)
{
	*input = input_of(conn);
	if (conn->in_end - conn->in_start <= conn->peeked) {
		if (input->len >= max)
			return ERR_LIMIT;
		TRY(fill(conn));
	}
	*input = input_of(conn);
	conn->peeked = input->len;
	return OK;
}

/* Of what is compressed nobody knows before whether it is text. */
bool conn_has_input(const struct conn *conn)
{
	return conn->in_start < conn->in_end ||
	       (conn->ssl && !conn->packed && SSL_pending(conn->ssl) > 0);
}

size_t conn_drop_input(struct conn *conn)
{
	size_t dropped = conn->in_end - conn->in_start;

	conn_take(conn, dropped);
	conn->is_skipping = false;
	return dropped + conn_packed_drop_input(conn);
}

err_t conn_wait(struct conn *conn, struct waiters *wake, deadline_t until)
{
	bool may_flush_wait = wake && conn_has_output(conn);

	if (until != NEVER)
		conn->deadline = num_max(conn->deadline, until); /* for the flush */

	while (!conn_has_input(conn)) {
		enum conn_io outcome = CONN_IO_WANT_READ;

		TRY(conn_flush(conn));
		if (conn_may_recv(conn))
			outcome = try_fill(conn);
		if (outcome == CONN_IO_DONE)
			return OK;
		if (outcome != CONN_IO_WANT_READ)
			return ERR_CLOSED;
		/* News may have come while output waited for a slow reader. */
		if (may_flush_wait)
			return OK;
		conn_shrink(conn);
		TRY(wait_on_either(&conn->poll.readers, wake, until));
		if (!conn->poll.is_readable)
			return OK;
	}
	return OK;
}
