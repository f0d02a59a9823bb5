#include "directory/expand.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "directory/name.h"

enum { STEPS_MAX = 2 * EXPAND_LEAVES_MAX };

struct step {
	struct str local, domain; /* domain in its one spelling */
	unsigned depth;
};

struct walk {
	const struct directory *directory;
	struct arena *arena;
	struct step *steps; /* all addresses met; those before done have been followed */
	size_t done, count, room;
	struct expand_leaf *leaves;
	size_t leaf_count, leaf_room;
	uint64_t *seen; /* hashes of addresses and leaves, 0 is an empty place */
	size_t seen_count, seen_places;
	bool is_full; /* a bound was reached */
	bool met_again;
};

static void walk_fini(struct walk *walk)
{
	mem_free(walk->steps);
	mem_free(walk->leaves);
	mem_free(walk->seen);
}

/* The place of the hash, or the empty one where it belongs. */
static uint64_t *seen_place(uint64_t *seen, size_t places, uint64_t hash)
{
	size_t place = hash % places;

	while (seen[place] != 0 && seen[place] != hash)
		place = (place + 1) % places;
	return &seen[place];
}

static void walk_grow_seen(struct walk *walk)
{
	size_t places = walk->seen_places ? 4 * walk->seen_places : 64;
	uint64_t *seen = NEW_ARRAY(uint64_t, places);

	for (size_t i = 0; i < walk->seen_places; i++) {
		if (walk->seen[i] != 0)
			*seen_place(seen, places, walk->seen[i]) = walk->seen[i];
	}
	mem_free(walk->seen);
	walk->seen = seen;
	walk->seen_places = places;
}

/* True the first time.  A false "seen" needs a collision of a keyed 64-bit hash. */
static bool walk_is_new(struct walk *walk, uint64_t hash)
{
	uint64_t *place;

	hash += hash == 0;
	if (2 * walk->seen_count >= walk->seen_places)
		walk_grow_seen(walk);
	place = seen_place(walk->seen, walk->seen_places, hash);
	if (*place == hash)
		return false;
	*place = hash;
	walk->seen_count++;
	return true;
}

static struct str walk_address(struct walk *walk, const struct step *step)
{
	return arena_printf(walk->arena, "%.*s@%.*s", STR_FMT(step->local),
			    STR_FMT(step->domain));
}

static void walk_add_leaf(struct walk *walk, const struct step *step,
			  enum directory_find find, account_t account)
{
	struct str address = walk_address(walk, step);
	uint64_t hash =
		find == DIRECTORY_ACCOUNT ? hash64_number(account) : hash64(address);

	if (address.len == 0 || walk->leaf_count == EXPAND_LEAVES_MAX) {
		walk->is_full = true;
		return;
	}
	if (!walk_is_new(walk, hash))
		return;
	MEM_ROOM(walk->leaves, walk->leaf_count, walk->leaf_room);
	walk->leaves[walk->leaf_count++] = (struct expand_leaf){find, address, account};
}

/* Queues an address to be followed, unless it was before. */
static void walk_add_step(struct walk *walk, struct str local, struct str domain,
			  unsigned depth)
{
	struct step step = {local, domain, depth};
	struct str key, folded;

	if (domain.len == 0)
		step.domain = walk->directory->default_domain;
	if (!name_domain(step.domain, walk->arena, &step.domain))
		step.domain = domain; /* an address literal: foreign as it stands */
	if (!name_local(local, walk->arena, &folded))
		folded = local;
	key = arena_printf(walk->arena, "?%.*s@%.*s", STR_FMT(folded),
			   STR_FMT(step.domain));
	if (walk->count == STEPS_MAX || key.len == 0) {
		walk->is_full = true;
		return;
	}
	if (!walk_is_new(walk, hash64(key))) {
		walk->met_again = true;
		return;
	}
	MEM_ROOM(walk->steps, walk->count, walk->room);
	walk->steps[walk->count++] = step;
}

