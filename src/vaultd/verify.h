/* Is this the password?  From memory if it was right a moment ago, else by Argon2id; an
 * account that does not exist costs the same.  Equal questions that come together are
 * answered by one computation. */
#pragma once

#include "vault/vault.h"
#include "vaultd/hasher.h"
#include "vaultd/secrets.h"

struct verifier;

/* Both are borrowed. */
struct verifier *verifier_new(struct secrets *secrets, struct hasher *hasher);
void verifier_free(struct verifier **verifier);
/* May suspend.  On OK *generation is the one of the password that was right. */
enum vault_outcome verifier_ask(struct verifier *verifier, uint32_t account,
				struct str password, struct str peer,
				uint32_t *generation);
/* The account's password has changed. */
void verifier_forget(struct verifier *verifier, uint32_t account);
