#include "sieve/variables.h"

#include "base/utf8.h"
#include "sieve/compiler.h"
#include "sieve/match.h"

/* ---- modifiers --------------------------------------------------------------------- */

static bool has(const struct sieve_call *call, enum sieve_tag_id id)
{
	for (unsigned group = SIEVE_GROUP_CASE; group <= SIEVE_GROUP_LENGTH; group++) {
		if (run_has_tag(call, (enum sieve_group)group, id))
			return true;
	}
	return false;
}

/* RFC 5229 §4.1.3: letters of ASCII only. */
static void change_case(const struct sieve_call *call, struct buf *value)
{
	for (size_t i = 0; i < value->len; i++) {
		if (has(call, SIEVE_TAG_LOWER))
			value->ptr[i] = ascii_lower(value->ptr[i]);
		else if (has(call, SIEVE_TAG_UPPER))
			value->ptr[i] = ascii_upper(value->ptr[i]);
	}
	if (value->len > 0 && has(call, SIEVE_TAG_LOWERFIRST))
		value->ptr[0] = ascii_lower(value->ptr[0]);
	if (value->len > 0 && has(call, SIEVE_TAG_UPPERFIRST))
		value->ptr[0] = ascii_upper(value->ptr[0]);
}

/* RFC 5229 §4.1.2 */
static void quote_wildcards(struct str from, struct buf *value)
{
	for (size_t i = 0; i < from.len; i++) {
		if (from.ptr[i] == '*' || from.ptr[i] == '?' || from.ptr[i] == '\\')
			buf_add_byte(value, '\\');
		buf_add_byte(value, from.ptr[i]);
	}
}

/* RFC 5229 §4.1.1: "The value is the decimal number of characters". */
static size_t character_count(struct str text)
{
	size_t count = 0;
	uint32_t code;

	while (text.len > 0) {
		(void)utf8_take(&text, &code); /* what is broken counts, too */
		count++;
	}
	return count;
}

void action_set(struct sieve_run *run, const struct sieve_call *call)
{
	SCOPED(buf_fini) struct buf value = BUF(RUN_TEXT_MAX);
	SCOPED(buf_fini) struct buf quoted = BUF(2 * RUN_TEXT_MAX);
	struct str result;

	buf_add(&value, run_string(run, call, 1));
	if (run->has_failed || !run_spend(run, 2 * value.len, call->line))
		return;
	change_case(call, &value);
	result = buf_str(&value);
	if (has(call, SIEVE_TAG_QUOTEWILDCARD)) {
		quote_wildcards(result, &quoted);
		result = buf_str(&quoted);
	}
	if (has(call, SIEVE_TAG_LENGTH))
		result = arena_printf(run->arena, "%zu", character_count(result));
	/* RFC 5229 §6: "the value SHOULD be truncated". */
	run->slots[call->slot] =
		run_copy(run, utf8_first(result, RUN_VARIABLE_MAX), call->line);
}

bool check_set(struct compiler *compiler, struct sieve_call *call)
{
	const struct str *name = compile_constant(&call->arguments[0]);

	/* RFC 5229 §4: "An invalid name MUST be detected as a syntax error." */
	if (!name || !sieve_variable_name(*name))
		return sieve_wrong(compiler, call->line,
				   "Argument 1 of \"set\" is no name of a variable.");
	return sieve_slot(compiler, *name, call->line, &call->slot);
}

/* ---- the test ---------------------------------------------------------------------- */

/* RFC 5229 §5 */
bool test_string(struct sieve_run *run, const struct sieve_call *call)
{
	struct match match = match_begin(run, call, 1);
	const struct sieve_value *sources = &call->arguments[0];

	for (size_t i = 0; i < sources->count && !run->has_failed; i++) {
		struct str source = run_text(run, &sources->texts[i], call->line);

		/* "The count of a single string is 0 if it is the empty string". */
		if (source.len == 0 && match_is_count(&match))
			continue;
		if (match_value(&match, source))
			return true;
	}
	return match_end(&match);
}
