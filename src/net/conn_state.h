/* What the files of conn share; nobody else includes it. */
#pragma once

#include <openssl/ssl.h>

#include "net/address.h"
#include "net/compression.h"
#include "net/conn.h"

enum { CONN_OUT_MAX = 64 * 1024, CONN_IN_FIRST = 4 * 1024, CONN_IN_BULK = 64 * 1024 };

/* Of a conn whose octets are compressed.  Each direction ends by itself. */
struct conn_packed {
	struct compression *compression;
	bool packs_out, packs_in;
	bool is_whole; /* what left of conn.out is in wire_out or beyond */
	struct buf wire_out;
	size_t wire_sent;
	struct buf wire_in;
	size_t wire_taken;
	bool may_hold_text;     /* compression_in() may have more without more input */
	size_t wire_idle_bytes; /* came since the last that was text */
};

struct conn {
	int fd;
	struct poll poll;
	deadline_t deadline;
	err_t broken; /* why output failed, for ever; OK before */

	SSL *ssl; /* NULL: plain text */
	struct tls_server *tls;
	bool is_ssl_dead; /* not even close_notify may be tried */
	struct buf early; /* octets for TLS that were read before it began */
	size_t early_taken;
	size_t tls_idle_bytes; /* came since the last that was text, not TLS's own talk */

	char *in; /* NULL while there is nothing in it and the peer is waited for */
	size_t in_start, in_end, in_room;
	size_t scanned;   /* octets after in_start that hold no line end */
	size_t peeked;    /* octets after in_start that the caller has seen */
	bool is_bulk;     /* the last read filled the buffer */
	bool is_skipping; /* a line too long, up to its end */

	struct buf out;
	size_t out_sent;

	struct conn_packed *packed; /* NULL: nothing is compressed */

	struct limits_seat *seat; /* NULL: it is not counted */
	bool is_loopback;
	char peer[ADDRESS_TEXT_BYTES], local[ADDRESS_TEXT_BYTES];
	char tls_text[64];
};

/* One attempt to move octets; never suspends. */
enum conn_io {
	CONN_IO_DONE,
	CONN_IO_WANT_READ, /* try again when the socket is readable */
	CONN_IO_WANT_WRITE,
	CONN_IO_END, /* the peer is gone */
};

/* Text, whatever the way it comes. */
enum conn_io conn_try_recv(struct conn *conn, char *to, size_t room, size_t *got);
/* Some of what conn_has_output(). */
enum conn_io conn_try_send(struct conn *conn);
bool conn_has_output(const struct conn *conn);
/* Octets as they travel, plain or through TLS. */
enum conn_io conn_wire_recv(struct conn *conn, char *to, size_t room, size_t *got);
enum conn_io conn_wire_send(struct conn *conn, struct str bytes, size_t *sent);
/* True if conn_try_recv() may find something. */
bool conn_may_recv(const struct conn *conn);
/* The same for what is compressed (conn_packed.c). */
enum conn_io conn_packed_recv(struct conn *conn, char *to, size_t room, size_t *got);
enum conn_io conn_packed_send(struct conn *conn);
bool conn_packed_has_output(const struct conn *conn);
bool conn_packed_may_recv(const struct conn *conn);
size_t conn_packed_drop_input(struct conn *conn);
void conn_packed_shrink(struct conn *conn);
void conn_packed_free(struct conn *conn);
/* May suspend until what was wanted may work. */
[[nodiscard]] err_t conn_await(struct conn *conn, enum conn_io wanted);
/* Says goodbye without waiting, and frees the TLS part. */
void conn_tls_end(struct conn *conn);
