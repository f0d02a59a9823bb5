#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "base/test.h"
#include "net/conn_state.h"
#include "net/tls.h"
#include "net/tls_kept.h"
#include "rt/task.h"

/* A certificate and its key. */
struct paper {
	EVP_PKEY *key;
	X509 *certificate;
};

static void add_extension(X509 *certificate, int kind, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);

	CHECK(extension && X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

/* issuer NULL: an authority of its own.  host "" has no name but that of the subject. */
static struct paper paper_new(const struct paper *issuer, const char *host, long ends_in)
{
	struct paper made = {EVP_EC_gen("P-256"), X509_new()};
	X509 *x = made.certificate;
	char names[300];

	CHECK(X509_set_version(x, 2) && X509_gmtime_adj(X509_getm_notBefore(x), -7200));
	CHECK(ASN1_INTEGER_set(X509_get_serialNumber(x), issuer ? 2 : 1));
	CHECK(X509_gmtime_adj(X509_getm_notAfter(x), ends_in) != NULL);
	CHECK(X509_NAME_add_entry_by_txt(
		X509_get_subject_name(x), "CN", MBSTRING_ASC,
		(const unsigned char *)(issuer ? "mx.example.org" : "authority"), -1, -1,
		0));
	CHECK(X509_set_issuer_name(
		x, X509_get_subject_name(issuer ? issuer->certificate : x)));
	CHECK(X509_set_pubkey(x, made.key));
	if (!issuer)
		add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
	(void)snprintf(names, sizeof names, "DNS:%s", host);
	if (host[0])
		add_extension(x, NID_subject_alt_name, names);
	CHECK(X509_sign(x, issuer ? issuer->key : made.key, EVP_sha256()));
	return made;
}

static void paper_drop(struct paper *paper)
{
	EVP_PKEY_free(paper->key);
	X509_free(paper->certificate);
}

static void add_pem(struct buf *pem, X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;

	CHECK(PEM_write_bio_X509(bio, certificate));
	long len = BIO_get_mem_data(bio, &bytes);

	buf_add(pem, (struct str){bytes, (size_t)len});
	BIO_free(bio);
}

/* The vault's part. */
static bool sign(void *arg, struct str key_id, enum sign_kind kind, struct str input,
		 struct buf *signature)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(arg, NULL);
	unsigned char bytes[200];
	size_t len = sizeof bytes;
	bool is_signed = EVP_PKEY_sign_init(context) == 1 &&
			 EVP_PKEY_sign(context, bytes, &len,
				       (const unsigned char *)input.ptr, input.len) == 1;

	(void)key_id, (void)kind;
	EVP_PKEY_CTX_free(context);
	buf_add(signature, (struct str){(char *)bytes, is_signed ? len : 0});
	return is_signed;
}

/* The association of a TLSA record for it; matching 1. */
static struct dns_tlsa record_of(uint8_t usage, uint8_t selector, X509 *certificate,
				 unsigned char room[32])
{
	unsigned char *der = NULL;
	int len = selector == 0 ? i2d_X509(certificate, &der)
				: i2d_PUBKEY(X509_get0_pubkey(certificate), &der);

	CHECK(len > 0 && EVP_Digest(der, (size_t)len, room, NULL, EVP_sha256(), NULL));
	OPENSSL_free(der);
	return (struct dns_tlsa){usage, selector, 1, {(char *)room, 32}};
}

static struct tls_server *server;
static struct tls_client *client;
static struct conn *here, *there;
static const struct tls_peer *wanted;
static struct tls_outcome outcome;
static err_t result;
static bool is_short; /* the handshake resumed a session */

static void client_side(void *arg)
{
	struct str line;

	(void)arg;
	result = conn_starttls_peer(there, client, wanted, &outcome);
	if (result == OK) {
		bool is_verified = wanted->check != TLS_CHECK_NOTHING &&
				   outcome.flaw == TLS_FLAW_NONE;
		struct str text = conn_tls_text(there);

		CHECK(str_starts(text, STR("TLSv1.")));
		CHECK((str_find(text, STR(", verified by ")) < text.len) == is_verified);
		CHECK(conn_line(there, 100, true, &line) == OK); /* and its tickets */
	}
	is_short = result == OK && SSL_session_reused(there->ssl);
	conn_free(&there);
}

static void server_side(void *arg)
{
	struct str line;

	(void)arg;
	CHECK(task_start("client", client_side, NULL));
	if (conn_starttls(here, server) == OK) {
		conn_add(here, STR("hello\r\n"));
		CHECK(conn_line(here, 100, true, &line) != OK);
	}
	CHECK(task_sleep_ms(1) == OK);
	loop_stop();
}

