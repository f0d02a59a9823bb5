#include "vaultd/client_certificate.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/test.h"

static X509 *certificate_new(EVP_PKEY *key, long from_s, long until_s)
{
	X509 *made = X509_new();

	CHECK(X509_set_version(made, X509_VERSION_3));
	CHECK(X509_gmtime_adj(X509_getm_notBefore(made), from_s));
	CHECK(X509_gmtime_adj(X509_getm_notAfter(made), until_s));
	CHECK(X509_set_pubkey(made, key));
	CHECK(X509_sign(made, key,
			EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL
								      : EVP_sha256()));
	return made;
}

/* What a client of TLS 1.3 signs. */
static void sign(EVP_PKEY *key, const char *digest, const char *context,
		 struct str transcript, struct buf *signature)
{
	SCOPED(buf_fini) struct buf text = BUF(256);
	EVP_MD_CTX *how = EVP_MD_CTX_new();
	EVP_PKEY_CTX *parameters;
	unsigned char octets[1024];
	size_t len = sizeof octets;

	buf_printf(&text, "%64s%s", "", context);
	buf_add_byte(&text, 0);
	buf_add(&text, transcript);
	CHECK(EVP_DigestSignInit_ex(how, &parameters, digest, NULL, NULL, key, NULL) ==
	      1);
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
		CHECK(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) ==
			      1 &&
		      EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters,
						       RSA_PSS_SALTLEN_DIGEST) == 1);
	CHECK(EVP_DigestSign(how, octets, &len, (const unsigned char *)text.ptr,
			     text.len) == 1);
	EVP_MD_CTX_free(how);
	buf_add(signature, (struct str){(char *)octets, len});
}

static const char client[] = "TLS 1.3, client CertificateVerify";

static bool proves(EVP_PKEY *key, uint16_t scheme, const char *digest, const char *said,
		   long from_s, long until_s)
{
	SCOPED(buf_fini) struct buf signature = BUF(1024), wrong = BUF(1024);
	const struct str transcript = STR("0123456789abcdef0123456789abcdef");
	X509 *certificate = certificate_new(key, from_s, until_s);
	unsigned char *der = NULL;
	int len = i2d_X509(certificate, &der);

	CHECK(len > 0);
	sign(key, digest, said, transcript, &signature);
	struct tls_proof proof = {.certificate = {(char *)der, (size_t)len},
				  .transcript = transcript,
				  .scheme = scheme,
				  .signature = buf_str(&signature)};
	bool is_proven = client_certificate_proves(&proof);

	proof.transcript = STR("0123456789abcdef0123456789abcdeF");
	CHECK(!client_certificate_proves(&proof));
	proof.transcript = transcript;
	buf_add(&wrong, str_skip(buf_str(&signature), 1));
	proof.signature = buf_str(&wrong);
	CHECK(!client_certificate_proves(&proof));
	proof.certificate = STR("no certificate");
	CHECK(!client_certificate_proves(&proof));
	OPENSSL_free(der);
	X509_free(certificate);
	return is_proven;
}

TEST(who_signed_the_handshake_owns_the_certificate)
{
	EVP_PKEY *ec = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(2048);
	EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	CHECK(proves(ec, 0x0403, "SHA256", client, -60, 60));
	CHECK(proves(rsa, 0x0804, "SHA256", client, -60, 60));
	CHECK(proves(rsa, 0x0806, "SHA512", client, -60, 60));
	CHECK(proves(ed, 0x0807, NULL, client, -60, 60));
	/* by another algorithm, as a server, too early, too late */
	CHECK(!proves(ec, 0x0503, "SHA256", client, -60, 60));
	CHECK(!proves(ec, 0x0804, "SHA256", client, -60, 60));
	CHECK(!proves(ec, 0, "SHA256", client, -60, 60));
	CHECK(!proves(ec, 0x0403, "SHA256", "TLS 1.3, server CertificateVerify", -60,
		      60));
	CHECK(!proves(ec, 0x0403, "SHA256", client, 30, 60));
	CHECK(!proves(ec, 0x0403, "SHA256", client, -60, -30));
	EVP_PKEY_free(ec);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ed);
}

/* About one of 256 signatures by RSA starts with a zero. */
TEST(a_signature_that_lost_its_first_zero_is_none)
{
	EVP_PKEY *key = EVP_RSA_gen(1024);
	X509 *certificate = certificate_new(key, -60, 60);
	SCOPED(buf_fini) struct buf signature = BUF(1024);
	unsigned char *der = NULL;
	int len = i2d_X509(certificate, &der);

	CHECK(len > 0);
	do {
		buf_reset(&signature);
		sign(key, "SHA256", client, STR("transcript"), &signature);
	} while (signature.ptr[0]);
	struct tls_proof proof = {.certificate = {(char *)der, (size_t)len},
				  .transcript = STR("transcript"),
				  .scheme = 0x0804,
				  .signature = buf_str(&signature)};
	CHECK(client_certificate_proves(&proof));
	proof.signature = str_skip(proof.signature, 1);
	CHECK(!client_certificate_proves(&proof));
	OPENSSL_free(der);
	X509_free(certificate);
	EVP_PKEY_free(key);
}
