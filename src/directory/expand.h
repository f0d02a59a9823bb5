/* Following aliases to the end, with a guard against loops: what route/ and the right to
 * send as an address share. */
#pragma once

#include "directory/directory.h"

enum {
	EXPAND_LEAVES_MAX = 1000,
	EXPAND_DEPTH_MAX = 10, /* aliases of aliases */
};

struct expand_leaf {
	enum directory_find find; /* DIRECTORY_ACCOUNT or DIRECTORY_FOREIGN */
	struct str address;       /* as written, with the domain's one spelling */
	account_t account;
};

struct expansion {
	/* Where the address itself leads: ACCOUNT, ALIAS, NOBODY or FOREIGN; UNKNOWN if
	 * any step cannot be told now. */
	enum directory_find found;
	bool is_endless; /* too deep, too many, or leading nowhere but to itself */
	struct expand_leaf *leaves; /* each account and each foreign address once */
	size_t count;
};

/* Targets that lead to nobody are left out.  A list that names itself beside others
 * serves the others.  Slices live in arena.  May suspend. */
void directory_expand(const struct directory *directory, struct str local,
		      struct str domain, struct arena *arena,
		      struct expansion *expansion);