/* One handshake; result and outcome are filled. */
static void meet(const struct tls_peer *peer)
{
	int fds[2];

	wanted = peer;
	outcome = (struct tls_outcome){.flaw = TLS_FLAW_NONE};
	loop_init();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) ==
	      0);
	here = conn_new(fds[0], STR(""));
	there = conn_new(fds[1], STR(""));
	conn_deadline_s(here, 10);
	conn_deadline_s(there, 10);
	CHECK(task_start("server", server_side, NULL));
	loop_run();
	conn_free(&here);
	loop_fini();
}

#define NAME    TLS_CHECK_NAME
#define DANE    TLS_CHECK_DANE
#define NOTHING TLS_CHECK_NOTHING
enum { OTHER = 9 }; /* a record of another certificate */

struct meeting {
	const char *promise;
	const char *host; /* in the certificate */
	long ends_in;
	bool is_trusted;
	enum tls_check check;
	int usage; /* of the one record; -1: that of another first, then the right one */
	int selector;
	const char *names[2];
	enum tls_flaw flaw;
};

enum { HOUR = 3600 };

#define MX   "mx.example.org"
#define HOP  "example.org"
#define ELSE "mx.example.net"

static const struct meeting meetings[] = {
	{"by name", MX, HOUR, true, NAME, 0, 0, {MX, NULL}, 0},
	{"by a wildcard", "*.example.org", HOUR, true, NAME, 0, 0, {MX, NULL}, 0},
	{"a wildcard is one label",
	 "*.org",
	 HOUR,
	 true,
	 NAME,
	 0,
	 0,
	 {MX, NULL},
	 TLS_FLAW_HOST},
	{"another name", ELSE, HOUR, true, NAME, 0, 0, {MX, NULL}, TLS_FLAW_HOST},
	{"the subject is no name", "", HOUR, true, NAME, 0, 0, {MX, NULL}, TLS_FLAW_HOST},
	{"expired", MX, -HOUR, true, NAME, 0, 0, {MX, NULL}, TLS_FLAW_EXPIRED},
	{"an authority that is not trusted",
	 MX,
	 HOUR,
	 false,
	 NAME,
	 0,
	 0,
	 {MX, NULL},
	 TLS_FLAW_NOT_TRUSTED},
	{"nothing is looked at", ELSE, -HOUR, false, NOTHING, 0, 0, {MX, NULL}, 0},
	{"DANE-EE by key", MX, HOUR, false, DANE, 3, 1, {MX, NULL}, 0},
	{"DANE-EE by certificate", MX, HOUR, false, DANE, 3, 0, {MX, NULL}, 0},
	{"DANE-EE, another name", ELSE, HOUR, false, DANE, 3, 1, {MX, NULL}, 0},
	{"DANE-EE, expired", MX, -HOUR, false, DANE, 3, 1, {MX, NULL}, 0},
	{"DANE-EE, the first of two does not match",
	 MX,
	 HOUR,
	 false,
	 DANE,
	 -1,
	 1,
	 {MX, NULL},
	 0},
	{"DANE-EE of another key",
	 MX,
	 HOUR,
	 true,
	 DANE,
	 OTHER,
	 1,
	 {MX, NULL},
	 TLS_FLAW_TLSA},
	{"DANE-TA", MX, HOUR, false, DANE, 2, 0, {MX, NULL}, 0},
	{"DANE-TA by key", MX, HOUR, false, DANE, 2, 1, {MX, NULL}, 0},
	{"DANE-TA, the next hop's name", HOP, HOUR, false, DANE, 2, 0, {MX, HOP}, 0},
	{"DANE-TA, another name",
	 ELSE,
	 HOUR,
	 false,
	 DANE,
	 2,
	 0,
	 {MX, HOP},
	 TLS_FLAW_HOST},
	{"DANE-TA, expired", MX, -HOUR, false, DANE, 2, 0, {MX, NULL}, TLS_FLAW_EXPIRED},
	{"DANE-TA, only the subject's name", "", HOUR, false, DANE, 2, 0, {MX, NULL}, 0},
};

