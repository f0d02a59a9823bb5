#include "net/tls.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "base/rand.h"
#include "base/test.h"
#include "net/conn.h"
#include "net/conn_state.h"
#include "rt/clock.h"

/* A key that signs as vault would, and its self-signed certificate. */
struct identity {
	EVP_PKEY *key;
	X509 *certificate;
	struct buf pem;
	int sign_count;
	bool refuses;
};

static struct identity identity_new(EVP_PKEY *key, const char *host)
{
	struct identity made = {.key = key, .certificate = X509_new(), .pem = BUF(8192)};
	X509_NAME *name = X509_get_subject_name(made.certificate);
	const unsigned char *text = (const unsigned char *)host;
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;

	CHECK(key && X509_set_version(made.certificate, 2));
	CHECK(ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), 1));
	CHECK(X509_gmtime_adj(X509_getm_notBefore(made.certificate), -3600));
	CHECK(X509_gmtime_adj(X509_getm_notAfter(made.certificate), 3600));
	CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0));
	CHECK(X509_set_issuer_name(made.certificate, name));
	CHECK(X509_set_pubkey(made.certificate, key));
	CHECK(X509_sign(made.certificate, key, EVP_sha256()));
	CHECK(PEM_write_bio_X509(bio, made.certificate));
	long len = BIO_get_mem_data(bio, &bytes);

	buf_add(&made.pem, (struct str){bytes, (size_t)len});
	BIO_free(bio);
	return made;
}

static void identity_drop(struct identity *identity)
{
	EVP_PKEY_free(identity->key);
	X509_free(identity->certificate);
	buf_fini(&identity->pem);
}

static bool sign(void *arg, struct str key_id, enum sign_kind kind, struct str input,
		 struct buf *signature)
{
	struct identity *identity = arg;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(identity->key, NULL);
	const unsigned char *from = (const unsigned char *)input.ptr;
	unsigned char bytes[1024];
	size_t len = sizeof bytes;

	CHECK_STR(key_id, STR("tls/mx"));
	identity->sign_count++;
	bool is_signed = !identity->refuses && EVP_PKEY_sign_init(context) == 1 &&
			 (kind == SIGN_ECDSA ||
			  EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1) &&
			 EVP_PKEY_sign(context, bytes, &len, from, input.len) == 1;

	EVP_PKEY_CTX_free(context);
	buf_add(signature, (struct str){(char *)bytes, is_signed ? len : 0});
	return is_signed;
}

static struct tls_server *server;
static struct tls_client *client;
static struct conn *here, *there;
static const char *host;
static err_t client_want;

static void client_side(void *arg)
{
	SCOPED(buf_fini) struct buf much = BUF(1 << 20);
	struct str line;

	(void)arg;
	conn_add(there, STR("STARTTLS\r\n"));
	CHECK(conn_line(there, 100, true, &line) == OK);
	CHECK_STR(line, STR("220 go ahead"));
	err_t err = conn_starttls_client(there, client, str_c(host));

	CHECK(err == client_want);
	if (err == OK) {
		CHECK(conn_is_tls(there) && conn_tls_text(there).len > 0);
		for (int i = 0; i < 10000; i++)
			conn_printf(there, "line number %d of many\r\n", i);
		for (int i = 10000; i < 20000; i++)
			buf_printf(&much, "line number %d of many\r\n", i);
		conn_add(there, buf_str(&much));
		CHECK(conn_flush(there) == OK);
		CHECK(conn_line(there, 100, true, &line) == OK);
		CHECK_STR(line, STR("250 all of them"));
	}
	conn_free(&there);
}

/* Both ends see the same channel, and the certificate that is the server's end. */
static void check_bindings(void)
{
	SCOPED(buf_fini) struct buf mine = BUF(100), theirs = BUF(100);

	CHECK(conn_tls_exporter(here, &mine) && mine.len == 32);
	CHECK(conn_tls_exporter(there, &theirs));
	CHECK_STR(buf_str(&mine), buf_str(&theirs));
	buf_reset(&mine);
	CHECK(conn_tls_end_point(here, &mine) && mine.len == 32);
	CHECK(!str_same(buf_str(&mine), buf_str(&theirs)));
}

