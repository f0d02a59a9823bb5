#include "sieve/glob.h"

struct place {
	size_t in_pattern, in_value, wild_count;
};

/* At a wildcard: notes what it stands for. */
static void note(struct glob *glob, size_t which, size_t at, size_t len)
{
	if (glob->wild && which < glob->wild_max)
		glob->wild[which] = str_first(str_skip(glob->value, at), len);
}

/* The place behind the character there. */
static size_t after(const struct glob *glob, size_t at)
{
	size_t next = at + 1;

	while (glob->origin && next < glob->value.len &&
	       glob->origin[next] == glob->origin[at])
		next++;
	return next;
}

/* One octet of the pattern that is no "*", against one of the value. */
static bool one(struct glob *glob, struct place *at)
{
	char wanted = glob->pattern.ptr[at->in_pattern];
	size_t used = 1, end = at->in_value + 1;

	if (at->in_value == glob->value.len)
		return false;
	if (wanted == '?') {
		end = after(glob, at->in_value);
		note(glob, at->wild_count++, at->in_value, end - at->in_value);
	} else {
		if (wanted == '\\' && at->in_pattern + 1 < glob->pattern.len) {
			wanted = glob->pattern.ptr[at->in_pattern + 1];
			used = 2;
		}
		if (wanted != glob->value.ptr[at->in_value])
			return false;
	}
	at->in_pattern += used;
	at->in_value = end;
	return true;
}

/* Only the last "*" ever has to stand for more: what the ones before stand for is as
 * little as can be, and more of it would not help. */
bool glob_matches(struct glob *glob)
{
	struct place at = {0}, star = {0};
	bool has_star = false;
	size_t star_end = 0;

	while (glob->steps++ <= glob->steps_max) {
		if (at.in_pattern < glob->pattern.len &&
		    glob->pattern.ptr[at.in_pattern] == '*') {
			note(glob, at.wild_count++, at.in_value, 0);
			at.in_pattern++;
			star = at;
			has_star = true;
			star_end = at.in_value;
			continue;
		}
		if (at.in_pattern == glob->pattern.len && at.in_value == glob->value.len)
			break;
		if (at.in_pattern < glob->pattern.len && one(glob, &at))
			continue;
		if (!has_star || star_end == glob->value.len)
			return false;
		star_end = after(glob, star_end);
		at = star;
		at.in_value = star_end;
		note(glob, star.wild_count - 1, star.in_value, star_end - star.in_value);
	}
	glob->wild_count = at.wild_count;
	return glob->steps <= glob->steps_max + 1;
}
