#include "vaultd/x509.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/log.h"

enum { VALID_DAYS = 3650, CHAIN_MAX = 10 };

static bool failed(const char *what)
{
	char text[200] = "";

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof text);
	ERR_clear_error();
	LOG(WARN, "openssl refused", KV("operation", what), KV("error", text));
	return false;
}

static const unsigned char *octets(struct str s)
{
	union {
		const char *text;
		const unsigned char *octets;
	} ptr = {s.ptr};

	return ptr.octets;
}

static void cert_free(X509 **cert)
{
	X509_free(*cert);
	*cert = NULL;
}

static void bio_free(BIO **bio)
{
	BIO_free_all(*bio);
	*bio = NULL;
}

void x509_key_free(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
	*key = NULL;
}

EVP_PKEY *x509_key_new(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	if (!key)
		(void)failed("make key");
	return key;
}

bool x509_key_write(const EVP_PKEY *key, struct buf *der)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	unsigned char *bytes = NULL;
	int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &bytes) : -1;

	PKCS8_PRIV_KEY_INFO_free(info);
	if (len <= 0)
		return failed("write key");
	buf_add(der, (struct str){(const char *)bytes, (size_t)len});
	OPENSSL_clear_free(bytes, (size_t)len);
	return buf_ok(der);
}

EVP_PKEY *x509_key_read(struct str der)
{
	const unsigned char *at = octets(der);
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)der.len);

	if (!key)
		(void)failed("read key");
	return key;
}

/* Nobody is there to type a pass phrase. */
static int no_pass_phrase(char *text, int size, int is_writing, void *arg)
{
	(void)text, (void)size, (void)is_writing, (void)arg;
	return -1;
}

EVP_PKEY *x509_key_read_pem(struct str pem)
{
	SCOPED(bio_free)
	BIO *bio = pem.len <= INT_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
	EVP_PKEY *key =
		bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL) : NULL;

	if (!key)
		(void)failed("read key");
	return key;
}

bool x509_key_id(const EVP_PKEY *key, struct buf *id)
{
	unsigned char digest[EVP_MAX_MD_SIZE], *der = NULL;
	unsigned digest_len = 0;
	int len = i2d_PUBKEY(key, &der);
	bool is_hashed = len > 0 && EVP_Digest(der, (size_t)len, digest, &digest_len,
					       EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	if (!is_hashed)
		return failed("name key");
	for (unsigned i = 0; i < 16; i++)
		buf_printf(id, "%02x", digest[i]);
	return buf_ok(id);
}

static bool add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	bool is_added = extension && X509_add_ext(cert, extension, -1) == 1;

	X509_EXTENSION_free(extension);
	return is_added;
}

/* host has been checked to be letters, digits, dots and hyphens. */
static bool fill(X509 *cert, EVP_PKEY *key, struct str host)
{
	char names[512];
	X509_NAME *subject = X509_get_subject_name(cert);
	uint64_t serial = 0;

	(void)snprintf(names, sizeof names, "DNS:%.*s,DNS:localhost,IP:127.0.0.1,IP:::1",
		       STR_FMT(host));
	/* RFC 5280 appendix A.1: a common name has at most 64 characters. */
	struct str common = str_first(host, 64);

	return RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 &&
	       ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1) == 1 &&
	       X509_set_version(cert, X509_VERSION_3) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
	       X509_gmtime_adj(X509_getm_notAfter(cert), 86400l * VALID_DAYS) &&
	       X509_set_pubkey(cert, key) == 1 &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, octets(common),
					  (int)common.len, -1, 0) == 1 &&
	       X509_set_issuer_name(cert, subject) == 1 &&
	       add_extension(cert, NID_subject_alt_name, names) &&
	       add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(cert, NID_subject_key_identifier, "hash");
}

bool x509_self_sign(EVP_PKEY *key, struct str host, struct buf *pem)
{
	SCOPED(cert_free) X509 *cert = X509_new();
	SCOPED(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	char *text;

	if (!cert || !bio || !fill(cert, key, host) ||
	    X509_sign(cert, key, EVP_sha256()) == 0 || PEM_write_bio_X509(bio, cert) != 1)
		return failed("make certificate");
	long len = BIO_get_mem_data(bio, &text);
	buf_add(pem, (struct str){text, (size_t)len});
	return buf_ok(pem);
}

bool x509_chain_fits(struct str chain_pem, const EVP_PKEY *key)
{
	SCOPED(bio_free)
	BIO *bio = chain_pem.len <= INT_MAX
			   ? BIO_new_mem_buf(chain_pem.ptr, (int)chain_pem.len)
			   : NULL;
	bool is_fitting = false;

	for (int i = 0; bio && i < CHAIN_MAX; i++) {
		SCOPED(cert_free)
		X509 *cert = PEM_read_bio_X509(bio, NULL, no_pass_phrase, NULL);

		if (!cert)
			break; /* the end, or nothing that we could serve */
		if (i == 0)
			is_fitting = X509_check_private_key(cert, key) == 1;
	}
	ERR_clear_error();
	return is_fitting;
}

static bool is_of_kind(const EVP_PKEY *key, enum vault_sign_kind kind)
{
	switch (kind) {
	case VAULT_SIGN_ECDSA:
		return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC;
	case VAULT_SIGN_RSA_RAW:
		return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
	}
	return false;
}

err_t x509_sign(EVP_PKEY *key, enum vault_sign_kind kind, struct str input,
		struct buf *signature)
{
	size_t len = (size_t)EVP_PKEY_get_size(key);

	if (!is_of_kind(key, kind) || input.len == 0 || input.len > len)
		return ERR_DENIED;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	char *room = buf_room(signature, len);
	bool is_signed = context && room && EVP_PKEY_sign_init(context) == 1 &&
			 (kind == VAULT_SIGN_ECDSA ||
			  EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1) &&
			 EVP_PKEY_sign(context, (unsigned char *)room, &len,
				       octets(input), input.len) == 1;

	EVP_PKEY_CTX_free(context);
	if (!is_signed) {
		(void)failed("sign");
		return ERR_DENIED;
	}
	buf_grew(signature, len);
	return OK;
}
