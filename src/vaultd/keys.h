/* TLS certificates and their private keys, by host name.  A name without one gets a
 * self-signed one (ECDSA P-256), made when first asked for.
 */
#pragma once

#include "vault/vault.h"
#include "vaultd/secrets.h"

struct keys;

/* secrets is borrowed. */
struct keys *keys_new(struct secrets *secrets);
void keys_free(struct keys **keys);

/* These may suspend. */
enum vault_outcome keys_certificate(struct keys *keys, struct str host, struct buf *chain,
				    struct buf *key_id);
enum vault_outcome keys_import(struct keys *keys, struct str host, struct str chain_pem,
			       struct str key_pem);
/* Does not suspend. */
enum vault_outcome keys_sign(struct keys *keys, struct str key_id,
			     enum vault_sign_kind kind, struct str input,
			     struct buf *signature);
