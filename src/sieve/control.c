#include "sieve/control.h"

#include "base/utf8.h"
#include "sieve/compiler.h"

/* Also for "elsif" and "else", which hang on their "if". */
void control_if(struct sieve_run *run, const struct sieve_call *call)
{
	for (; call; call = call->otherwise) {
		bool holds = !call->tests || run_test(run, call->tests);

		if (run->has_failed)
			return;
		if (holds) {
			run_commands(run, call->block);
			return;
		}
	}
}

void control_stop(struct sieve_run *run, const struct sieve_call *call)
{
	(void)call; /* it says nothing more */
	run->is_stopped = true;
}

/* RFC 5229 §3.2: "The interpreter MUST short-circuit tests". */
bool test_allof(struct sieve_run *run, const struct sieve_call *call)
{
	for (const struct sieve_call *test = call->tests; test; test = test->next) {
		if (!run_test(run, test))
			return false;
	}
	return true;
}

bool test_anyof(struct sieve_run *run, const struct sieve_call *call)
{
	for (const struct sieve_call *test = call->tests; test; test = test->next) {
		if (run_test(run, test))
			return true;
	}
	return false;
}

bool test_not(struct sieve_run *run, const struct sieve_call *call)
{
	return !run_test(run, call->tests);
}

bool test_true(struct sieve_run *run, const struct sieve_call *call)
{
	(void)run; /* these two look at nothing */
	(void)call;
	return true;
}

bool test_false(struct sieve_run *run, const struct sieve_call *call)
{
	(void)run;
	(void)call;
	return false;
}

/* RFC 5463 §4: true if all are there, which from now on may be used. */
bool test_ihave(struct sieve_run *run, const struct sieve_call *call)
{
	const struct sieve_value *names = &call->arguments[0];
	unsigned found = 0;

	for (size_t i = 0; i < names->count; i++) {
		const struct sieve_extension_name *known =
			sieve_extension_find(names->texts[i].plain);

		if (!known)
			return false;
		found |= (unsigned)known->bit;
	}
	if (found & SIEVE_EXT_OF_STRINGS & ~run->extensions)
		return false;
	run->extensions |= found;
	return true;
}

/* RFC 5463 §5 */
void control_error(struct sieve_run *run, const struct sieve_call *call)
{
	struct str why = run_string(run, call, 0);

	run_fail(run, call->line, "%.*s", STR_FMT(utf8_first(why, 1000)));
}

bool check_ihave(struct compiler *compiler, struct sieve_call *call)
{
	const struct sieve_value *names = &call->arguments[0];

	for (size_t i = 0; i < names->count; i++) {
		if (names->texts[i].refs)
			return sieve_wrong(compiler, call->line,
					   "Variables cannot be used in \"ihave\".");
	}
	return true;
}
