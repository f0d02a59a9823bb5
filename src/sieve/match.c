#include "sieve/match.h"

#include "base/num.h"
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

static void fold_into(struct buf *out, struct str text)
{
	char *to = buf_room(out, text.len);

	if (!to)
		return;
	for (size_t i = 0; i < text.len; i++)
		to[i] = ascii_lower(text.ptr[i]);
	buf_grew(out, text.len);
}

/* What the comparator compares, octet by octet. */
static struct str fold(struct match *match, struct buf *out, struct str text)
{
	buf_reset(out);
	if (match->call->comparator != SIEVE_ASCII_CASEMAP || text.len == 0)
		return text;
	fold_into(out, text);
	if (buf_ok(out))
		return buf_str(out);
	run_fail(match->run, match->call->line, "The script needs too much memory.");
	return STR("");
}

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

/* RFC 5229 §3.2: the strings are those of the value as it was, not folded. */
static void set_variables(struct match *match, const struct glob *glob, struct str value)
{
	struct sieve_run *run = match->run;
	struct str kept = run_copy(run, value, match->call->line);
	size_t count = num_min(glob->wild_count, RUN_MATCHES_MAX);

	if (run->has_failed)
		return;
	run->matches[0] = kept;
	for (size_t i = 0; i < count; i++) {
		size_t at = glob->wild[i].len > 0
				    ? (size_t)(glob->wild[i].ptr - glob->value.ptr)
				    : 0;

		run->matches[i + 1] = str_first(str_skip(kept, at), glob->wild[i].len);
	}
	run->match_count = count + 1;
}

static bool fits(struct match *match, struct str folded, struct str value, struct str key)
{
	struct sieve_run *run = match->run;
	struct str wild[RUN_MATCHES_MAX];
	struct glob glob = {.pattern = key,
			    .value = folded,
			    .wild = match->sets_variables ? wild : NULL,
			    .wild_max = RUN_MATCHES_MAX,
			    .steps_max = RUN_STEPS_MAX - run->steps};
	bool is_match = glob_matches(&glob);

	if (!run_spend(run, glob.steps, match->call->line))
		return false;
	if (is_match && match->sets_variables)
		set_variables(match, &glob, value);
	return is_match;
}

static bool matches_key(struct match *match, struct str folded, struct str value,
			struct str key)
{
	const struct sieve_call *call = match->call;

	enum sieve_tag_id type = type_of(match);

	if (type == SIEVE_TAG_CONTAINS)
		return key.len == 0 || str_find(folded, key) < folded.len;
	if (type == SIEVE_TAG_MATCHES)
		return fits(match, folded, value, key);
	int result = order(call->comparator, folded, key);

	if (type == SIEVE_TAG_IS)
		return result == 0;
	return relates(call->relation, result); /* SIEVE_TAG_VALUE, SIEVE_TAG_COUNT */
}

static bool matches_any(struct match *match, struct str value)
{
	struct str folded = fold(match, &match->run->folded, value);

	for (size_t i = 0; i < match->key_count; i++) {
		uint64_t steps = folded.len + match->keys[i].len;

		if (!run_spend(match->run, steps, match->call->line))
			return false;
		if (matches_key(match, folded, value, match->keys[i]))
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
		struct str folded = fold(&match, &run->folded, key);

		match.keys[match.key_count++] =
			folded.ptr == key.ptr ? key : run_copy(run, folded, call->line);
	}
	return match;
}
