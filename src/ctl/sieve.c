#include <jansson.h>

#include "base/utf8.h"
#include "ctl/word.h"
#include "rt/clock.h"
#include "rt/file.h"
#include "sieve/sieve.h"
#include "sieve/suite.h"

enum { FILE_BYTES_MAX = 4 * 1024 * 1024 };

/* The file in the arena; false if it cannot be read. */
static bool read_into(struct arena *arena, struct str name, struct str *text)
{
	SCOPED(buf_fini) struct buf raw = BUF(FILE_BYTES_MAX);
	char path[4096];

	return str_to_c(name, path, sizeof path) && file_read(path, &raw) == OK &&
	       arena_copy(arena, buf_str(&raw), text);
}

static bool read_first(struct ctl *ctl, struct str *text)
{
	struct str name =
		str_same(ctl->words[0], STR("-")) ? STR("/dev/stdin") : ctl->words[0];

	if (read_into(&ctl->arena, name, text))
		return true;
	ctl_fail(ctl,
		 "The file %.*s cannot be read.\nNothing was looked at.\nIt has to be a "
		 "file of Sieve; \"-\" is standard input.",
		 STR_FMT(ctl->words[0]));
	return false;
}

static void say_flaw(struct ctl *ctl, const struct sieve_flaw *flaw)
{
	buf_printf(&ctl->out, "line %u: ", flaw->line);
	utf8_add_shown(&ctl->out, flaw->sentence);
	buf_add_byte(&ctl->out, '\n');
}

static json_t *flaw_json(const char *verdict, const struct sieve_flaw *flaw)
{
	return json_pack("{s:s,s:i,s:o}", "verdict", verdict, "line", (int)flaw->line,
			 "sentence", ctl_json(flaw->sentence));
}

/* ---- check ------------------------------------------------------------------------- */

static void check(struct ctl *ctl)
{
	struct sieve_script *script;
	struct sieve_flaw flaw;
	struct str text;

	if (!read_first(ctl, &text))
		return;
	if (sieve_compile(text, &ctl->arena, &script, &flaw) == OK) {
		buf_add_c(&ctl->out, "ok\n");
		ctl->json = json_pack("{s:s}", "verdict", "ok");
		return;
	}
	ctl->status = 1;
	ctl->is_partial = true; /* the verdict is printed */
	buf_add_c(&ctl->out, "invalid\n");
	say_flaw(ctl, &flaw);
	ctl->json = flaw_json("invalid", &flaw);
}

/* ---- test -------------------------------------------------------------------------- */

/* Scripts are named from where the file of tests is. */
static bool read_script(void *context, struct str name, struct arena *arena,
			struct str *text)
{
	const struct ctl *ctl = context;
	struct str file = ctl->words[0];
	size_t slash = str_rfind_byte(file, '/');
	struct str folder = slash < file.len ? str_first(file, slash + 1) : STR("");

	if (str_starts(name, STR("/")))
		return read_into(arena, name, text);
	return read_into(arena,
			 arena_printf(arena, "%.*s%.*s", STR_FMT(folder), STR_FMT(name)),
			 text);
}

static json_t *cases_json(const struct sieve_suite_result *result)
{
	json_t *list = json_array();

	for (const struct sieve_suite_case *c = result->cases; c; c = c->next)
		(void)json_array_append_new(
			list, json_pack("{s:o,s:b,s:i,s:o}", "name", ctl_json(c->name),
					"passed", (int)c->has_passed, "line",
					(int)c->line, "why", ctl_json(c->why)));
	return list;
}

static void say_cases(struct ctl *ctl, const struct sieve_suite_result *result)
{
	buf_printf(&ctl->out, "%s: %zu passed, %zu failed\n",
		   result->failed == 0 ? "pass" : "fail", result->passed, result->failed);
	for (const struct sieve_suite_case *c = result->cases; c; c = c->next) {
		if (c->has_passed)
			continue;
		buf_add_c(&ctl->out, "  ");
		utf8_add_shown(&ctl->out, c->name);
		buf_printf(&ctl->out, ", line %u: ", c->line);
		utf8_add_shown(&ctl->out, c->why);
		buf_add_byte(&ctl->out, '\n');
	}
}

static void test(struct ctl *ctl)
{
	struct sieve_suite_world world = {
		.now_s = clock_s(), .read = read_script, .context = ctl};
	struct sieve_suite_result result;
	struct str text;

	if (!read_first(ctl, &text))
		return;
	ctl->is_partial = true;
	if (sieve_suite_run(text, &world, &ctl->arena, &result) != OK) {
		ctl->status = 1;
		buf_add_c(&ctl->out, "fail: the tests themselves are wrong\n");
		say_flaw(ctl, &result.flaw);
		ctl->json = flaw_json("fail", &result.flaw);
		return;
	}
	ctl->status = result.failed > 0;
	say_cases(ctl, &result);
	ctl->json = json_pack("{s:s,s:I,s:I,s:o}", "verdict",
			      result.failed == 0 ? "pass" : "fail", "passed",
			      (json_int_t)result.passed, "failed",
			      (json_int_t)result.failed, "tests", cases_json(&result));
}

static const struct ctl_verb verbs[] = {
	{"check", "FILE",
	 "Say whether a Sieve script is right, as the server would find it.  The first "
	 "word is the verdict: ok, or invalid, and then the line and what is wrong "
	 "there.",
	 1, 1, 0, 0, check},
	{"test", "FILE",
	 "Run tests of scripts, in the form of Dovecot's Pigeonhole "
	 "(vnd.dovecot.testsuite).  The first word is the verdict: pass or fail.",
	 1, 1, 0, 0, test},
};

const struct ctl_word ctl_sieve = {
	.name = "sieve",
	.summary = "Scripts that sort mail.",
	.examples = "  postrider sieve check lists.sieve\n"
		    "  postrider sieve test lists.svtest --json\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