static void meet_one(const struct meeting *m, const struct paper *authority,
		     const struct paper *stranger)
{
	SCOPED(paper_drop) struct paper leaf = paper_new(authority, m->host, m->ends_in);
	SCOPED(buf_fini) struct buf chain = BUF(16384), roots = BUF(16384);
	unsigned char rooms[2][32];
	struct dns_tlsa records[2];
	struct tls_peer peer = {.check = m->check, .records = records};

	for (; peer.name_count < 2 && m->names[peer.name_count]; peer.name_count++)
		peer.names[peer.name_count] = str_c(m->names[peer.name_count]);
	if (m->usage == OTHER || m->usage < 0)
		records[peer.record_count++] =
			record_of(3, 1, stranger->certificate, rooms[0]);
	if (m->usage != OTHER)
		records[peer.record_count++] = record_of(
			m->usage == 2 ? 2 : 3, (uint8_t)m->selector,
			m->usage == 2 ? authority->certificate : leaf.certificate,
			rooms[1]);
	add_pem(&chain, leaf.certificate);
	add_pem(&chain, authority->certificate);
	add_pem(&roots, m->is_trusted ? authority->certificate : stranger->certificate);
	server = tls_server_new(buf_str(&chain), STR("key"), sign, leaf.key);
	client = tls_client_new(TLS_VERIFY_PEER, buf_str(&roots));
	CHECK(server && client);

	/* Once where it binds, once where it is only looked at. */
	peer.is_binding = m->check != TLS_CHECK_NOTHING;
	meet(&peer);
	if ((result == OK) != (m->flaw == TLS_FLAW_NONE) || outcome.flaw != m->flaw)
		test_failed(__FILE__, __LINE__, m->promise);
	CHECK((outcome.why[0] != 0) == (m->flaw != TLS_FLAW_NONE));
	peer.is_binding = false;
	meet(&peer);
	if (result != OK || outcome.flaw != m->flaw)
		test_failed(__FILE__, __LINE__, m->promise);
	tls_client_free(&client);
	tls_server_free(&server);
}

TEST(mail_servers_are_recognised_by_names_and_by_dane)
{
	SCOPED(paper_drop) struct paper authority = paper_new(NULL, "", HOUR);
	SCOPED(paper_drop) struct paper stranger = paper_new(NULL, "", HOUR);

	for (size_t i = 0; i < COUNT_OF(meetings); i++)
		meet_one(&meetings[i], &authority, &stranger);
}

TEST(a_peer_that_can_not_be_checked_is_refused)
{
	static const struct dns_tlsa unusable = {1, 1, 1, {"", 0}};
	SCOPED(paper_drop) struct paper authority = paper_new(NULL, "", HOUR);
	SCOPED(buf_fini) struct buf chain = BUF(16384);
	struct tls_peer peer = {.check = TLS_CHECK_DANE,
				.is_binding = true,
				.names = {STR(MX)},
				.name_count = 1,
				.records = &unusable,
				.record_count = 1};

	add_pem(&chain, authority.certificate);
	server = tls_server_new(buf_str(&chain), STR("key"), sign, authority.key);
	client = tls_client_new(TLS_VERIFY_PEER, buf_str(&chain));
	meet(&peer);
	CHECK(result == ERR_SYNTAX);
	peer.names[0] = STR("");
	peer.check = TLS_CHECK_NAME;
	meet(&peer);
	CHECK(result == ERR_SYNTAX);
	tls_client_free(&client);
	tls_server_free(&server);
}

TEST(whole_certificates_and_keys_in_records_are_read)
{
	SCOPED(paper_drop) struct paper paper = paper_new(NULL, "", HOUR);
	unsigned char *der = NULL, *key = NULL;
	int len = i2d_X509(paper.certificate, &der);
	int key_len = i2d_PUBKEY(paper.key, &key);
	const struct dns_tlsa records[] = {
		{3, 0, 0, {(char *)der, (size_t)len}},
		{3, 1, 0, {(char *)key, (size_t)key_len}},
		{3, 1, 0, {(char *)der, (size_t)len}},
		{3, 0, 0, {(char *)der, (size_t)len - 1}},
		{2, 2, 1, {(char *)der, 32}},
		{4, 1, 1, {(char *)der, 32}},
		{3, 1, 2, {(char *)der, 64}},
		{3, 1, 2, {(char *)der, 32}},
	};
	static const bool can_use[] = {true,  true,  false, false,
				       false, false, true,  false};

	for (size_t i = 0; i < COUNT_OF(records); i++)
		CHECK(tls_can_use(&records[i]) == can_use[i]);
	OPENSSL_free(der);
	OPENSSL_free(key);
}

/* ---- sessions that are resumed ------------------------------------------------------
 */

static bool meets_short(const struct tls_peer *peer)
{
	meet(peer);
	CHECK(result == OK && outcome.flaw == TLS_FLAW_NONE);
	return is_short;
}

/* Whatever is kept for that peer is taken and forgotten. */
static void use_up(const struct tls_peer *peer)
{
	for (int i = 0; i < 10; i++) {
		SSL *ssl = tls_client_peer(client, peer);

		CHECK(ssl);
		SSL_free(ssl);
	}
}

static void begin_resuming(const struct paper *authority, const struct paper *leaf)
{
	static const char ticket_key[TLS_TICKET_KEY_BYTES] = "for the tests";
	SCOPED(buf_fini) struct buf chain = BUF(16384), roots = BUF(16384);

	add_pem(&chain, leaf->certificate);
	add_pem(&chain, authority->certificate);
	add_pem(&roots, authority->certificate);
	server = tls_server_new(buf_str(&chain), STR("key"), sign, leaf->key);
	client = tls_client_new(TLS_VERIFY_PEER, buf_str(&roots));
	CHECK(server && client);
	tls_server_ticket_keys(server, (struct str){ticket_key, sizeof ticket_key},
			       STR(""));
}