static void server_side(void *arg)
{
	struct str line;
	int count = 0;

	(void)arg;
	CHECK(task_start("client", client_side, NULL));
	CHECK(conn_line(here, 100, true, &line) == OK);
	conn_add(here, STR("220 go ahead\r\n"));
	err_t err = conn_starttls(here, server);

	CHECK((err == OK) == (client_want == OK));
	CHECK(conn_is_broken(here) == (err != OK));
	while (err == OK && count < 20000) {
		err = conn_line(here, 100, true, &line);
		count += err == OK;
	}
	CHECK(err != OK || str_same(line, STR("line number 19999 of many")));
	CHECK(!conn_has_input(here));
	if (err == OK)
		check_bindings();
	conn_add(here, STR("250 all of them\r\n"));
	CHECK(conn_line(here, 100, true, &line) != OK); /* the client has left */
	CHECK(task_sleep_ms(1) == OK);                  /* or hears why not */
	loop_stop();
}

static void run_handshake(const char *to_host, err_t want)
{
	int fds[2];

	host = to_host;
	client_want = want;
	clock_test_start(0);
	loop_init();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) ==
	      0);
	here = conn_new(fds[0], STR(""));
	there = conn_new(fds[1], STR(""));
	CHECK(task_start("server", server_side, NULL));
	loop_run();
	conn_free(&here);
	loop_fini();
	clock_test_stop();
}

static void check_identity(struct identity *identity)
{
	server = tls_server_new(buf_str(&identity->pem), STR("tls/mx"), sign, identity);
	client = tls_client_new(TLS_VERIFY_NAME, buf_str(&identity->pem));
	CHECK(server && client);
	run_handshake("mx.example.org", OK);
	CHECK(identity->sign_count == 1);
	run_handshake("mx.example.net", ERR_CLOSED); /* not its name */
	tls_client_free(&client);
	client = tls_client_new(TLS_VERIFY_NOTHING, STR(""));
	run_handshake("mx.example.net", OK);
	identity->refuses = true;
	run_handshake("mx.example.org", ERR_CLOSED);
	tls_client_free(&client);
	tls_server_free(&server);
	identity_drop(identity);
}

TEST(tls_works_with_an_ecdsa_key_elsewhere)
{
	struct identity identity = identity_new(EVP_EC_gen("P-256"), "mx.example.org");

	check_identity(&identity);
	identity = identity_new(EVP_EC_gen("P-384"), "mx.example.org");
	check_identity(&identity);
}

TEST(tls_works_with_an_rsa_key_elsewhere)
{
	struct identity identity = identity_new(EVP_RSA_gen(2048), "mx.example.org");

	check_identity(&identity);
}

static int key_updates;

static void changes_keys(void *arg)
{
	(void)arg;
	CHECK(conn_starttls_client(there, client, STR("mx.example.org")) == OK);
	for (int i = 0; i < key_updates; i++) {
		int result = SSL_key_update(there->ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
		err_t err = result == 1 ? OK : ERR_CLOSED;

		while (err == OK && (result = SSL_do_handshake(there->ssl)) != 1)
			err = SSL_get_error(there->ssl, result) == SSL_ERROR_WANT_WRITE
				      ? conn_await(there, CONN_IO_WANT_WRITE)
				      : ERR_CLOSED;
		if (err != OK)
			break;
	}
	conn_add(there, STR("NOOP\r\n"));
	(void)conn_flush(there); /* to whoever still listens */
	CHECK(task_sleep_ms(10) == OK);
	conn_free(&there);
}

static void hears_noop(void *arg)
{
	struct str line;

	CHECK(task_start("client", changes_keys, NULL));
	CHECK(conn_starttls(here, server) == OK);
	*(err_t *)arg = conn_line(here, 100, true, &line);
	conn_free(&here);
	CHECK(task_sleep_ms(100) == OK);
	loop_stop();
}

/* What the server's side, which frees its conn, makes of the connection. */
static err_t hear_in(void (*server_task)(void *))
{
	err_t err = OK;
	int fds[2];

	clock_test_start(0);
	loop_init();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) ==
	      0);
	here = conn_new(fds[0], STR(""));
	there = conn_new(fds[1], STR(""));
	CHECK(task_start("server", server_task, &err));
	loop_run();
	loop_fini();
	clock_test_stop();
	return err;
}

