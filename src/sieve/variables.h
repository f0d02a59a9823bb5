/* The extension "variables": RFC 5229. */
#pragma once

#include "sieve/run.h"

void action_set(struct sieve_run *run, const struct sieve_call *call);
bool test_string(struct sieve_run *run, const struct sieve_call *call);
/* The variable may be set. */
bool check_set(struct compiler *compiler, struct sieve_call *call);
