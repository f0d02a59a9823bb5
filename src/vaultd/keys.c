#include "vaultd/keys.h"

#include <openssl/evp.h>

#include "base/codec.h"
#include "base/log.h"
#include "base/mem.h"
#include "vaultd/ready_keys.h"

enum {
	SELF_SIGNED_MAX = 1000, /* made in one life of the process: a door that went bad
				   must not fill the disk */
	NAME_BYTES_MAX = 1 + VAULT_HOST_MAX,
	VALUE_BYTES_MAX = VAULT_PEM_MAX + 256,
};

struct keys {
	struct ready_keys ready;
	unsigned self_signed;
};

struct keys *keys_new(struct secrets *secrets)
{
	struct keys *keys = NEW(struct keys);

	keys->ready.secrets = secrets;
	return keys;
}

void keys_free(struct keys **keys)
{
	if (!*keys)
		return;
	ready_keys_fini(&(*keys)->ready);
	mem_free(*keys);
	*keys = NULL;
}

/* A certificate's name is a host name: nothing in it can mean anything to OpenSSL's
 * configuration language. */
static bool is_host(struct str host)
{
	if (host.len == 0 || host.len > VAULT_HOST_MAX)
		return false;
	for (size_t i = 0; i < host.len; i++) {
		unsigned char c = (unsigned char)ascii_lower(host.ptr[i]);

		if (!(c >= 'a' && c <= 'z') && !is_ascii_digit(c) && c != '.' && c != '-')
			return false;
	}
	return true;
}

static void host_key(struct buf *key, struct str host)
{
	buf_add_byte(key, 'c');
	for (size_t i = 0; i < host.len; i++)
		buf_add_byte(key, ascii_lower(host.ptr[i]));
}

static err_t find(struct keys *keys, struct str name, struct buf *chain,
		  struct buf *key_id)
{
	SCOPED(buf_fini) struct buf value = BUF(VALUE_BYTES_MAX);

	TRY(secrets_get(keys->ready.secrets, name, &value));
	struct dec dec = dec_over(buf_str(&value));
	struct str id = dec_str(&dec), pem = dec_str(&dec);

	if (!dec_done(&dec))
		return ERR_SYNTAX;
	buf_add(key_id, id);
	buf_add(chain, pem);
	return OK;
}

/* Keeps a key and its chain under the host's name. */
static err_t keep(struct keys *keys, struct str name, const EVP_PKEY *key,
		  struct str chain, bool only_new)
{
	SCOPED(secret_wipe) struct buf der = BUF(KEY_DER_BYTES_MAX);
	SCOPED(buf_fini) struct buf id = BUF(1 + VAULT_KEY_ID_MAX);
	SCOPED(buf_fini) struct buf value = BUF(VALUE_BYTES_MAX);

	buf_add_byte(&id, 'k');
	if (!x509_key_id(key, &id) || !ready_keys_write(key, &der))
		return ERR_LIMIT;
	enc_str(&value, str_skip(buf_str(&id), 1));
	enc_str(&value, chain);
	const struct secret_pair pairs[] = {{name, buf_str(&value)},
					    {buf_str(&id), buf_str(&der)}};

	return buf_ok(&value) ? secrets_put(keys->ready.secrets, pairs, 2, only_new)
			      : ERR_LIMIT;
}

static err_t make(struct keys *keys, struct str name, struct str host)
{
	SCOPED(x509_key_free) EVP_PKEY *key = NULL;
	SCOPED(buf_fini) struct buf chain = BUF(VAULT_PEM_MAX);

	if (keys->self_signed >= SELF_SIGNED_MAX)
		return ERR_LIMIT;
	keys->self_signed++;
	key = x509_key_new();
	if (!key || !x509_self_sign(key, host, &chain))
		return ERR_IO;
	err_t err = keep(keys, name, key, buf_str(&chain), true);
	if (err == ERR_DENIED) /* another caller was quicker */
		return OK;
	TRY(err);
	LOG(INFO, "self-signed certificate made", KV_STR("host", host));
	return OK;
}

enum vault_outcome keys_certificate(struct keys *keys, struct str host, struct buf *chain,
				    struct buf *key_id)
{
	SCOPED(buf_fini) struct buf name = BUF(NAME_BYTES_MAX);

	if (!is_host(host))
		return VAULT_REFUSED;
	host_key(&name, host);
	err_t err = find(keys, buf_str(&name), chain, key_id);
	if (err == ERR_ABSENT) {
		err = make(keys, buf_str(&name), host);
		if (err == OK)
			err = find(keys, buf_str(&name), chain, key_id);
	}
	return err == OK ? VAULT_OK : VAULT_LATER;
}

enum vault_outcome keys_import(struct keys *keys, struct str host, struct str chain_pem,
			       struct str key_pem)
{
	SCOPED(x509_key_free) EVP_PKEY *key = NULL;
	SCOPED(buf_fini) struct buf name = BUF(NAME_BYTES_MAX);

	if (!is_host(host))
		return VAULT_REFUSED;
	key = x509_key_read_pem(key_pem);
	if (!key || !x509_chain_fits(chain_pem, key))
		return VAULT_REFUSED;
	host_key(&name, host);
	err_t err = keep(keys, buf_str(&name), key, chain_pem, false);
	return err == OK ? VAULT_OK : VAULT_LATER;
}

/* The key of that id, from memory or disk; the keeper's. */
static EVP_PKEY *key_of(struct keys *keys, struct str id)
{
	SCOPED(buf_fini) struct buf name = BUF(1 + VAULT_KEY_ID_MAX);

	buf_add_byte(&name, 'k');
	buf_add(&name, id);
	return ready_keys_find(&keys->ready, buf_str(&name));
}

enum vault_outcome keys_sign(struct keys *keys, struct str key_id,
			     enum vault_sign_kind kind, struct str input,
			     struct buf *signature)
{
	EVP_PKEY *key = key_id.len > 0 && key_id.len <= VAULT_KEY_ID_MAX
				? key_of(keys, key_id)
				: NULL;

	if (!key || x509_sign(key, kind, input, signature) != OK)
		return VAULT_REFUSED;
	return VAULT_OK;
}