TEST(a_flood_of_key_updates_keeps_nobody_busy_for_long)
{
	struct identity identity = identity_new(EVP_EC_gen("P-256"), "mx.example.org");

	server = tls_server_new(buf_str(&identity.pem), STR("tls/mx"), sign, &identity);
	client = tls_client_new(TLS_VERIFY_NOTHING, STR(""));
	key_updates = 50;
	CHECK(hear_in(hears_noop) == OK);
	key_updates = 20000;
	CHECK(hear_in(hears_noop) == ERR_CLOSED);
	tls_client_free(&client);
	tls_server_free(&server);
	identity_drop(&identity);
}

TEST(a_bad_certificate_makes_no_server)
{
	EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct identity identity = identity_new(EVP_EC_gen("P-256"), "a");

	CHECK(X509_set_pubkey(identity.certificate, ed25519));
	CHECK(!tls_server_new(STR(""), STR("tls/mx"), sign, NULL));
	CHECK(!tls_server_new(STR("-----BEGIN"), STR("tls/mx"), sign, NULL));
	CHECK(!tls_client_new(TLS_VERIFY_NAME, STR("no roots")));
	EVP_PKEY_free(ed25519);
	identity_drop(&identity);
}

/* The rest needs no conn: both sides in memory. */
static SSL *shake_hands(SSL_CTX *context, SSL_SESSION *session, const char *name,
			int version)
{
	SSL *ours = tls_server_session(server), *theirs = SSL_new(context);
	BIO *one, *other;
	char byte;

	CHECK(BIO_new_bio_pair(&one, 0, &other, 0) == 1);
	SSL_set_bio(ours, one, one);
	SSL_set_bio(theirs, other, other);
	SSL_set_connect_state(theirs);
	CHECK(SSL_set_max_proto_version(theirs, version) == 1);
	CHECK(SSL_ctrl(theirs, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
		       (void *)(uintptr_t)name) == 1);
	CHECK(SSL_set_alpn_protos(theirs, (const unsigned char *)"\4smtp\4imap", 10) ==
	      0);
	if (session)
		CHECK(SSL_set_session(theirs, session) == 1);
	for (int i = 0; i < 10; i++) {
		(void)SSL_do_handshake(theirs); /* ends when both have all */
		(void)SSL_do_handshake(ours);   /* the same */
	}
	CHECK(SSL_is_init_finished(ours) && SSL_is_init_finished(theirs));
	CHECK(SSL_read(theirs, &byte, 1) == -1); /* takes the tickets */
	CHECK(SSL_session_reused(ours) == SSL_session_reused(theirs));
	(void)SSL_shutdown(theirs); /* or the session is not resumable */
	SSL_free(ours);
	return theirs;
}

static SSL_SESSION *last_session;

static bool is_resumed(SSL_CTX *context, int version)
{
	SSL *ssl = shake_hands(context, last_session, "mx.example.org", version);
	bool is_reused = SSL_session_reused(ssl);

	SSL_SESSION_free(last_session);
	last_session = SSL_get1_session(ssl);
	SSL_free(ssl);
	return is_reused;
}

