#include "sieve/control.h"

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
