/* The DKIM keys of a domain as they come and go: made, shown by the DNS, signing, retired
 * and forgotten.  Done by who asks for them (postrider domain dkim) and, now and then, by
 * the server itself. */
#pragma once

#include "directory/dkim.h"
#include "mailauth/dns_lookup.h"

struct dkim_rollover {
	const struct directory *directory;
	struct vault *vault;
	struct dns_lookup lookup; /* for dkim_rollover_promote() */
	struct arena *arena;
	struct str domain;           /* in its one spelling */
	struct directory_dkim *keys; /* room for DIRECTORY_DKIM_MAX */
	size_t count;
	bool is_changed;
};

/* These may suspend.  The first needs directory, vault, arena and domain; it gives what
 * directory_dkim() gives. */
enum store_outcome dkim_rollover_load(struct dkim_rollover *rollover);
bool dkim_rollover_has(const struct dkim_rollover *rollover, enum dkim_key_state state);
/* An RSA and an Ed25519 key, which come next; false: the vault cannot make them now. */
bool dkim_rollover_make(struct dkim_rollover *rollover);
/* New keys sign when the DNS shows all of them; then those before them retire. */
void dkim_rollover_promote(struct dkim_rollover *rollover);
/* Forgets keys that retired DKIM_RETIRED_DAYS ago, in the vault, too. */
void dkim_rollover_forget(struct dkim_rollover *rollover);
/* If something has changed. */
enum store_outcome dkim_rollover_save(struct dkim_rollover *rollover);
/* Whether a record that is shown is of our key, however it is written. */
bool dkim_rollover_is_same(struct str shown, struct str ours, struct arena *arena);
/* Where the DNS shows a key, and what; "" if the vault does not know it. */
struct str dkim_rollover_name(const struct dkim_rollover *rollover,
			      const struct directory_dkim *key);
struct str dkim_rollover_record(const struct dkim_rollover *rollover,
				const struct directory_dkim *key);
