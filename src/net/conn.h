/* A connection whose calls read as if they blocked: they suspend the running task.
 *
 * Each fails at the deadline last set with ERR_TIMEOUT, at once with ERR_CANCELED if the
 * task is canceled, and with ERR_CLOSED if the peer is gone.  Output is buffered: it
 * leaves in one write when the session next waits for input, at conn_flush(), or when
 * 64 KiB have gathered.  Plain text or TLS makes no difference after conn_starttls().
 */
#pragma once

#include "base/buf.h"
#include "rt/task.h"

struct address;
struct conn;
struct limits_seat;
struct tls_server;

/* Takes a connected, non-blocking socket; it is closed with the conn.  peer is copied
 * ("192.0.2.1" or "2001:db8::1"). */
struct conn *conn_new(int fd, struct str peer);
/* Closes (TLS: sends close_notify without waiting) and frees. */
void conn_free(struct conn **conn);

struct str conn_peer(const struct conn *conn);  /* the address as text */
struct str conn_local(const struct conn *conn); /* our address as text */
bool conn_peer_is_loopback(const struct conn *conn);
/* The peer a proxy speaks for (net/proxied.h); it is never on loopback. */
void conn_set_peer(struct conn *conn, const struct address *peer);
/* Where it is counted; outlives the conn. */
void conn_set_seat(struct conn *conn, struct limits_seat *seat);
/* Its peer has logged in, or is a stranger again (limits_known()). */
void conn_known(struct conn *conn, bool is_known);
bool conn_is_tls(const struct conn *conn);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384", or "" without TLS; ", verified by DANE" or "... by
 * name" follows where that was asked for and is so; good while the conn lives. */
struct str conn_tls_text(const struct conn *conn);

/* Appends what a log-in is bound to (RFC 5056): tls-exporter of RFC 9266, or
 * tls-server-end-point of RFC 5929 §4.  False if the channel has no such thing. */
[[nodiscard]] bool conn_tls_exporter(const struct conn *conn, struct buf *out);
[[nodiscard]] bool conn_tls_end_point(const struct conn *conn, struct buf *out);

/* The deadline of every later call, from now. */
void conn_deadline_s(struct conn *conn, unsigned seconds);

/* May suspend.  The next line without its line end, at most max octets; ERR_LIMIT if
 * longer (it is skipped to its end).  The slice is good until the next read.  Only CRLF
 * ends a line if is_strict, else LF does too. */
[[nodiscard]] err_t conn_line(struct conn *conn, size_t max, bool is_strict,
			      struct str *line);
/* May suspend until at least one octet is there: what has been read so far and not yet
 * taken.  Good until the next read.  Take some with conn_take(). */
[[nodiscard]] err_t conn_peek(struct conn *conn, struct str *input);
void conn_take(struct conn *conn, size_t n);
/* May suspend until more octets than the *input of the last conn_peek() are there; at
 * most max in all, else ERR_LIMIT. */
[[nodiscard]] err_t conn_more(struct conn *conn, size_t max, struct str *input);
/* True if input is already here, so that replies may be batched (pipelining). */
bool conn_has_input(const struct conn *conn);
/* May suspend.  OK when there is input, ERR_TIMEOUT at the deadline, or ERR_CANCELED;
 * with wake, also OK when somebody wakes those waiters (IDLE), or may have done so while
 * output, which is flushed first, was waiting to leave: look, and wait again. */
[[nodiscard]] err_t conn_wait(struct conn *conn, struct waiters *wake, deadline_t until);
/* What has come is acknowledged at once, not after 40 ms: for a peer that may be holding
 * back the end of what it sends until then (Nagle).  Good until the next input. */
void conn_acknowledge(struct conn *conn);
/* Gives buffers back that nothing is in, as every wait does: for who will be busy with
 * other things for a while. */
void conn_shrink(struct conn *conn);
/* Forgets input that is here but was not taken (RFC 3207 §4.2); returns how much. */
size_t conn_drop_input(struct conn *conn);

/* Gathers output.  conn_add() may suspend when 64 KiB are waiting to leave; a failure
 * latches and comes back from conn_flush() and every later read. */
void conn_add(struct conn *conn, struct str text);
void conn_printf(struct conn *conn, const char *format, ...) PRINTF_LIKE(2, 3);
[[nodiscard]] err_t conn_flush(struct conn *conn);
/* True once output has failed; a long producer should stop. */
bool conn_is_broken(const struct conn *conn);

/* May suspend, for at most 30 s.  The server side of a TLS handshake; input read before
 * is dropped.  After a failure the conn is broken. */
[[nodiscard]] err_t conn_starttls(struct conn *conn, struct tls_server *tls);
/* The same where TLS comes first (RFC 8314): input that came behind a proxy's header is
 * the beginning of it. */
[[nodiscard]] err_t conn_tls_first(struct conn *conn, struct tls_server *tls);

/* May suspend.  From here on both sides compress what they say (RFC 4978); nothing may
 * have come that was not taken.  ERR_SYNTAX if the peer still is where it was compressed
 * before.  Memory: net/compression.h. */
[[nodiscard]] err_t conn_compress(struct conn *conn);
bool conn_is_compressed(const struct conn *conn);
/* May suspend.  What was said so far is the last that is compressed; the peer ends with
 * the line that was taken last (RFC 8437 §4.1). */
[[nodiscard]] err_t conn_uncompress(struct conn *conn);