static void walk_add_targets(struct walk *walk, const struct step *step,
			     const struct directory_entry *entry)
{
	if (step->depth == EXPAND_DEPTH_MAX) {
		walk->is_full = true;
		return;
	}
	for (size_t i = 0; i < entry->target_count && !walk->is_full; i++) {
		struct str local, domain;

		name_split(entry->targets[i], &local, &domain);
		walk_add_step(walk, local, domain, step->depth + 1);
	}
}

static enum directory_find walk_step(struct walk *walk, struct step step)
{
	struct directory_entry entry;
	enum directory_find found = directory_find(walk->directory, step.local,
						   step.domain, walk->arena, &entry);

	switch (found) {
	case DIRECTORY_ACCOUNT:
	case DIRECTORY_FOREIGN:
		walk_add_leaf(walk, &step, found, entry.account);
		break;
	case DIRECTORY_ALIAS:
		walk_add_targets(walk, &step, &entry);
		break;
	case DIRECTORY_NOBODY:
		if (step.depth > 0)
			LOG(WARN, "alias leads to nobody",
			    KV_STR("rcpt", walk_address(walk, &step)));
		break;
	case DIRECTORY_UNKNOWN:
		break;
	}
	return found;
}

/* The common case, one account or one foreign address, needs no tables. */
static bool expand_single(const struct directory *directory, const struct step *step,
			  struct arena *arena, struct expansion *expansion)
{
	struct directory_entry entry;
	struct expand_leaf *leaf;

	expansion->found =
		directory_find(directory, step->local, step->domain, arena, &entry);
	if (expansion->found == DIRECTORY_ALIAS)
		return false;
	if (expansion->found != DIRECTORY_ACCOUNT &&
	    expansion->found != DIRECTORY_FOREIGN)
		return true;
	leaf = ARENA_NEW(arena, struct expand_leaf);
	if (leaf) {
		*leaf = (struct expand_leaf){.find = expansion->found,
					     .account = entry.account};
		leaf->address = arena_printf(arena, "%.*s@%.*s", STR_FMT(step->local),
					     STR_FMT(step->domain));
	}
	if (!leaf || leaf->address.len == 0) {
		expansion->found = DIRECTORY_UNKNOWN;
		return true;
	}
	expansion->leaves = leaf;
	expansion->count = 1;
	return true;
}

/* Copies the leaves to where they outlive the walk. */
static void walk_finish(struct walk *walk, struct expansion *expansion)
{
	expansion->is_endless =
		walk->is_full || (walk->leaf_count == 0 && walk->met_again);
	if (expansion->is_endless || walk->leaf_count == 0)
		return;
	expansion->leaves =
		ARENA_ARRAY(walk->arena, struct expand_leaf, walk->leaf_count);
	if (!expansion->leaves) {
		expansion->found = DIRECTORY_UNKNOWN;
		return;
	}
	memcpy(expansion->leaves, walk->leaves, walk->leaf_count * sizeof *walk->leaves);
	expansion->count = walk->leaf_count;
}

static void expand_alias(const struct directory *directory, const struct step *first,
			 struct arena *arena, struct expansion *expansion)
{
	SCOPED(walk_fini) struct walk walk = {.directory = directory, .arena = arena};

	walk_add_step(&walk, first->local, first->domain, 0);
	while (walk.done < walk.count && !walk.is_full) {
		if (walk_step(&walk, walk.steps[walk.done++]) == DIRECTORY_UNKNOWN) {
			expansion->found = DIRECTORY_UNKNOWN;
			return;
		}
	}
	walk_finish(&walk, expansion);
}

void directory_expand(const struct directory *directory, struct str local,
		      struct str domain, struct arena *arena, struct expansion *expansion)
{
	struct step step = {.local = local, .domain = domain};

	*expansion = (struct expansion){.found = DIRECTORY_UNKNOWN};
	if (domain.len == 0)
		step.domain = directory->default_domain;
	if (!name_domain(step.domain, arena, &domain))
		domain = step.domain; /* an address literal: foreign as it stands */
	step.domain = domain;
	if (!expand_single(directory, &step, arena, expansion))
		expand_alias(directory, &step, arena, expansion);
}