static void check_resuming(const struct paper *authority, int version)
{
	SCOPED(paper_drop)
	struct paper leaf =
		paper_new(authority, "mx.example.org,DNS:mx.example.net", 3 * HOUR);
	unsigned char rooms[2][32];
	struct dns_tlsa records[] = {record_of(3, 1, leaf.certificate, rooms[0]),
				     record_of(3, 0, leaf.certificate, rooms[1])};
	struct dns_tlsa turned[] = {records[1], records[0]};
	const struct tls_peer nothing = {.names = {STR(MX)}, .name_count = 1};
	struct tls_peer name = nothing, more, dane;

	begin_resuming(authority, &leaf);
	SSL *ssl = tls_client_peer(client, &nothing);
	SSL_CTX *context = SSL_get_SSL_CTX(ssl);

	CHECK(SSL_CTX_set_max_proto_version(context, version) == 1);
	SSL_free(ssl);
	name.check = TLS_CHECK_NAME;
	name.is_binding = true;
	dane = (struct tls_peer){.check = TLS_CHECK_DANE,
				 .is_binding = true,
				 .names = {STR(MX)},
				 .name_count = 1,
				 .records = records,
				 .record_count = 2};

	CHECK(!meets_short(&nothing) && meets_short(&nothing) && meets_short(&nothing));
	/* What was not checked serves nobody who checks, nor the other way round. */
	CHECK(!meets_short(&name) && meets_short(&name));
	CHECK(!meets_short(&dane) && meets_short(&dane) && meets_short(&dane));
	use_up(&nothing);
	CHECK(tls_kept_count(context) > 0 && !meets_short(&nothing));
	/* Another name, one more name, a check that binds nobody. */
	more = name;
	more.names[0] = STR(ELSE);
	CHECK(!meets_short(&more));
	more = name;
	more.names[more.name_count++] = STR(HOP);
	CHECK(!meets_short(&more));
	more = name;
	more.is_binding = false;
	CHECK(!meets_short(&more));
	/* The records in another order; one record less. */
	more = dane;
	more.records = turned;
	CHECK(meets_short(&more));
	more.record_count = 1;
	CHECK(!meets_short(&more));
	tls_client_free(&client);
	tls_server_free(&server);
}

TEST(sessions_are_resumed_with_the_same_server_wanted_the_same_way)
{
	SCOPED(paper_drop) struct paper authority = paper_new(NULL, "", 3 * HOUR);

	check_resuming(&authority, TLS1_2_VERSION);
	check_resuming(&authority, TLS1_3_VERSION);
}

TEST(what_was_not_good_is_not_resumed)
{
	SCOPED(paper_drop) struct paper authority = paper_new(NULL, "", 3 * HOUR);
	SCOPED(paper_drop) struct paper short_lived = paper_new(&authority, MX, HOUR / 2);
	struct tls_peer name = {
		.check = TLS_CHECK_NAME, .names = {STR(ELSE)}, .name_count = 1};

	begin_resuming(&authority, &short_lived);
	meet(&name);
	CHECK(result == OK && outcome.flaw == TLS_FLAW_HOST);
	meet(&name);
	CHECK(result == OK && !is_short && outcome.flaw == TLS_FLAW_HOST);
	/* Its certificate ends before the session would. */
	name.names[0] = STR(MX);
	name.is_binding = true;
	CHECK(!meets_short(&name) && !meets_short(&name));
	tls_client_free(&client);
	tls_server_free(&server);
}

TEST(sessions_that_are_kept_are_bounded)
{
	SCOPED(paper_drop) struct paper authority = paper_new(NULL, "", 3 * HOUR);
	SCOPED(paper_drop) struct paper leaf = paper_new(&authority, MX, 3 * HOUR);
	struct tls_peer peer = {.names = {STR(MX)}, .name_count = 1};

	begin_resuming(&authority, &leaf);
	SSL *ssl = tls_client_peer(client, &peer);
	SSL_CTX *context = SSL_get_SSL_CTX(ssl);

	SSL_free(ssl);
	for (int i = 0; i < 1100; i++) {
		SCOPED(buf_fini) struct buf host = BUF(100);

		buf_printf(&host, "mx%d.example.org", i);
		peer.names[0] = buf_str(&host);
		CHECK(!meets_short(&peer));
	}
	CHECK(tls_kept_count(context) == 1000);
	tls_client_free(&client);
	tls_server_free(&server);
}
