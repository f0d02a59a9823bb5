/* What controls the run, RFC 5228 §3, and the tests made of tests, §5. */
#pragma once

#include "sieve/run.h"

void control_if(struct sieve_run *run, const struct sieve_call *call);
void control_stop(struct sieve_run *run, const struct sieve_call *call);
bool test_allof(struct sieve_run *run, const struct sieve_call *call);
bool test_anyof(struct sieve_run *run, const struct sieve_call *call);
bool test_not(struct sieve_run *run, const struct sieve_call *call);
bool test_true(struct sieve_run *run, const struct sieve_call *call);
bool test_false(struct sieve_run *run, const struct sieve_call *call);
