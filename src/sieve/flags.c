#include "sieve/flags.h"

#include "sieve/compiler.h"
#include "sieve/match.h"
#include "wire/cursor.h"

enum { FLAGS_BYTES_MAX = RUN_VARIABLE_MAX };

/* ---- lists ------------------------------------------------------------------------- */

/* The next word; false if there is none. */
static bool next_word(struct str *rest, struct str *word)
{
	while (rest->len > 0) {
		*word = str_cut(rest, ' ');
		if (word->len > 0)
			return true;
	}
	return false;
}

/* flag-keyword or a system flag that a client may set, RFC 9051 §9; never \Recent. */
static bool is_flag(struct str word)
{
	static const struct str system[] = {STR("\\Answered"), STR("\\Flagged"),
					    STR("\\Deleted"), STR("\\Seen"),
					    STR("\\Draft")};
	static const struct str no_atom = STR("(){%*\"\\]");

	for (size_t i = 0; i < COUNT_OF(system); i++) {
		if (str_same_nocase(system[i], word))
			return true;
	}
	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] <= ' ' || word.ptr[i] > '~' ||
		    str_find_byte(no_atom, word.ptr[i]) < no_atom.len)
			return false;
	}
	return word.len > 0;
}

static bool has(struct str list, struct str flag)
{
	struct str word;

	while (next_word(&list, &word)) {
		if (str_same_nocase(word, flag))
			return true;
	}
	return false;
}

/* Appends the flags of text that are not in out yet. */
static void add(struct sieve_run *run, struct buf *out, struct str text, unsigned line)
{
	struct str word;

	while (next_word(&text, &word) && run_spend(run, out->len + word.len, line)) {
		if (!is_flag(word) || has(buf_str(out), word))
			continue;
		if (out->len + word.len + 1 > FLAGS_BYTES_MAX)
			return; /* RFC 5229 §6: it "SHOULD be truncated" */
		if (out->len > 0)
			buf_add_byte(out, ' ');
		buf_add(out, word);
	}
}

static void add_all(struct sieve_run *run, struct buf *out,
		    const struct sieve_value *value, unsigned line)
{
	for (size_t i = 0; i < value->count && !run->has_failed; i++)
		add(run, out, run_text(run, &value->texts[i], line), line);
}

struct str flags_of(struct sieve_run *run, const struct sieve_value *value, unsigned line)
{
	SCOPED(buf_fini) struct buf out = BUF(FLAGS_BYTES_MAX);

	add_all(run, &out, value, line);
	return run_copy(run, buf_str(&out), line);
}

/* ---- actions ----------------------------------------------------------------------- */

/* The list that the action is about: the internal variable, or the one it names. */
static struct str *target(struct sieve_run *run, const struct sieve_call *call)
{
	return call->argument_count > 1 ? &run->slots[call->slot] : &run->flags;
}

void action_setflag(struct sieve_run *run, const struct sieve_call *call)
{
	*target(run, call) = flags_of(run, &call->arguments[1], call->line);
}

void action_addflag(struct sieve_run *run, const struct sieve_call *call)
{
	SCOPED(buf_fini) struct buf out = BUF(FLAGS_BYTES_MAX);

	add(run, &out, *target(run, call), call->line);
	add_all(run, &out, &call->arguments[1], call->line);
	*target(run, call) = run_copy(run, buf_str(&out), call->line);
}

void action_removeflag(struct sieve_run *run, const struct sieve_call *call)
{
	SCOPED(buf_fini) struct buf out = BUF(FLAGS_BYTES_MAX);
	struct str gone = flags_of(run, &call->arguments[1], call->line);
	struct str rest = *target(run, call), word;

	while (next_word(&rest, &word) && run_spend(run, gone.len, call->line)) {
		if (has(gone, word))
			continue;
		if (out.len > 0)
			buf_add_byte(&out, ' ');
		buf_add(&out, word);
	}
	*target(run, call) = run_copy(run, buf_str(&out), call->line);
}

/* ---- the test ---------------------------------------------------------------------- */

static bool list_matches(struct sieve_run *run, struct match *match, struct str list,
			 unsigned line)
{
	SCOPED(buf_fini) struct buf out = BUF(FLAGS_BYTES_MAX);
	struct str rest, word;

	add(run, &out, list, line); /* "the number of distinct flags in it", §4 */
	rest = buf_str(&out);
	while (next_word(&rest, &word)) {
		if (match_value(match, word))
			return true;
	}
	return false;
}

/* The keys are a list of flags as any other: "b A" is two. */
static bool split_keys(struct sieve_run *run, struct match *match, unsigned line)
{
	struct str *keys, word;
	size_t count = 0, room = 0;

	for (size_t i = 0; i < match->key_count; i++)
		room += match->keys[i].len / 2 + 1;
	keys = ARENA_ARRAY(run->arena, struct str, room + 1);
	if (!keys) {
		run_fail(run, line, "The script needs too much memory.");
		return false;
	}
	for (size_t i = 0; i < match->key_count; i++) {
		struct str rest = match->keys[i];

		while (next_word(&rest, &word))
			keys[count++] = word;
	}
	match->keys = keys;
	match->key_count = count;
	return true;
}

bool test_hasflag(struct sieve_run *run, const struct sieve_call *call)
{
	struct match match = match_begin(run, call, 1);
	const struct sieve_value *names = &call->arguments[0];

	if (run->has_failed || !split_keys(run, &match, call->line))
		return false;
	if (call->argument_count < 2 && list_matches(run, &match, run->flags, call->line))
		return true;
	for (size_t i = 0; i < names->count; i++) {
		/* check_hasflag() made each name a reference to its variable. */
		struct str list = run_text(run, &names->texts[i], call->line);

		if (list_matches(run, &match, list, call->line))
			return true;
	}
	return match_end(&match);
}

/* ---- checks ------------------------------------------------------------------------ */

static bool check_name(struct compiler *compiler, const struct sieve_call *call,
		       const struct sieve_text *text, unsigned *slot)
{
	/* RFC 5232 §3: without "variables" it is an error. */
	if (!compile_needs(compiler, SIEVE_EXT_VARIABLES, call->line,
			   STR("the name of a variable")))
		return false;
	if (text->refs || !sieve_variable_name(text->plain))
		return sieve_wrong(compiler, call->line,
				   "Argument 1 of \"%s\" is no name of a variable.",
				   call->word->name);
	return sieve_slot(compiler, text->plain, call->line, slot);
}

bool check_flag_action(struct compiler *compiler, struct sieve_call *call)
{
	return call->argument_count < 2 ||
	       check_name(compiler, call, &call->arguments[0].texts[0], &call->slot);
}

bool check_hasflag(struct compiler *compiler, struct sieve_call *call)
{
	struct sieve_value *names = &call->arguments[0];

	for (size_t i = 0; i < names->count; i++) {
		struct sieve_ref *ref = ARENA_NEW(compiler->arena, struct sieve_ref);

		if (!ref)
			return sieve_wrong(compiler, call->line,
					   "The script is too big to be kept.");
		if (!check_name(compiler, call, &names->texts[i], &ref->slot))
			return false;
		ref->piece = (struct sieve_piece){SIEVE_PIECE_VARIABLE,
						  names->texts[i].plain, 0};
		names->texts[i].refs = ref;
	}
	return true;
}
