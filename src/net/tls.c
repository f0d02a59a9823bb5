#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/tls_key.h"
#include "net/tls_peer.h"
#include "net/tls_proof.h"
#include "net/tls_ticket.h"

/* One certificate with its context; the first of a server is for all other hosts. */
struct certificate {
	struct certificate *next;
	char host[256]; /* "" for the first */
	SSL_CTX *context;
	struct tls_key key;
};

struct tls_server {
	size_t refs;
	struct certificate *first;
	tls_sign *sign;
	void *arg;
	struct str alpn;
	struct tls_tickets tickets;
};

struct tls_client {
	SSL_CTX *context;
	enum tls_verify verify;
};

static void log_failure(const char *what, struct str which)
{
	char reason[160] = "";
	unsigned long error = ERR_peek_error();

	if (error)
		ERR_error_string_n(error, reason, sizeof reason);
	LOG(ERROR, what, KV_STR("key", which), KV("reason", reason));
	ERR_clear_error();
}

static SSL_CTX *context_new(const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new(method);

	ASSERT(context);
	/* RFC 8996: nothing before 1.2.  RFC 7457: no compression, no renegotiation. */
	ASSERT(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
	ASSERT(SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
	(void)SSL_CTX_set_options(context,
				  SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	(void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS |
						SSL_MODE_ENABLE_PARTIAL_WRITE |
						SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(context, 1); /* many records in one read */
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	return context;
}

static bool load_chain(SSL_CTX *context, struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	X509 *own = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	bool is_loaded = own && SSL_CTX_use_certificate(context, own) == 1;
	X509 *next;

	while (is_loaded && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		is_loaded = SSL_CTX_add0_chain_cert(context, next) == 1;
		if (!is_loaded)
			X509_free(next);
	}
	X509_free(own);
	BIO_free(bio);
	if (is_loaded)
		ERR_clear_error(); /* the end of the text is no failure */
	return is_loaded;
}

static bool load_key(SSL_CTX *context, struct tls_key *key)
{
	EVP_PKEY *public_key = X509_get0_pubkey(SSL_CTX_get0_certificate(context));
	EVP_PKEY *made = public_key ? tls_key_over(public_key, key) : NULL;
	bool is_loaded = made && SSL_CTX_use_PrivateKey(context, made) == 1;

	EVP_PKEY_free(made);
	return is_loaded;
}

static void certificate_free(struct certificate *certificate)
{
	SSL_CTX_free(certificate->context);
	mem_free(certificate->key.id);
	mem_free(certificate);
}

static struct certificate *certificate_new(struct tls_server *server, struct str pem,
					   struct str key_id)
{
	struct certificate *made = NEW(struct certificate);

	made->key = (struct tls_key){server->sign, server->arg,
				     NEW_ARRAY(char, key_id.len), key_id.len};
	if (key_id.len > 0)
		memcpy(made->key.id, key_id.ptr, key_id.len);
	made->context = context_new(TLS_server_method());
	(void)SSL_CTX_set_options(made->context, SSL_OP_CIPHER_SERVER_PREFERENCE |
							 SSL_OP_PRIORITIZE_CHACHA |
							 SSL_OP_NO_TICKET);
	ASSERT(SSL_CTX_set_num_tickets(made->context, 0) == 1);
	if (pem.len <= INT32_MAX && load_chain(made->context, pem) &&
	    load_key(made->context, &made->key)) {
		tls_tickets_attach(made->context, &server->tickets);
		return made;
	}
	log_failure("cannot use the certificate", key_id);
	certificate_free(made);
	return NULL;
}

/* "*" stands for one label, the leftmost.  RFC 9525 §6.3. */
static bool host_matches(struct str pattern, struct str host)
{
	if (str_starts(pattern, STR("*."))) {
		pattern = str_skip(pattern, 1);
		host = str_skip(host, str_find_byte(host, '.'));
	}
	return pattern.len > 0 && str_same_nocase(pattern, host);
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
	struct tls_server *server = arg;
	struct str host = str_c(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));

	(void)alert;
	for (struct certificate *c = server->first->next; c && host.len > 0; c = c->next)
		if (host_matches(str_c(c->host), host)) {
			(void)SSL_set_SSL_CTX(ssl, c->context); /* else the first stays */
			break;
		}
	return SSL_TLSEXT_ERR_OK;
}

/* RFC 7301 §3.2: who wants only other protocols SHALL be refused, since he may be a
 * browser that somebody turned here (ALPACA). */
static int on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
		   const unsigned char *offered, unsigned offered_len, void *arg)
{
	const struct tls_server *server = arg;
	unsigned char *found;

	(void)ssl;
	if (SSL_select_next_proto(&found, chosen_len,
				  (const unsigned char *)server->alpn.ptr,
				  (unsigned)server->alpn.len, offered,
				  offered_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*chosen = found;
	return SSL_TLSEXT_ERR_OK;
}

struct tls_server *tls_server_new(struct str chain_pem, struct str key_id, tls_sign *sign,
				  void *arg)
{
	struct tls_server *server = NEW(struct tls_server);

	*server = (struct tls_server){.refs = 1, .sign = sign, .arg = arg};
	server->first = certificate_new(server, chain_pem, key_id);
	if (!server->first) {
		mem_free(server);
		return NULL;
	}
	SSL_CTX *context = server->first->context;
	static const unsigned char name[] = "postrider";

	(void)SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
	(void)SSL_CTX_set_tlsext_servername_arg(context, server);
	ASSERT(SSL_CTX_set_session_id_context(context, name, sizeof name - 1) == 1);
	return server;
}

bool tls_server_add(struct tls_server *server, struct str host, struct str chain_pem,
		    struct str key_id)
{
	struct certificate *made = certificate_new(server, chain_pem, key_id);

	if (!made)
		return false;
	if (host.len == 0 || !str_to_c(host, made->host, sizeof made->host)) {
		certificate_free(made);
		return false;
	}
	if (server->alpn.len > 0)
		SSL_CTX_set_alpn_select_cb(made->context, on_alpn, server);
	made->next = server->first->next;
	server->first->next = made;
	return true;
}

void tls_server_ticket_keys(struct tls_server *server, struct str current,
			    struct str previous)
{
	tls_tickets_set(&server->tickets, current, previous);
	(void)SSL_CTX_clear_options(server->first->context, SSL_OP_NO_TICKET);
	/* One is enough: clients of mail open one connection after the other. */
	ASSERT(SSL_CTX_set_num_tickets(server->first->context, 1) == 1);
}

void tls_server_alpn(struct tls_server *server, struct str protocols)
{
	server->alpn = protocols;
	for (struct certificate *c = server->first; c; c = c->next)
		SSL_CTX_set_alpn_select_cb(c->context, on_alpn, server);
}

bool tls_server_ask_client(struct tls_server *server, struct str roots_pem)
{
	bool is_asking = true;

	for (struct certificate *c = server->first; c; c = c->next)
		is_asking &= tls_proof_ask(c->context, roots_pem);
	return is_asking;
}

struct tls_server *tls_server_ref(struct tls_server *server)
{
	server->refs++;
	return server;
}

void tls_server_unref(struct tls_server **server_ptr)
{
	struct tls_server *server = *server_ptr;

	*server_ptr = NULL;
	if (!server || --server->refs > 0)
		return;
	while (server->first) {
		struct certificate *next = server->first->next;

		certificate_free(server->first);
		server->first = next;
	}
	explicit_bzero(&server->tickets, sizeof server->tickets);
	mem_free(server);
}

void tls_server_free(struct tls_server **server)
{
	tls_server_unref(server);
}

struct ssl_st *tls_server_session(struct tls_server *server)
{
	SSL *ssl = SSL_new(server->first->context);

	ASSERT(ssl);
	SSL_set_accept_state(ssl);
	return ssl;
}

static bool trust(SSL_CTX *context, struct str pem)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	size_t count = 0;
	X509 *root;

	while (bio && (root = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		count += X509_STORE_add_cert(store, root) == 1;
		X509_free(root);
	}
	BIO_free(bio);
	return count > 0;
}

struct tls_client *tls_client_new(enum tls_verify verify, struct str trusted_pem)
{
	struct tls_client *client = NEW(struct tls_client);
	bool is_ready = true;

	client->verify = verify;
	client->context = context_new(TLS_client_method());
	if (verify == TLS_VERIFY_NAME)
		SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
	if (verify == TLS_VERIFY_PEER)
		tls_peer_context(client->context);
	if (verify != TLS_VERIFY_NOTHING)
		is_ready =
			trusted_pem.len > 0
				? trust(client->context, trusted_pem)
				: SSL_CTX_set_default_verify_paths(client->context) == 1;
	if (!is_ready) {
		log_failure("cannot read trusted roots", STR(""));
		tls_client_free(&client);
	}
	ERR_clear_error();
	return client;
}

void tls_client_free(struct tls_client **client)
{
	if (!*client)
		return;
	SSL_CTX_free((*client)->context);
	mem_free(*client);
	*client = NULL;
}

struct ssl_st *tls_client_session(struct tls_client *client, struct str host)
{
	char host_c[256];

	if (host.len == 0 || !str_to_c(host, host_c, sizeof host_c))
		return NULL;
	SSL *ssl = SSL_new(client->context);

	ASSERT(ssl);
	SSL_set_connect_state(ssl);
	if (SSL_set_tlsext_host_name(ssl, host_c) == 1 &&
	    (client->verify == TLS_VERIFY_NOTHING || SSL_set1_host(ssl, host_c) == 1))
		return ssl;
	SSL_free(ssl);
	return NULL;
}

struct ssl_st *tls_client_peer(struct tls_client *client, const struct tls_peer *peer)
{
	ASSERT(client->verify == TLS_VERIFY_PEER);
	return tls_peer_session(client->context, peer);
}
