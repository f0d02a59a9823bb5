#include "net/tls_proof.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/conn_state.h"

enum {
	TRANSCRIPT_MAX = 64 * 1024,
	HEAD_BYTES = 4, /* of a handshake message: type, 24 bits of length */
	SERVER_HELLO = 2,
	CERTIFICATE_VERIFY = 15,
	FINISHED = 20,
	MESSAGE_HASH = 254,
};

/* Made with the first message of a handshake, and freed with its SSL. */
struct shown {
	struct buf transcript; /* the messages so far; empty when it is over */
	size_t first_hello;    /* octets of it, if the client had to say it again */
	bool is_over;
	bool is_refused; /* by the check of its chain */
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned hash_len;
	uint16_t scheme;
	struct buf signature, certificate;
};

static void shown_free(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index,
		       long number, void *arg)
{
	struct shown *shown = ptr;

	(void)parent, (void)data, (void)index, (void)number, (void)arg;
	if (!shown)
		return;
	buf_fini(&shown->transcript);
	buf_fini(&shown->signature);
	buf_fini(&shown->certificate);
	mem_free(shown);
}

static int shown_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, shown_free);
	return index;
}

static struct shown *shown_of(SSL *ssl)
{
	struct shown *shown = SSL_get_ex_data(ssl, shown_index());

	if (shown)
		return shown;
	shown = NEW(struct shown);
	*shown = (struct shown){.transcript = BUF(TRANSCRIPT_MAX),
				.signature = BUF(TLS_PROOF_SIGNATURE_MAX),
				.certificate = BUF(TLS_PROOF_CERTIFICATE_MAX)};
	ASSERT(SSL_set_ex_data(ssl, shown_index(), shown) == 1);
	return shown;
}

/* RFC 8446 §4.4.1: a first ClientHello that was answered with HelloRetryRequest counts
 * as a message that holds its hash. */
static bool hash_transcript(struct shown *shown, const EVP_MD *how)
{
	struct str all = buf_str(&shown->transcript);
	struct str rest = str_skip(all, shown->first_hello);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char first[HEAD_BYTES + EVP_MAX_MD_SIZE] = {MESSAGE_HASH};
	unsigned len = 0;
	bool is_good = context && EVP_DigestInit_ex(context, how, NULL) == 1;

	if (is_good && shown->first_hello > 0) {
		is_good = EVP_Digest(all.ptr, shown->first_hello, first + HEAD_BYTES,
				     &len, how, NULL) == 1;
		first[HEAD_BYTES - 1] = (unsigned char)len;
		is_good = is_good &&
			  EVP_DigestUpdate(context, first, HEAD_BYTES + len) == 1;
	}
	is_good = is_good && EVP_DigestUpdate(context, rest.ptr, rest.len) == 1 &&
		  EVP_DigestFinal_ex(context, shown->hash, &shown->hash_len) == 1;
	EVP_MD_CTX_free(context);
	return is_good;
}

/* struct { SignatureScheme algorithm; opaque signature<0..2^16-1>; }.  OpenSSL checks it
 * after this, and ends the handshake if it is wrong. */
static void take_verify(SSL *ssl, struct shown *shown, struct str message)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	const EVP_MD *how = cipher ? SSL_CIPHER_get_handshake_digest(cipher) : NULL;

	if (message.len < HEAD_BYTES + 4 || !how || !buf_ok(&shown->transcript) ||
	    !hash_transcript(shown, how))
		return;
	shown->scheme = (uint16_t)((unsigned char)message.ptr[4] << 8 |
				   (unsigned char)message.ptr[5]);
	buf_add(&shown->signature, str_skip(message, HEAD_BYTES + 4));
	/* A resumed session proves nothing anew, so it must not be resumed. */
	ASSERT(SSL_set_num_tickets(ssl, 0) == 1);
}

