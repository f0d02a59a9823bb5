/* The vault's secrets on disk: one small LMDB file, written by one thread that commits
 * for everybody who waits, durably.
 *
 *   p ACCOUNT(be32)   u8 version 2, u32 generation, u64 changed at (unix), u8 is set,
 *                     16 salt, 32 Argon2id hash (19 MiB, 2 passes, 1 lane); then for
 *                     SCRAM-SHA-256: u32 iterations, or 0 and zeros, 16 salt,
 *                     32 StoredKey, 32 ServerKey.  Version 1 had nothing for SCRAM.
 *   a ACCOUNT(be32) FINGERPRINT, f FINGERPRINT
 *                     nothing, and u32 account: the client certificates (32 octets of
 *                     SHA-256) that log somebody in, each of one account only
 *   g                 32 octets: the key that grants are made with
 *   s                 32 octets: the key of SCRAM's nonces and invented salts
 *   c HOST            key id, certificate chain (PEM), both as enc_str()
 *   k KEY-ID          private key, PKCS #8 DER
 *   d DOMAIN NUL SELECTOR
 *                     private key of DKIM, PKCS #8 DER; both in lower case
 */
#pragma once

#include "base/buf.h"
#include "vaultd/hasher.h"
#include "vaultd/owners.h"
#include "vaultd/scram_keys.h"

struct secrets;

struct password {
	uint32_t generation; /* rises with each change; 0: there never was one */
	int64_t changed_at;  /* seconds since 1970 */
	bool is_set;
	unsigned char salt[HASHER_SALT_BYTES];
	unsigned char hash[HASHER_HASH_BYTES];
	struct scram_keys scram;
};

/* folder exists.  Failures are logged. */
[[nodiscard]] err_t secrets_open(const char *folder, struct secrets **secrets);
/* Nobody may be waiting. */
void secrets_close(struct secrets **secrets);

/* OK with generation 0 if nothing is known of the account; ERR_IO. */
[[nodiscard]] err_t secrets_password(struct secrets *secrets, uint32_t account,
				     struct password *password);
/* Appends the value; ERR_ABSENT, ERR_IO. */
[[nodiscard]] err_t secrets_get(struct secrets *secrets, struct str key,
				struct buf *value);
/* Appends {u32 account, u32 generation} of all whose credentials changed at or after
 * that moment, and not for the first time. */
[[nodiscard]] err_t secrets_changed_since(struct secrets *secrets, int64_t since,
					  struct buf *pairs);

/* Durable when OK; may suspend.  Each raises the generation and tells it. */
[[nodiscard]] err_t secrets_set_password(struct secrets *secrets, uint32_t account,
					 const struct password *fresh,
					 uint32_t *generation);
/* ERR_ABSENT if from has none. */
[[nodiscard]] err_t secrets_share_password(struct secrets *secrets, uint32_t account,
					   uint32_t from, uint32_t *generation);
[[nodiscard]] err_t secrets_forget(struct secrets *secrets, uint32_t account,
				   uint32_t *generation);

/* The whole file to fd, as it stood at one commit; may suspend. */
[[nodiscard]] err_t secrets_copy(struct secrets *secrets, int fd);
/* Durable when OK; may suspend.  ERR_DENIED if it is another account's; adding one that
 * is there changes nothing.  Raises the generation only from 0, so that there is one to
 * raise later. */
[[nodiscard]] err_t secrets_add_certificate(struct secrets *secrets, uint32_t account,
					    struct str fingerprint);
/* ERR_ABSENT if it is not this account's.  Raises the generation. */
[[nodiscard]] err_t secrets_remove_certificate(struct secrets *secrets, uint32_t account,
					       struct str fingerprint,
					       uint32_t *generation);
/* Whose it is, and what is known of that account at the same moment; ERR_ABSENT, ERR_IO.
 */
[[nodiscard]] err_t secrets_certificate(struct secrets *secrets, struct str fingerprint,
					uint32_t *account, struct password *password);
/* Appends the account's fingerprints. */
[[nodiscard]] err_t secrets_certificates(struct secrets *secrets, uint32_t account,
					 struct buf *fingerprints);

struct secret_pair {
	struct str key, value;
};
/* Durable when OK; may suspend.  All or none; with only_new ERR_DENIED, and none, if the
 * first key is there. */
[[nodiscard]] err_t secrets_put(struct secrets *secrets, const struct secret_pair *pairs,
				size_t count, bool only_new);
/* Durable when OK, also if it was not there; may suspend. */
[[nodiscard]] err_t secrets_remove(struct secrets *secrets, struct str key);
