/* DKIM keys: made, kept, and signed with, one for each domain and selector. */
#pragma once

#include "vault/vault.h"
#include "vaultd/secrets.h"

struct dkim_keys;

/* secrets is borrowed. */
struct dkim_keys *dkim_keys_new(struct secrets *secrets);
void dkim_keys_free(struct dkim_keys **keys);

/* vault_make_dkim(); may suspend. */
enum vault_outcome dkim_keys_make(struct dkim_keys *keys, const struct vault_dkim *name,
				  enum vault_dkim_kind kind, struct buf *record);
/* vault_forget_dkim(); may suspend. */
enum vault_outcome dkim_keys_forget(struct dkim_keys *keys,
				    const struct vault_dkim *name);
/* These do not suspend. */
enum vault_outcome dkim_keys_record(struct dkim_keys *keys, const struct vault_dkim *name,
				    struct buf *record);
enum vault_outcome dkim_keys_sign(struct dkim_keys *keys, const struct vault_dkim *name,
				  struct str hash, struct buf *signature);
