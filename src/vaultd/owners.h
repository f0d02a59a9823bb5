/* Whose a client's certificate is, in the vault's file (vaultd/secrets.h says how it is
 * kept).  A fingerprint is the SHA-256 of the certificate.  By the writer's thread, but
 * for finding and listing. */
#pragma once

#include "base/buf.h"
#include "db/kv.h"

enum { FINGERPRINT_BYTES = 32 };

/* OK if it is this account's already; ERR_DENIED if it is another's, or the account has a
 * hundred. */
[[nodiscard]] err_t owners_add(struct kv_txn *txn, uint32_t account,
			       struct str fingerprint);
/* ERR_ABSENT if it is not this account's. */
[[nodiscard]] err_t owners_remove(struct kv_txn *txn, uint32_t account,
				  struct str fingerprint);
/* All of the account's. */
[[nodiscard]] err_t owners_forget(struct kv_txn *txn, uint32_t account);
/* ERR_ABSENT if it is nobody's. */
[[nodiscard]] err_t owners_find(struct kv_txn *txn, struct str fingerprint,
				uint32_t *account);
/* Appends the account's. */
[[nodiscard]] err_t owners_list(struct kv_txn *txn, uint32_t account,
				struct buf *fingerprints);
