#include "sieve/match.h"

#include "base/num.h"
#include "sieve/fold.h"
#include "sieve/glob.h"

static enum sieve_tag_id type_of(const struct match *match)
{
	const struct sieve_tag *tag = match->call->given[SIEVE_GROUP_MATCH].tag;

	return tag ? tag->id : SIEVE_TAG_IS; /* RFC 5228 §2.7.1 */
}

bool match_is_count(const struct match *match)
{
	return type_of(match) == SIEVE_TAG_COUNT;
}

/* ---- comparators ------------------------------------------------------------------- */

/* The digits that text begins with, without zeroes in front. */
static struct str digits(struct str text, bool *is_number)
{
	size_t len = 0;

	while (len < text.len && is_ascii_digit((unsigned char)text.ptr[len]))
		len++;
	*is_number = len > 0;
	text = str_first(text, len);
	while (text.len > 0 && text.ptr[0] == '0')
		text = str_skip(text, 1);
	return text;
}

/* RFC 4790 §9.1.1: what does not begin with a digit is positive infinity. */
static int numeric_order(struct str a, struct str b)
{
	bool a_is_number, b_is_number;

	a = digits(a, &a_is_number);
	b = digits(b, &b_is_number);
	if (a_is_number != b_is_number)
		return a_is_number ? -1 : 1;
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return str_cmp(a, b);
}

static int order(enum sieve_comparator comparator, struct str a, struct str b)
{
	switch (comparator) {
	case SIEVE_ASCII_CASEMAP: /* both are folded */
	case SIEVE_UNICODE_CASEMAP:
	case SIEVE_OCTET:
		break;
	case SIEVE_ASCII_NUMERIC:
		return numeric_order(a, b);
	}
	return str_cmp(a, b);
}

/* RFC 5231 §4 */
static bool relates(enum sieve_relation relation, int order)
{
	switch (relation) {
	case SIEVE_GT:
		return order > 0;
	case SIEVE_GE:
		return order >= 0;
	case SIEVE_LT:
		return order < 0;
	case SIEVE_LE:
		return order <= 0;
	case SIEVE_EQ:
		return order == 0;
	case SIEVE_NE:
		return order != 0;
	}
	return false;
}

/* ---- one value --------------------------------------------------------------------- */

/* Where in the value as it was that place of the folded one is. */
static size_t origin_of(const struct folded *folded, size_t at)
{
	return folded->origin ? folded->origin[at] : at;
}

/* RFC 5229 §3.2: the strings are those of the value as it was, not folded. */
static void set_variables(struct match *match, const struct glob *glob,
			  const struct folded *folded, struct str value)
{
	struct sieve_run *run = match->run;
	struct str kept = run_copy(run, value, match->call->line);
	size_t count = num_min(glob->wild_count, RUN_MATCHES_MAX);

	if (run->has_failed)
		return;
	run->matches[0] = kept;
	for (size_t i = 0; i < count; i++) {
		struct str wild = glob->wild[i];
		size_t from = wild.len > 0 ? (size_t)(wild.ptr - glob->value.ptr) : 0;
		size_t begin = origin_of(folded, from);
		size_t end = origin_of(folded, from + wild.len);

		run->matches[i + 1] = str_first(str_skip(kept, begin), end - begin);
	}
	run->match_count = count + 1;
}

static bool fits(struct match *match, const struct folded *folded, struct str value,
		 struct str key)
{
	struct sieve_run *run = match->run;
	struct str wild[RUN_MATCHES_MAX];
	struct glob glob = {.pattern = key,
			    .value = folded->text,
			    .origin = folded->origin,
			    .wild = match->sets_variables ? wild : NULL,
			    .wild_max = RUN_MATCHES_MAX,
			    .steps_max = RUN_STEPS_MAX - run->steps};
	bool is_match = glob_matches(&glob);

	if (!run_spend(run, glob.steps, match->call->line))
		return false;
	if (is_match && match->sets_variables)
		set_variables(match, &glob, folded, value);
	return is_match;
}

static bool matches_key(struct match *match, const struct folded *folded,
			struct str value, struct str key)
{
	const struct sieve_call *call = match->call;

	enum sieve_tag_id type = type_of(match);

	if (type == SIEVE_TAG_CONTAINS)
		return key.len == 0 || str_find(folded->text, key) < folded->text.len;
	if (type == SIEVE_TAG_MATCHES)
		return fits(match, folded, value, key);
	int result = order(call->comparator, folded->text, key);

	if (type == SIEVE_TAG_IS)
		return result == 0;
	return relates(call->relation, result); /* SIEVE_TAG_VALUE, SIEVE_TAG_COUNT */
}

/* False if the run failed. */
static bool fold(struct match *match, struct str value, struct folded *folded)
{
	struct sieve_run *run = match->run;
	bool is_unicode = match->call->comparator == SIEVE_UNICODE_CASEMAP;
	bool is_pattern = type_of(match) == SIEVE_TAG_MATCHES;
	uint64_t steps = (is_unicode ? (uint64_t)RUN_DECODE_STEPS : 1) * value.len;

	if (!run_spend(run, steps, match->call->line))
		return false;
	*folded = fold_value(match->call->comparator, value, &run->folded,
			     is_pattern ? &run->origins : NULL);
	if (!buf_ok(&run->folded) || !buf_ok(&run->origins))
		run_fail(run, match->call->line, "The script needs too much memory.");
	return !run->has_failed;
}

static bool matches_any(struct match *match, struct str value)
{
	struct folded folded;

	if (!fold(match, value, &folded))
		return false;
	for (size_t i = 0; i < match->key_count; i++) {
		uint64_t steps = folded.text.len + match->keys[i].len;

		if (!run_spend(match->run, steps, match->call->line))
			return false;
		if (matches_key(match, &folded, value, match->keys[i]))
			return true;
	}
	return false;
}

bool match_value(struct match *match, struct str value)
{
	match->count++;
	return !match_is_count(match) && matches_any(match, value);
}

bool match_end(struct match *match)
{
	struct str count;

	if (!match_is_count(match))
		return false;
	count = arena_printf(match->run->arena, "%zu", match->count);
	return matches_any(match, count);
}

struct match match_begin(struct sieve_run *run, const struct sieve_call *call,
			 size_t argument)
{
	const struct sieve_value *value = &call->arguments[argument];
	struct match match = {.run = run,
			      .call = call,
			      .keys = ARENA_ARRAY(run->arena, struct str, value->count),
			      .sets_variables =
				      run->script->extensions & SIEVE_EXT_VARIABLES};

	if (!match.keys) {
		run_fail(run, call->line, "The script needs too much memory.");
		return match;
	}
	for (size_t i = 0; i < value->count && !run->has_failed; i++) {
		struct str key = run_text(run, &value->texts[i], call->line);
		struct str folded =
			fold_key(call->comparator, type_of(&match) == SIEVE_TAG_MATCHES,
				 key, &run->folded);

		if (!buf_ok(&run->folded) ||
		    !run_spend(run, (uint64_t)RUN_DECODE_STEPS * key.len, call->line))
			run_fail(run, call->line, "The script needs too much memory.");
		match.keys[match.key_count++] =
			folded.ptr == key.ptr ? key : run_copy(run, folded, call->line);
	}
	return match;
}
