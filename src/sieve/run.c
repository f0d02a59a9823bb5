#include "sieve/run.h"

#include "base/num.h"
#include "base/utf8.h"
#include "sieve/actions.h"

void run_fail(struct sieve_run *run, unsigned line, const char *format, ...)
{
	SCOPED(buf_fini) struct buf said = BUF(2048);
	SCOPED(buf_fini) struct buf shown = BUF(4 * 2048);
	va_list args;

	if (run->has_failed)
		return;
	run->has_failed = true;
	va_start(args, format);
	buf_vprintf(&said, format, args);
	va_end(args);
	utf8_add_shown(&shown, buf_str(&said));
	run->outcome->flaw.line = line;
	if (!arena_copy(run->arena, buf_str(&shown), &run->outcome->flaw.sentence))
		run->outcome->flaw.sentence = STR("The script needs too much memory.");
}

bool run_spend(struct sieve_run *run, uint64_t steps, unsigned line)
{
	if (run->has_failed)
		return false;
	run->steps += num_min(steps, RUN_STEPS_MAX + 1u);
	if (run->steps > RUN_STEPS_MAX)
		run_fail(run, line,
			 "The script has too much to do with this mail, and was "
			 "stopped.");
	return !run->has_failed;
}

/* ---- strings ----------------------------------------------------------------------- */

struct str run_copy(struct sieve_run *run, struct str text, unsigned line)
{
	struct str copy;

	if (!arena_copy(run->arena, text, &copy))
		run_fail(run, line, "The script needs too much memory.");
	return copy;
}

static struct str ref_value(const struct sieve_run *run, const struct sieve_ref *ref)
{
	switch (ref->piece.kind) {
	case SIEVE_PIECE_TEXT:
		return ref->piece.text;
	case SIEVE_PIECE_VARIABLE:
		return run->slots[ref->slot];
	case SIEVE_PIECE_MATCH:
		if (ref->piece.number < run->match_count)
			return run->matches[ref->piece.number];
		break;
	case SIEVE_PIECE_FOREIGN:
		break;
	}
	return STR("");
}

struct str run_text(struct sieve_run *run, const struct sieve_text *text, unsigned line)
{
	SCOPED(buf_fini) struct buf out = BUF(RUN_TEXT_MAX);

	if (!text->refs)
		return text->plain;
	for (const struct sieve_ref *ref = text->refs; ref; ref = ref->next)
		buf_add(&out, ref_value(run, ref));
	if (!buf_ok(&out))
		run_fail(run, line, "A string becomes longer than %d octets.",
			 RUN_TEXT_MAX);
	if (!run_spend(run, out.len, line))
		return STR("");
	return run_copy(run, buf_str(&out), line);
}

struct str run_string(struct sieve_run *run, const struct sieve_call *call,
		      size_t argument)
{
	return run_text(run, &call->arguments[argument].texts[0], call->line);
}

/* ---- commands and tests ------------------------------------------------------------ */

/* RFC 5463 §4: what "ihave" has not found yet cannot be used. */
static bool may_run(struct sieve_run *run, const struct sieve_call *call)
{
	if (call->needs & ~run->extensions)
		run_fail(run, call->line,
			 "\"%s\" uses an extension that was neither required nor found "
			 "by \"ihave\".",
			 call->word->name);
	return run_spend(run, 1, call->line);
}

bool run_test(struct sieve_run *run, const struct sieve_call *call)
{
	return may_run(run, call) && call->word->holds(run, call) && !run->has_failed;
}

/* As deep as wire/sieve/script.h lets blocks nest. */
void run_commands(struct sieve_run *run, const struct sieve_call *call)
{
	for (; call && run_goes_on(run); call = call->next) {
		if (may_run(run, call))
			call->word->run(run, call);
	}
}

void run_begin(struct sieve_run *run, const struct sieve_script *script,
	       const struct sieve_mail *mail, struct arena *arena,
	       struct sieve_outcome *outcome)
{
	*outcome = (struct sieve_outcome){.count = 0};
	*run = (struct sieve_run){
		.script = script,
		.mail = mail,
		.arena = arena,
		.outcome = outcome,
		.is_kept = true,
		.extensions = script->extensions,
		.slots = ARENA_ARRAY(arena, struct str, script->slot_count + 1),
		.scratch = BUF(RUN_BUFFER_MAX),
		.folded = BUF(RUN_BUFFER_MAX),
		.origins = BUF(RUN_BUFFER_MAX),
	};
	if (!run->slots)
		run_fail(run, 1, "The script needs too much memory.");
}

void run_end(struct sieve_run *run)
{
	buf_fini(&run->scratch);
	buf_fini(&run->folded);
	buf_fini(&run->origins);
}

void sieve_run(const struct sieve_script *script, const struct sieve_mail *mail,
	       struct arena *arena, struct sieve_outcome *outcome)
{
	struct sieve_run run;

	run_begin(&run, script, mail, arena, outcome);
	run_commands(&run, script->commands);
	actions_end(&run);
	run_end(&run);
}
