#include "net/tls_proof.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/test.h"
#include "net/conn_state.h"
#include "net/tls.h"

/* A key with a certificate; the first one made is the root of all. */
struct person {
	EVP_PKEY *key;
	X509 *certificate;
	struct buf pem;
};

static struct person root, stranger, ann;
static char p256[] = "P-256", p384[] = "P-384", both[] = "P-256:P-384";

static struct person person_new(const char *name, const struct person *issuer,
				long until_s)
{
	struct person made = {EVP_EC_gen("P-256"), X509_new(), BUF(8192)};
	X509_NAME *subject = X509_get_subject_name(made.certificate);
	BIO *bio = BIO_new(BIO_s_mem());
	X509V3_CTX context;
	char *text;

	if (!issuer)
		issuer = &made;
	CHECK(X509_set_version(made.certificate, X509_VERSION_3));
	CHECK(ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), 7));
	CHECK(X509_gmtime_adj(X509_getm_notBefore(made.certificate), -7200));
	CHECK(X509_gmtime_adj(X509_getm_notAfter(made.certificate), until_s));
	CHECK(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
					 (const unsigned char *)name, -1, -1, 0));
	CHECK(X509_set_pubkey(made.certificate, made.key));
	CHECK(X509_set_issuer_name(made.certificate,
				   X509_get_subject_name(issuer->certificate)));
	X509V3_set_ctx(&context, issuer->certificate, made.certificate, NULL, NULL, 0);
	X509_EXTENSION *extension =
		X509V3_EXT_conf_nid(NULL, &context, NID_basic_constraints,
				    issuer == &made ? "critical,CA:TRUE" : "CA:FALSE");
	CHECK(X509_add_ext(made.certificate, extension, -1));
	X509_EXTENSION_free(extension);
	CHECK(X509_sign(made.certificate, issuer->key, EVP_sha256()));
	CHECK(PEM_write_bio_X509(bio, made.certificate));
	long len = BIO_get_mem_data(bio, &text);

	buf_add(&made.pem, (struct str){text, (size_t)len});
	BIO_free(bio);
	return made;
}

static void person_drop(struct person *person)
{
	EVP_PKEY_free(person->key);
	X509_free(person->certificate);
	buf_fini(&person->pem);
}

static bool sign(void *arg, struct str key_id, enum sign_kind kind, struct str input,
		 struct buf *signature)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(stranger.key, NULL);
	unsigned char octets[256];
	size_t len = sizeof octets;

	(void)arg, (void)key_id, (void)kind;
	CHECK(EVP_PKEY_sign_init(context) == 1 &&
	      EVP_PKEY_sign(context, octets, &len, (const unsigned char *)input.ptr,
			    input.len) == 1);
	EVP_PKEY_CTX_free(context);
	buf_add(signature, (struct str){(char *)octets, len});
	return true;
}

/* RFC 8446 §4.4.3, for ecdsa_secp256r1_sha256. */
static bool is_signed_by(const struct person *person, const struct tls_proof *proof)
{
	SCOPED(buf_fini) struct buf text = BUF(256);
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	buf_printf(&text, "%64sTLS 1.3, client CertificateVerify", "");
	buf_add_byte(&text, 0);
	buf_add(&text, proof->transcript);
	bool is_good =
		proof->scheme == 0x0403 &&
		EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, person->key) ==
			1 &&
		EVP_DigestVerify(context, (const unsigned char *)proof->signature.ptr,
				 proof->signature.len, (const unsigned char *)text.ptr,
				 text.len) == 1;

	EVP_MD_CTX_free(context);
	return is_good;
}

enum outcome { NO_PROOF, PROOF, NO_TLS };

/* A handshake in memory: what the server knows of a client with this certificate.
 * groups: those that the client knows, the first of which it guesses to be ours. */
static enum outcome meet(struct tls_server *server, const struct person *person,
			 int version, char *ours_groups, char *groups)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ours = tls_server_session(server), *theirs = SSL_new(context);
	enum outcome outcome = NO_TLS;
	struct conn conn = {.ssl = ours};
	struct tls_proof proof;
	BIO *one, *other;

	CHECK(BIO_new_bio_pair(&one, 0, &other, 0) == 1);
	SSL_set_bio(ours, one, one);
	SSL_set_bio(theirs, other, other);
	SSL_set_connect_state(theirs);
	CHECK(SSL_set_max_proto_version(theirs, version) == 1);
	CHECK(SSL_set1_groups_list(theirs, (uintptr_t)groups) == 1);
	CHECK(SSL_set1_groups_list(ours, (uintptr_t)ours_groups) == 1);
	if (person)
		CHECK(SSL_use_certificate(theirs, person->certificate) == 1 &&
		      SSL_use_PrivateKey(theirs, person->key) == 1);
	for (int i = 0; i < 10; i++) {
		(void)SSL_do_handshake(theirs); /* ends when both have all */
		(void)SSL_do_handshake(ours);   /* the same */
	}
	if (SSL_is_init_finished(ours) && SSL_is_init_finished(theirs))
		outcome = conn_tls_proof(&conn, &proof) ? PROOF : NO_PROOF;
	if (outcome == PROOF) {
		CHECK(is_signed_by(person, &proof));
		CHECK(!is_signed_by(&stranger, &proof));
	}
	SSL_free(ours);
	SSL_free(theirs);
	SSL_CTX_free(context);
	return outcome;
}

static struct tls_server *server_new(void)
{
	root = person_new("root", NULL, 7200);
	stranger = person_new("stranger", NULL, 7200);
	ann = person_new("ann", &root, 7200);
	struct tls_server *server =
		tls_server_new(buf_str(&stranger.pem), STR("k"), sign, NULL);

	CHECK(server);
	return server;
}

static void server_drop(struct tls_server **server)
{
	tls_server_free(server);
	person_drop(&root);
	person_drop(&stranger);
	person_drop(&ann);
}

TEST(a_client_proves_that_it_has_the_key_of_its_certificate)
{
	struct tls_server *server = server_new();
	struct person late = person_new("late", &root, -3600);

	CHECK(tls_server_ask_client(server, buf_str(&root.pem)));
	CHECK(meet(server, &ann, TLS1_3_VERSION, p256, p256) == PROOF);
	/* the server asks for another key share: RFC 8446 §4.1.4 */
	CHECK(meet(server, &ann, TLS1_3_VERSION, p384, both) == PROOF);
	CHECK(meet(server, NULL, TLS1_3_VERSION, p256, p256) == NO_PROOF);
	CHECK(meet(server, &stranger, TLS1_3_VERSION, p256, p256) == NO_PROOF);
	CHECK(meet(server, &late, TLS1_3_VERSION, p256, p256) == NO_PROOF);
	CHECK(meet(server, &ann, TLS1_2_VERSION, p256, p256) == NO_PROOF);
	person_drop(&late);
	server_drop(&server);
}

TEST(nobody_is_asked_for_a_certificate_where_none_is_wanted)
{
	struct tls_server *server = server_new();

	CHECK(meet(server, &ann, TLS1_3_VERSION, p256, p256) == NO_PROOF);
	CHECK(!tls_server_ask_client(server, STR("no roots")));
	server_drop(&server);
}