static void check_resumption(int version)
{
	char keys[3][TLS_TICKET_KEY_BYTES];
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	rand_bytes(keys, sizeof keys);
	CHECK(!is_resumed(context, version) && !is_resumed(context, version));
	struct str first = {keys[0], TLS_TICKET_KEY_BYTES};
	struct str second = {keys[1], TLS_TICKET_KEY_BYTES};
	struct str third = {keys[2], TLS_TICKET_KEY_BYTES};

	tls_server_ticket_keys(server, first, STR(""));
	CHECK(!is_resumed(context, version) && is_resumed(context, version));
	tls_server_ticket_keys(server, second, first);
	CHECK(is_resumed(context, version) && is_resumed(context, version));
	tls_server_ticket_keys(server, third, first); /* the second is forgotten */
	CHECK(!is_resumed(context, version));
	SSL_SESSION_free(last_session);
	last_session = NULL;
	SSL_CTX_free(context);
}

TEST(sessions_resume_while_their_ticket_key_is_known)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	for (size_t i = 0; i < COUNT_OF(versions); i++) {
		struct identity identity =
			identity_new(EVP_EC_gen("P-256"), "mx.example.org");

		server = tls_server_new(buf_str(&identity.pem), STR("tls/mx"), sign,
					&identity);
		check_resumption(versions[i]);
		tls_server_free(&server);
		identity_drop(&identity);
	}
}

static bool is_shown(SSL_CTX *context, const char *name, const struct identity *want)
{
	const unsigned char *chosen;
	unsigned len;
	SSL *ssl = shake_hands(context, NULL, name, TLS1_3_VERSION);
	bool is_same = X509_cmp(SSL_get0_peer_certificate(ssl), want->certificate) == 0;

	SSL_get0_alpn_selected(ssl, &chosen, &len);
	CHECK_STR(((struct str){(const char *)chosen, len}), STR("imap"));
	SSL_free(ssl);
	return is_same;
}

TEST(nobody_is_served_who_wants_another_protocol)
{
	struct identity identity = identity_new(EVP_EC_gen("P-256"), "mx.example.org");
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	BIO *one, *other;

	server = tls_server_new(buf_str(&identity.pem), STR("tls/mx"), sign, &identity);
	tls_server_alpn(server, STR("\4imap"));
	SSL *ours = tls_server_session(server), *theirs = SSL_new(context);

	CHECK(BIO_new_bio_pair(&one, 0, &other, 0) == 1);
	SSL_set_bio(ours, one, one);
	SSL_set_bio(theirs, other, other);
	SSL_set_connect_state(theirs);
	CHECK(SSL_set_alpn_protos(theirs, (const unsigned char *)"\2h2", 3) == 0);
	CHECK(SSL_do_handshake(theirs) == -1);
	CHECK(SSL_do_handshake(ours) == -1);
	CHECK(SSL_get_error(ours, -1) == SSL_ERROR_SSL);
	SSL_free(ours);
	SSL_free(theirs);
	SSL_CTX_free(context);
	tls_server_free(&server);
	identity_drop(&identity);
}

TEST(the_certificate_follows_the_name_asked_for)
{
	struct identity usual = identity_new(EVP_EC_gen("P-256"), "mx.example.org");
	/* Both sign with the key that the test's vault finds under one name. */
	CHECK(EVP_PKEY_up_ref(usual.key) == 1);
	struct identity other = identity_new(usual.key, "*.example.net");
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	server = tls_server_new(buf_str(&usual.pem), STR("tls/mx"), sign, &usual);
	CHECK(!tls_server_add(server, STR(""), buf_str(&other.pem), STR("tls/mx")));
	CHECK(!tls_server_add(server, STR("a"), STR("junk"), STR("tls/mx")));
	CHECK(tls_server_add(server, STR("*.example.net"), buf_str(&other.pem),
			     STR("tls/mx")));
	tls_server_alpn(server, STR("\3foo\4imap"));
	CHECK(is_shown(context, "MX.example.net", &other));
	CHECK(is_shown(context, "a.mx.example.net", &usual));
	CHECK(is_shown(context, "example.net", &usual));
	tls_server_free(&server);
	SSL_CTX_free(context);
	identity_drop(&other);
	identity_drop(&usual);
}
