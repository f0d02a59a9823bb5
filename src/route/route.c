#include "route/route.h"

#include "directory/expand.h"

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
	/* also an alias all of whose targets are gone */
	if (expansion.count == 0)
		return ROUTE_NOBODY;
	return route_targets(&expansion, arena, targets, count);
}
