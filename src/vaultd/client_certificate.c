#include "vaultd/client_certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

enum { PADDING_BYTES = 64, SIGNED_MAX = 256 };

static const unsigned char *octets(struct str s)
{
	return (const unsigned char *)s.ptr;
}

static bool add_fingerprint(struct buf *fingerprint, const unsigned char digest[],
			    unsigned len)
{
	buf_add(fingerprint, (struct str){(const char *)digest, len});
	return buf_ok(fingerprint);
}

bool client_certificate_read(struct str pem, struct buf *fingerprint)
{
	BIO *bio = pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
	X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool is_read =
		certificate && X509_digest(certificate, EVP_sha256(), digest, &len) == 1;

	X509_free(certificate);
	BIO_free(bio);
	ERR_clear_error();
	return is_read && add_fingerprint(fingerprint, digest, len);
}

bool client_certificate_name(const struct tls_proof *proof, struct buf *fingerprint)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	return EVP_Digest(proof->certificate.ptr, proof->certificate.len, digest, &len,
			  EVP_sha256(), NULL) == 1 &&
	       add_fingerprint(fingerprint, digest, len);
}

/* SignatureScheme, RFC 8446 §4.2.3; those for certificates alone are left out. */
static const struct scheme {
	uint16_t number;
	int key; /* EVP_PKEY_... */
	const char *digest;
} schemes[] = {
	{0x0403, EVP_PKEY_EC, "SHA256"},      {0x0503, EVP_PKEY_EC, "SHA384"},
	{0x0603, EVP_PKEY_EC, "SHA512"},      {0x0804, EVP_PKEY_RSA, "SHA256"},
	{0x0805, EVP_PKEY_RSA, "SHA384"},     {0x0806, EVP_PKEY_RSA, "SHA512"},
	{0x0807, EVP_PKEY_ED25519, NULL},     {0x0808, EVP_PKEY_ED448, NULL},
	{0x0809, EVP_PKEY_RSA_PSS, "SHA256"}, {0x080a, EVP_PKEY_RSA_PSS, "SHA384"},
	{0x080b, EVP_PKEY_RSA_PSS, "SHA512"},
};

static const struct scheme *scheme_find(uint16_t number, EVP_PKEY *key)
{
	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		if (schemes[i].number == number)
			return EVP_PKEY_get_base_id(key) == schemes[i].key ? &schemes[i]
									   : NULL;
	return NULL;
}

static bool is_rsa(const struct scheme *scheme)
{
	return scheme->key == EVP_PKEY_RSA || scheme->key == EVP_PKEY_RSA_PSS;
}

/* RSA signs with PSS, whose salt is as long as the digest. */
static bool set_padding(EVP_PKEY_CTX *context, const struct scheme *scheme)
{
	if (!is_rsa(scheme))
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

/* RFC 8017 §8.1.2: a signature by RSA is as long as its key; libcrypto also takes one
 * without the zeros it starts with. */
static bool is_whole(struct str signature, const struct scheme *scheme, EVP_PKEY *key)
{
	return !is_rsa(scheme) || signature.len == (size_t)EVP_PKEY_get_size(key);
}

/* What is signed: 64 spaces, the context, NUL, the transcript's hash. */
static bool is_signed(const struct tls_proof *proof, EVP_PKEY *key)
{
	static const char context[] = "TLS 1.3, client CertificateVerify";
	const struct scheme *scheme = scheme_find(proof->scheme, key);
	SCOPED(buf_fini) struct buf text = BUF(SIGNED_MAX);
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how;

	buf_printf(&text, "%*s", PADDING_BYTES, "");
	buf_add(&text, (struct str){context, sizeof context}); /* with its NUL */
	buf_add(&text, proof->transcript);
	bool is_good =
		scheme && is_whole(proof->signature, scheme, key) && digest &&
		buf_ok(&text) &&
		EVP_DigestVerifyInit_ex(digest, &how, scheme->digest, NULL, NULL, key,
					NULL) == 1 &&
		set_padding(how, scheme) &&
		EVP_DigestVerify(digest, octets(proof->signature), proof->signature.len,
				 octets(buf_str(&text)), text.len) == 1;

	EVP_MD_CTX_free(digest);
	return is_good;
}

bool client_certificate_proves(const struct tls_proof *proof)
{
	const unsigned char *at = octets(proof->certificate);
	X509 *certificate = d2i_X509(NULL, &at, (long)proof->certificate.len);
	EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate) : NULL;
	bool is_good = key &&
		       X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
		       X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0 &&
		       is_signed(proof, key);

	X509_free(certificate);
	ERR_clear_error();
	return is_good;
}
