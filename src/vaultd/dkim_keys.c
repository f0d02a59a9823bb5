#include "vaultd/dkim_keys.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/mem.h"
#include "rt/offload.h"
#include "vaultd/ready_keys.h"
#include "wire/dns/rdata.h"

enum {
	RSA_BITS = 2048, /* RFC 8301 §3.2; the record fits an answer by UDP */
};

struct dkim_keys {
	struct ready_keys ready;
};

struct dkim_keys *dkim_keys_new(struct secrets *secrets)
{
	struct dkim_keys *keys = NEW(struct dkim_keys);

	keys->ready.secrets = secrets;
	return keys;
}

void dkim_keys_free(struct dkim_keys **keys)
{
	if (!*keys)
		return;
	ready_keys_fini(&(*keys)->ready);
	mem_free(*keys);
	*keys = NULL;
}

static bool add_lower(struct buf *key, struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_add_byte(key, ascii_lower(text.ptr[i]));
	return text.len > 0 && dns_name_is_valid(text);
}

/* The name it is kept under; false if domain and selector make no name in the DNS. */
static bool kept_name(const struct vault_dkim *name, struct buf *key)
{
	static const struct str between = {"._domainkey.", 12};
	bool is_name;

	buf_add_byte(key, 'd');
	is_name = add_lower(key, name->domain);
	buf_add_byte(key, '\0');
	return add_lower(key, name->selector) && is_name && buf_ok(key) &&
	       name->selector.len + between.len + name->domain.len <= DNS_NAME_MAX - 2;
}

/* ---- making ------------------------------------------------------------------------ */

struct making {
	enum vault_dkim_kind kind;
	EVP_PKEY *key;
};

static void make(void *arg)
{
	struct making *making = arg;

	making->key = making->kind == VAULT_DKIM_RSA
			      ? EVP_RSA_gen(RSA_BITS)
			      : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

/* RFC 6376 §3.6.1, RFC 8463 §4.2 */
static bool add_record(const EVP_PKEY *key, struct buf *record)
{
	unsigned char raw[32], *der = NULL;
	size_t raw_len = sizeof raw;
	int der_len;

	if (EVP_PKEY_is_a(key, "ED25519")) {
		if (EVP_PKEY_get_raw_public_key(key, raw, &raw_len) != 1)
			return false;
		buf_add_c(record, "v=DKIM1; k=ed25519; p=");
		base64_add(record, (struct str){(const char *)raw, raw_len});
		return buf_ok(record);
	}
	der_len = i2d_PUBKEY(key, &der);
	if (der_len <= 0)
		return false;
	buf_add_c(record, "v=DKIM1; k=rsa; p=");
	base64_add(record, (struct str){(const char *)der, (size_t)der_len});
	OPENSSL_free(der);
	return buf_ok(record);
}

enum vault_outcome dkim_keys_make(struct dkim_keys *keys, const struct vault_dkim *name,
				  enum vault_dkim_kind kind, struct buf *record)
{
	SCOPED(buf_fini) struct buf kept = BUF(READY_NAME_MAX);
	SCOPED(secret_wipe) struct buf der = BUF(KEY_DER_BYTES_MAX);
	struct making making = {.kind = kind};

	if (!kept_name(name, &kept))
		return VAULT_REFUSED;
	offload(make, &making); /* primes take their time */
	SCOPED(x509_key_free) EVP_PKEY *key = making.key;

	if (!key || !ready_keys_write(key, &der))
		return VAULT_LATER;
	const struct secret_pair pair = {buf_str(&kept), buf_str(&der)};
	err_t err = secrets_put(keys->ready.secrets, &pair, 1, true);

	if (err != OK)
		return err == ERR_DENIED ? VAULT_REFUSED : VAULT_LATER;
	LOG(INFO, "DKIM key made", KV_STR("key", name->selector),
	    KV_STR("host", name->domain));
	return add_record(key, record) ? VAULT_OK : VAULT_LATER;
}

enum vault_outcome dkim_keys_record(struct dkim_keys *keys, const struct vault_dkim *name,
				    struct buf *record)
{
	SCOPED(buf_fini) struct buf kept = BUF(READY_NAME_MAX);
	EVP_PKEY *key = kept_name(name, &kept)
				? ready_keys_find(&keys->ready, buf_str(&kept))
				: NULL;

	return key && add_record(key, record) ? VAULT_OK : VAULT_REFUSED;
}

/* ---- forgetting -------------------------------------------------------------------- */

enum vault_outcome dkim_keys_forget(struct dkim_keys *keys, const struct vault_dkim *name)
{
	SCOPED(buf_fini) struct buf kept = BUF(READY_NAME_MAX);

	if (!kept_name(name, &kept))
		return VAULT_REFUSED;
	if (secrets_remove(keys->ready.secrets, buf_str(&kept)) != OK)
		return VAULT_LATER;
	ready_keys_forget(&keys->ready, buf_str(&kept));
	LOG(INFO, "DKIM key forgotten", KV_STR("key", name->selector),
	    KV_STR("host", name->domain));
	return VAULT_OK;
}

/* ---- signing ----------------------------------------------------------------------- */

static bool sign_rsa(EVP_PKEY *key, struct str hash, unsigned char *to, size_t *len)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	bool is_signed = context && EVP_PKEY_sign_init(context) == 1 &&
			 EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
			 EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
			 EVP_PKEY_sign(context, to, len, (const unsigned char *)hash.ptr,
				       hash.len) == 1;

	EVP_PKEY_CTX_free(context);
	return is_signed;
}

static bool sign_ed25519(EVP_PKEY *key, struct str hash, unsigned char *to, size_t *len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_signed = context &&
			 EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
			 EVP_DigestSign(context, to, len, (const unsigned char *)hash.ptr,
					hash.len) == 1;

	EVP_MD_CTX_free(context);
	return is_signed;
}

enum vault_outcome dkim_keys_sign(struct dkim_keys *keys, const struct vault_dkim *name,
				  struct str hash, struct buf *signature)
{
	SCOPED(buf_fini) struct buf kept = BUF(READY_NAME_MAX);
	EVP_PKEY *key = kept_name(name, &kept)
				? ready_keys_find(&keys->ready, buf_str(&kept))
				: NULL;
	unsigned char octets[RSA_BITS / 8];
	size_t len = sizeof octets;

	if (!key || hash.len != VAULT_DKIM_HASH_BYTES)
		return VAULT_REFUSED;
	bool is_signed = EVP_PKEY_is_a(key, "ED25519")
				 ? sign_ed25519(key, hash, octets, &len)
				 : sign_rsa(key, hash, octets, &len);

	ERR_clear_error();
	if (!is_signed)
		return VAULT_LATER;
	buf_add(signature, (struct str){(const char *)octets, len});
	return buf_ok(signature) ? VAULT_OK : VAULT_LATER;
}
