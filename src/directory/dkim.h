/* Which DKIM keys a domain of ours has, and what each is good for now.  The keys
 * themselves are in the vault (vault/vault.h), by domain and selector. */
#pragma once

#include "directory/directory.h"
#include "vault/vault.h"

enum dkim_key_state {
	DKIM_KEY_NEXT = 1,    /* made; signs once the DNS shows it */
	DKIM_KEY_ACTIVE = 2,  /* signs */
	DKIM_KEY_RETIRED = 3, /* signs no more; stays published for mail on its way */
};
enum { DIRECTORY_DKIM_MAX = 20, DKIM_RETIRED_DAYS = 7 };

struct directory_dkim {
	struct str selector;
	enum vault_dkim_kind kind;
	enum dkim_key_state state;
	int64_t since_s; /* when it came to that state */
};

/* The domain's one spelling, and its keys in the order they were made; count 0 if it has
 * none.  ABSENT: no domain of ours; INVALID: none that can be.  May suspend. */
enum store_outcome directory_dkim(const struct directory *directory, struct str *domain,
				  struct arena *arena, struct directory_dkim **keys,
				  size_t *count);
/* Replaces the list; at most DIRECTORY_DKIM_MAX.  domain as directory_dkim() gave it. */
enum store_outcome directory_set_dkim(const struct directory *directory,
				      struct str domain,
				      const struct directory_dkim *keys, size_t count);
