/* The octets' way between a conn and its socket, plain or through OpenSSL.  OpenSSL reads
 * and writes by a BIO of ours, so that one rule decides for both when the socket is known
 * to be empty: a short read says so, and no further call is made to hear EAGAIN. */
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/num.h"
#include "net/conn_state.h"
#include "net/tls.h"
#include "net/tls_peer.h"

/* A handshake with a long chain of certificates, or a few changes of keys.  A peer that
 * sends more without a word of text only wants to keep us busy: OpenSSL would take all
 * its records in one call, at the price of new keys for each 27 octets. */
enum { TLS_IDLE_BYTES_MAX = 128 * 1024, HANDSHAKE_S = 30 };

/* What of TLS was read before it began. */
static ssize_t early_recv(struct conn *conn, char *to, size_t room)
{
	struct str rest = str_skip(buf_str(&conn->early), conn->early_taken);
	size_t got = num_min(room, rest.len);

	memcpy(to, rest.ptr, got);
	conn->early_taken += got;
	if (got == rest.len)
		buf_release(&conn->early);
	return (ssize_t)got;
}

static ssize_t raw_recv(struct conn *conn, char *to, size_t room)
{
	ssize_t got;

	if (conn->early.len > 0)
		return early_recv(conn, to, room);
	if (!conn->poll.is_readable) {
		errno = EAGAIN;
		return -1;
	}
	do
		got = recv(conn->fd, to, room, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	bool is_short = got > 0 && (size_t)got < room && !conn->poll.is_hung_up;

	if (is_short || (got < 0 && errno == EAGAIN))
		conn->poll.is_readable = false;
	return got;
}

static ssize_t raw_send(struct conn *conn, const char *from, size_t len)
{
	ssize_t sent;

	if (!conn->poll.is_writable) {
		errno = EAGAIN;
		return -1;
	}
	do
		sent = send(conn->fd, from, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if ((sent >= 0 && (size_t)sent < len) || (sent < 0 && errno == EAGAIN))
		conn->poll.is_writable = false;
	return sent;
}

static int bio_read(BIO *bio, char *to, int room)
{
	struct conn *conn = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (conn->tls_idle_bytes > TLS_IDLE_BYTES_MAX)
		return -1;
	ssize_t got = raw_recv(conn, to, (size_t)room);

	if (got > 0)
		conn->tls_idle_bytes += (size_t)got;
	if (got < 0 && errno == EAGAIN)
		BIO_set_retry_read(bio);
	return (int)got;
}

static int bio_write(BIO *bio, const char *from, int len)
{
	struct conn *conn = BIO_get_data(bio);
	ssize_t sent = raw_send(conn, from, (size_t)len);

	BIO_clear_retry_flags(bio);
	if (sent < 0 && errno == EAGAIN)
		BIO_set_retry_write(bio);
	return (int)sent;
}

static long bio_control(BIO *bio, int command, long number, void *ptr)
{
	(void)bio;
	(void)number;
	(void)ptr;
	return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO *bio_over(struct conn *conn)
{
	static BIO_METHOD *method;

	if (!method) {
		method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "conn");
		ASSERT(method && BIO_meth_set_read(method, bio_read) &&
		       BIO_meth_set_write(method, bio_write) &&
		       BIO_meth_set_ctrl(method, bio_control));
	}
	BIO *bio = BIO_new(method);

	ASSERT(bio);
	BIO_set_data(bio, conn);
	BIO_set_init(bio, 1);
	return bio;
}

/* What an OpenSSL call that did not succeed wants.  RFC 8446 §6.2: after a fatal alert
 * nothing more is sent. */
static enum conn_io ssl_outcome(struct conn *conn, int result)
{
	switch (SSL_get_error(conn->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return CONN_IO_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return CONN_IO_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return CONN_IO_END;
	default:
		conn->is_ssl_dead = true;
		return CONN_IO_END;
	}
}

bool conn_may_recv(const struct conn *conn)
{
	return conn->poll.is_readable || conn->early.len > 0 ||
	       (conn->ssl && SSL_has_pending(conn->ssl)) || conn_packed_may_recv(conn);
}

enum conn_io conn_wire_recv(struct conn *conn, char *to, size_t room, size_t *got)
{
	if (conn->is_ssl_dead)
		return CONN_IO_END;
	if (conn->ssl) {
		ERR_clear_error();
		int result = SSL_read_ex(conn->ssl, to, room, got);

		if (result == 1)
			conn->tls_idle_bytes = 0;
		return result == 1 ? CONN_IO_DONE : ssl_outcome(conn, result);
	}
	ssize_t count = raw_recv(conn, to, room);

	if (count < 0 && errno == EAGAIN)
		return CONN_IO_WANT_READ;
	if (count <= 0)
		return CONN_IO_END;
	*got = (size_t)count;
	return CONN_IO_DONE;
}

enum conn_io conn_try_recv(struct conn *conn, char *to, size_t room, size_t *got)
{
	return conn->packed ? conn_packed_recv(conn, to, room, got)
			    : conn_wire_recv(conn, to, room, got);
}

enum conn_io conn_wire_send(struct conn *conn, struct str bytes, size_t *sent)
{
	if (conn->is_ssl_dead)
		return CONN_IO_END;
	if (conn->ssl) {
		ERR_clear_error();
		int result = SSL_write_ex(conn->ssl, bytes.ptr, bytes.len, sent);

		return result == 1 ? CONN_IO_DONE : ssl_outcome(conn, result);
	}
	ssize_t count = raw_send(conn, bytes.ptr, bytes.len);

	if (count < 0)
		return errno == EAGAIN ? CONN_IO_WANT_WRITE : CONN_IO_END;
	*sent = (size_t)count;
	return CONN_IO_DONE;
}

bool conn_has_output(const struct conn *conn)
{
	return conn->out_sent < conn->out.len || conn_packed_has_output(conn);
}

enum conn_io conn_try_send(struct conn *conn)
{
	size_t sent = 0;

	if (conn->packed && conn->packed->packs_out)
		return conn_packed_send(conn);
	struct str rest = str_skip(buf_str(&conn->out), conn->out_sent);
	enum conn_io outcome = conn_wire_send(conn, rest, &sent);

	conn->out_sent += sent;
	return outcome;
}

err_t conn_await(struct conn *conn, enum conn_io wanted)
{
	switch (wanted) {
	case CONN_IO_DONE:
		return OK;
	case CONN_IO_WANT_READ:
		return poll_readable(&conn->poll, conn->deadline);
	case CONN_IO_WANT_WRITE:
		return poll_writable(&conn->poll, conn->deadline);
	case CONN_IO_END:
		break;
	}
	return ERR_CLOSED;
}

static err_t handshake(struct conn *conn)
{
	for (;;) {
		ERR_clear_error();
		int result = SSL_do_handshake(conn->ssl);

		if (result == 1)
			return OK;
		enum conn_io wanted = ssl_outcome(conn, result);

		if (conn->is_ssl_dead) {
			char reason[160] = "connection closed";
			unsigned long error = ERR_peek_error();

			if (error)
				ERR_error_string_n(error, reason, sizeof reason);
			LOG(INFO, "tls handshake failed", KV("peer", conn->peer),
			    KV("reason", reason));
		}
		TRY(conn_await(conn, wanted));
	}
}

/* Takes the SSL over, whichever side it plays. */
static err_t begin(struct conn *conn, SSL *ssl)
{
	BIO *bio = bio_over(conn);
	deadline_t usual = conn->deadline;

	conn->ssl = ssl;
	SSL_set_bio(ssl, bio, bio);
	conn->deadline = num_min(usual, deadline_s(HANDSHAKE_S));
	err_t err = handshake(conn);

	conn->deadline = usual;

	task_trim_stack(); /* a handshake goes deep, and sessions are long */
	if (err != OK) {
		conn->is_ssl_dead = true;
		conn->broken = err;
		return err;
	}
	(void)snprintf(conn->tls_text, sizeof conn->tls_text, "%s %s",
		       SSL_get_version(ssl), SSL_get_cipher_name(ssl));
	return OK;
}

static err_t before_tls(struct conn *conn)
{
	ASSERT(!conn->ssl);
	TRY(conn_flush(conn));
	(void)conn_drop_input(conn); /* RFC 3207 §4.2: it may be an attacker's */
	conn_shrink(conn);
	return OK;
}

err_t conn_starttls(struct conn *conn, struct tls_server *tls)
{
	TRY(before_tls(conn));
	conn->tls = tls_server_ref(tls);
	return begin(conn, tls_server_session(tls));
}

err_t conn_tls_first(struct conn *conn, struct tls_server *tls)
{
	struct str early;

	if (!conn_has_input(conn))
		return conn_starttls(conn, tls);
	TRY(conn_peek(conn, &early));
	conn->early = BUF(CONN_IN_BULK);
	buf_add(&conn->early, early);
	return buf_ok(&conn->early) ? conn_starttls(conn, tls) : ERR_LIMIT;
}

err_t conn_starttls_client(struct conn *conn, struct tls_client *tls, struct str host)
{
	TRY(before_tls(conn));
	SSL *ssl = tls_client_session(tls, host);

	return ssl ? begin(conn, ssl) : ERR_SYNTAX;
}

/* The log tells whom we really spoke to from whom we believed without looking. */
static void note_check(struct conn *conn, enum tls_check check)
{
	static const char *const words[] = {
		[TLS_CHECK_NOTHING] = "",
		[TLS_CHECK_NAME] = ", verified by name",
		[TLS_CHECK_DANE] = ", verified by DANE",
	};
	size_t len = strlen(conn->tls_text);

	(void)snprintf(conn->tls_text + len, sizeof conn->tls_text - len, "%s",
		       words[check]);
}

err_t conn_starttls_peer(struct conn *conn, struct tls_client *tls,
			 const struct tls_peer *peer, struct tls_outcome *outcome)
{
	TRY(before_tls(conn));
	SSL *ssl = tls_client_peer(tls, peer);

	if (!ssl)
		return ERR_SYNTAX;
	err_t err = begin(conn, ssl);

	tls_peer_look(ssl, peer, err, outcome);
	if (err == OK && outcome->flaw == TLS_FLAW_NONE)
		note_check(conn, peer->check);
	return err;
}

void conn_tls_end(struct conn *conn)
{
	if (!conn->ssl)
		return;
	if (!conn->is_ssl_dead && conn->broken == OK && SSL_is_init_finished(conn->ssl)) {
		ERR_clear_error();
		(void)SSL_shutdown(conn->ssl); /* close_notify, if it goes at once */
	}
	SSL_free(conn->ssl);
	conn->ssl = NULL;
	tls_server_unref(&conn->tls);
}
