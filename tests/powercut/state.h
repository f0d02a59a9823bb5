/* All that can be read of a store, account by account, made into numbers to compare. */
#pragma once

#include "powercut/note.h"
#include "storage/storage.h"

/* Reads everything of the account, bodies as well, and says in *why (static) what cannot
 * be read or does not add up: mailboxes and the account's sums must agree with their
 * rows. NULL: all is well.  An account that is not there is all zeros.  Times that the
 * system's clock gave are left out, and leases. */
const char *picture(struct storage *storage, account_t account, struct arena *arena,
		    struct account_state *state);
/* The same of all of them. */
const char *picture_all(struct storage *storage, struct arena *arena,
			struct account_state states[ACCOUNTS + 1]);
/* storage_open() with what load and check have in common.  False: *why says it. */
[[nodiscard]] bool state_open(const char *folder, struct arena *arena,
			      struct storage **storage, struct str *why);
/* What a repeat of the commit must answer. */
void promised_make(struct promised *promised, const struct store_commit *commit,
		   const struct store_result *result);
/* Adds what the result says of the operations promised->ops. */
void promised_read(struct promised *promised, const struct store_result *result);
