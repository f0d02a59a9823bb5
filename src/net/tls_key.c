/* OpenSSL 3 calls these methods deprecated, and has no other way, short of a provider, to
 * put a key's private operation elsewhere. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "net/tls_key.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>

enum { SIGNATURE_BYTES_MAX = 2048, RSA_BYTES_MAX = 1024 };

static int rsa_index(void)
{
	static int index = -1;

	if (index < 0)
		index = RSA_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

static int ec_index(void)
{
	static int index = -1;

	if (index < 0)
		index = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

static bool sign(const struct tls_key *key, enum sign_kind kind, const void *input,
		 size_t len, struct buf *signature)
{
	struct str id = {key->id, key->id_len};

	return key->sign(key->arg, id, kind, (struct str){input, len}, signature) &&
	       buf_ok(signature);
}

static int rsa_raw(const struct tls_key *key, const unsigned char *block, size_t len,
		   unsigned char *to)
{
	struct buf signature = BUF(len);
	int result = -1;

	if (sign(key, SIGN_RSA, block, len, &signature) && signature.len == len) {
		memcpy(to, signature.ptr, len);
		result = (int)len;
	}
	buf_fini(&signature);
	return result;
}

/* PSS comes padded; PKCS #1 v1.5 (RFC 8017 §9.2) comes as the DigestInfo. */
static int rsa_private(int len, const unsigned char *from, unsigned char *to, RSA *rsa,
		       int padding)
{
	const struct tls_key *key = RSA_get_ex_data(rsa, rsa_index());
	unsigned char block[RSA_BYTES_MAX];
	int size = RSA_size(rsa);

	if (!key || len < 0 || size > RSA_BYTES_MAX)
		return -1;
	if (padding == RSA_NO_PADDING && len == size)
		return rsa_raw(key, from, (size_t)size, to);
	if (padding != RSA_PKCS1_PADDING ||
	    RSA_padding_add_PKCS1_type_1(block, size, from, len) != 1)
		return -1;
	return rsa_raw(key, block, (size_t)size, to);
}

static const RSA_METHOD *rsa_method(void)
{
	static RSA_METHOD *method;

	if (!method) {
		method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
		ASSERT(method && RSA_meth_set1_name(method, "remote") == 1 &&
		       RSA_meth_set_flags(method, RSA_METHOD_FLAG_NO_CHECK) == 1 &&
		       RSA_meth_set_priv_enc(method, rsa_private) == 1);
	}
	return method;
}

static int ec_sign(int type, const unsigned char *digest, int len, unsigned char *to,
		   unsigned *to_len, const BIGNUM *kinv, const BIGNUM *r, EC_KEY *ec)
{
	const struct tls_key *key = EC_KEY_get_ex_data(ec, ec_index());
	struct buf signature = BUF(SIGNATURE_BYTES_MAX);

	(void)type;
	(void)kinv;
	(void)r;
	bool is_signed = key && len > 0 &&
			 sign(key, SIGN_ECDSA, digest, (size_t)len, &signature) &&
			 signature.len <= (size_t)ECDSA_size(ec);

	if (is_signed) {
		memcpy(to, signature.ptr, signature.len);
		*to_len = (unsigned)signature.len;
	}
	buf_fini(&signature);
	return is_signed;
}

static const EC_KEY_METHOD *ec_method(void)
{
	static EC_KEY_METHOD *method;

	if (!method) {
		method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
		ASSERT(method);
		EC_KEY_METHOD_set_sign(method, ec_sign, NULL, NULL);
	}
	return method;
}

static EVP_PKEY *over_rsa(const EVP_PKEY *public_key, struct tls_key *key)
{
	RSA *rsa = RSAPublicKey_dup(EVP_PKEY_get0_RSA(public_key));
	EVP_PKEY *made = EVP_PKEY_new();

	ASSERT(rsa && made && RSA_set_method(rsa, rsa_method()) == 1 &&
	       RSA_set_ex_data(rsa, rsa_index(), key) == 1 &&
	       EVP_PKEY_assign_RSA(made, rsa) == 1);
	return made;
}

static EVP_PKEY *over_ec(const EVP_PKEY *public_key, struct tls_key *key)
{
	EC_KEY *ec = EC_KEY_dup(EVP_PKEY_get0_EC_KEY(public_key));
	EVP_PKEY *made = EVP_PKEY_new();

	ASSERT(ec && made && EC_KEY_set_method(ec, ec_method()) == 1 &&
	       EC_KEY_set_ex_data(ec, ec_index(), key) == 1 &&
	       EVP_PKEY_assign_EC_KEY(made, ec) == 1);
	return made;
}

EVP_PKEY *tls_key_over(EVP_PKEY *public_key, struct tls_key *key)
{
	switch (EVP_PKEY_get_base_id(public_key)) {
	case EVP_PKEY_RSA:
		return over_rsa(public_key, key);
	case EVP_PKEY_EC:
		return over_ec(public_key, key);
	default:
		return NULL;
	}
}
