/* What controls the run, RFC 5228 §3 and RFC 5463, and the tests made of tests, RFC 5228
 * §5. */
#pragma once

#include "sieve/run.h"

void control_if(struct sieve_run *run, const struct sieve_call *call);
void control_stop(struct sieve_run *run, const struct sieve_call *call);
bool test_allof(struct sieve_run *run, const struct sieve_call *call);
bool test_anyof(struct sieve_run *run, const struct sieve_call *call);
bool test_not(struct sieve_run *run, const struct sieve_call *call);
bool test_true(struct sieve_run *run, const struct sieve_call *call);
bool test_false(struct sieve_run *run, const struct sieve_call *call);
bool test_ihave(struct sieve_run *run, const struct sieve_call *call);
void control_error(struct sieve_run *run, const struct sieve_call *call);
/* The names are known already. */
bool check_ihave(struct compiler *compiler, struct sieve_call *call);
