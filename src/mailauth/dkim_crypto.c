#include "mailauth/dkim_crypto.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

/* OpenSSL takes numbers with the least octet first here. */
static size_t turned(struct str number, unsigned char *to)
{
	for (size_t i = 0; i < number.len; i++)
		to[i] = (unsigned char)number.ptr[number.len - 1 - i];
	return number.len;
}

static EVP_PKEY *rsa_key(const struct dkim_key *key)
{
	unsigned char modulus[DKIM_RSA_BITS_MAX / 8], exponent[DKIM_EXPONENT_BYTES_MAX];
	EVP_PKEY_CTX *context;
	EVP_PKEY *made = NULL;

	if (key->modulus.len > sizeof modulus || key->exponent.len > sizeof exponent)
		return NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus,
					turned(key->modulus, modulus)),
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent,
					turned(key->exponent, exponent)),
		OSSL_PARAM_construct_end(),
	};
	context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	if (!context || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, params) != 1)
		made = NULL;
	EVP_PKEY_CTX_free(context);
	return made;
}

static bool rsa_is_good(EVP_PKEY *key, const unsigned char hash[DKIM_HASH_BYTES],
			struct str signature)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	bool is_good = context && EVP_PKEY_verify_init(context) == 1 &&
		       EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
		       EVP_PKEY_verify(context, (const unsigned char *)signature.ptr,
				       signature.len, hash, DKIM_HASH_BYTES) == 1;

	EVP_PKEY_CTX_free(context);
	return is_good;
}

/* RFC 8463 §3: PureEdDSA over the hash. */
static bool ed25519_is_good(EVP_PKEY *key, const unsigned char hash[DKIM_HASH_BYTES],
			    struct str signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_good = context &&
		       EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
		       EVP_DigestVerify(context, (const unsigned char *)signature.ptr,
					signature.len, hash, DKIM_HASH_BYTES) == 1;

	EVP_MD_CTX_free(context);
	return is_good;
}

enum dkim_check dkim_check(const struct dkim_key *key,
			   const unsigned char hash[DKIM_HASH_BYTES],
			   struct str signature)
{
	bool is_rsa = key->type == DKIM_KEY_RSA, is_good;
	EVP_PKEY *made = is_rsa ? rsa_key(key)
				: EVP_PKEY_new_raw_public_key(
					  EVP_PKEY_ED25519, NULL,
					  (const unsigned char *)key->public_key.ptr,
					  key->public_key.len);

	if (!made) {
		ERR_clear_error();
		return DKIM_CHECK_NO_KEY;
	}
	is_good = is_rsa ? rsa_is_good(made, hash, signature)
			 : ed25519_is_good(made, hash, signature);
	EVP_PKEY_free(made);
	ERR_clear_error();
	return is_good ? DKIM_CHECK_GOOD : DKIM_CHECK_WRONG;
}
