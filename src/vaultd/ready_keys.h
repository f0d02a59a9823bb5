/* Private keys that are kept ready for use, by the names that they have among the
 * secrets: those of certificates and of DKIM.  Nothing here suspends.
 */
#pragma once

#include "vault/codec.h"
#include "vaultd/secrets.h"
#include "vaultd/x509.h"

enum {
	READY_KEYS_MAX = 64,
	/* A letter, then an id, or a domain, a zero octet and a selector. */
	READY_NAME_MAX = 1 + VAULT_HOST_MAX + 1 + VAULT_SELECTOR_MAX,
	KEY_DER_BYTES_MAX = 16 * 1024,
};

struct ready_key {
	char name[READY_NAME_MAX];
	size_t name_len;
	EVP_PKEY *key;
};

/* Zero-initialised but for the secrets, which are borrowed. */
struct ready_keys {
	struct secrets *secrets;
	struct ready_key keys[READY_KEYS_MAX];
	size_t next; /* the one to be replaced */
};

void ready_keys_fini(struct ready_keys *ready);
/* From memory or disk; NULL: there is none.  Good until the next call. */
EVP_PKEY *ready_keys_find(struct ready_keys *ready, struct str name);
void ready_keys_forget(struct ready_keys *ready, struct str name);

/* The key for the disk; false if it is longer than KEY_DER_BYTES_MAX.  Afterwards
 * secret_wipe() it. */
[[nodiscard]] bool ready_keys_write(const EVP_PKEY *key, struct buf *der);
void secret_wipe(struct buf *buf);