/* RFC 8446 §4.1.3: the random of a ServerHello that is a HelloRetryRequest. */
static bool is_retry(struct str message)
{
	static const char retry[] = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02"
				    "\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e"
				    "\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

	return message.ptr[0] == SERVER_HELLO &&
	       str_starts(str_skip(message, HEAD_BYTES + 2), (struct str){retry, 32});
}

static void take_message(SSL *ssl, struct str message, bool is_ours)
{
	struct shown *shown = shown_of(ssl);
	int type = (unsigned char)message.ptr[0];

	if (shown->is_over)
		return;
	if (is_ours && is_retry(message) && shown->first_hello == 0)
		shown->first_hello = shown->transcript.len;
	if (!is_ours && type == CERTIFICATE_VERIFY)
		take_verify(ssl, shown, message);
	if (!is_ours && (type == CERTIFICATE_VERIFY || type == FINISHED)) {
		shown->is_over = true;
		buf_fini(&shown->transcript);
		return;
	}
	buf_add(&shown->transcript, message);
}

static void on_message(int is_ours, int version, int type, const void *octets, size_t len,
		       SSL *ssl, void *arg)
{
	(void)version, (void)arg;
	if (type == SSL3_RT_HANDSHAKE && len >= HEAD_BYTES)
		take_message(ssl, (struct str){octets, len}, is_ours);
}

/* A certificate that is not good enough is as none: its owner may have a password. */
static int on_chain(int is_good, X509_STORE_CTX *store)
{
	SSL *ssl =
		X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());

	if (!is_good)
		shown_of(ssl)->is_refused = true;
	return 1;
}

static void keep_certificate(SSL *ssl, struct shown *shown)
{
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	int len = certificate ? i2d_X509(certificate, NULL) : 0;
	char *room = len > 0 ? buf_room(&shown->certificate, (size_t)len) : NULL;
	unsigned char *to = (unsigned char *)room;

	if (room && i2d_X509(certificate, &to) == len)
		buf_grew(&shown->certificate, (size_t)len);
}

/* After the client's greeting, when the version is known. */
static int on_hello(SSL *ssl, void *arg)
{
	(void)arg;
	if (SSL_version(ssl) == TLS1_3_VERSION)
		SSL_set_verify(ssl, SSL_VERIFY_PEER, on_chain);
	return 1;
}

bool tls_proof_ask(SSL_CTX *context, struct str roots_pem)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	BIO *bio = roots_pem.len <= INT32_MAX
			   ? BIO_new_mem_buf(roots_pem.ptr, (int)roots_pem.len)
			   : NULL;
	size_t count = 0;
	X509 *root;

	while (bio && (root = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		count += X509_STORE_add_cert(store, root) == 1 &&
			 SSL_CTX_add_client_CA(context, root) == 1;
		X509_free(root);
	}
	BIO_free(bio);
	ERR_clear_error(); /* the end of the text is no failure */
	SSL_CTX_set_cert_cb(context, on_hello, NULL);
	SSL_CTX_set_msg_callback(context, on_message);
	if (count == 0)
		LOG(ERROR, "no certificate of a client CA");
	return count > 0;
}

bool conn_tls_proof(const struct conn *conn, struct tls_proof *proof)
{
	struct shown *shown =
		conn->ssl ? SSL_get_ex_data(conn->ssl, shown_index()) : NULL;

	if (!shown || shown->is_refused || shown->signature.len == 0 ||
	    SSL_get_verify_result(conn->ssl) != X509_V_OK)
		return false;
	if (shown->certificate.len == 0)
		keep_certificate(conn->ssl, shown);
	if (!buf_ok(&shown->signature) || shown->certificate.len == 0)
		return false;
	*proof = (struct tls_proof){
		.certificate = buf_str(&shown->certificate),
		.transcript = {(const char *)shown->hash, shown->hash_len},
		.scheme = shown->scheme,
		.signature = buf_str(&shown->signature),
	};
	return true;
}
