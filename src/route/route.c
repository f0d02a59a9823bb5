#include "route/route.h"

#include "directory/expand.h"
#include "directory/name.h"
#include "route/srs.h"
#include "rt/clock.h"

_Static_assert((int)ROUTE_TARGETS_MAX == (int)EXPAND_LEAVES_MAX &&
		       (int)ROUTE_ALIAS_DEPTH_MAX == (int)EXPAND_DEPTH_MAX,
	       "the bounds that route.h promises are kept in directory/expand");

static enum route route_targets(const struct expansion *expansion, struct arena *arena,
				struct route_target **targets, size_t *count)
{
	size_t local_count = 0;

	*targets = ARENA_ARRAY(arena, struct route_target, expansion->count);
	if (!*targets)
		return ROUTE_UNKNOWN;
	*count = expansion->count;
	for (size_t i = 0; i < *count; i++) {
		const struct expand_leaf *leaf = &expansion->leaves[i];
		bool is_local = leaf->find == DIRECTORY_ACCOUNT;

		local_count += is_local;
		(*targets)[i] = (struct route_target){
			.kind = is_local ? QUEUE_LOCAL : QUEUE_REMOTE,
			.address = leaf->address,
			.account = is_local ? leaf->account : ACCOUNT_SYSTEM,
		};
	}
	if (expansion->found == DIRECTORY_FOREIGN)
		return ROUTE_REMOTE;
	return local_count == *count ? ROUTE_LOCAL : ROUTE_MIXED;
}

/* No mailbox of ours has that name; it may be a sender that was rewritten here. */
static enum route route_back(const struct directory *directory, struct str local,
			     struct arena *arena, struct route_target **targets,
			     size_t *count)
{
	struct str address, back_local, back_domain;
	struct expansion expansion;

	switch (srs_back(directory, local, clock_s(), arena, &address)) {
	case SRS_DONE:
		break;
	case SRS_NONE:
		return ROUTE_NOBODY;
	case SRS_FORGED:
		return ROUTE_FORGED;
	case SRS_EXPIRED:
		return ROUTE_EXPIRED;
	case SRS_LATER:
		return ROUTE_UNKNOWN;
	}
	name_split(address, &back_local, &back_domain);
	directory_expand(directory, back_local, back_domain, arena, &expansion);
	if (expansion.found == DIRECTORY_UNKNOWN)
		return ROUTE_UNKNOWN;
	if (expansion.count == 0)
		return ROUTE_NOBODY;
	return route_targets(&expansion, arena, targets, count) == ROUTE_UNKNOWN
		       ? ROUTE_UNKNOWN
		       : ROUTE_BACK;
}

enum route route_find(const struct directory *directory, struct str local,
		      struct str domain, struct arena *arena,
		      struct route_target **targets, size_t *count)
{
	struct expansion expansion;

	*targets = NULL;
	*count = 0;
	directory_expand(directory, local, domain, arena, &expansion);
	if (expansion.found == DIRECTORY_UNKNOWN)
		return ROUTE_UNKNOWN;
	if (expansion.is_endless)
		return ROUTE_LOOP;
	if (expansion.found == DIRECTORY_NOBODY && expansion.count == 0)
		return route_back(directory, local, arena, targets, count);
	/* also an alias all of whose targets are gone */
	if (expansion.count == 0)
		return ROUTE_NOBODY;
	return route_targets(&expansion, arena, targets, count);
}
