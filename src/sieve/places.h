/* What is around the mail: mailboxes (RFC 5490) and the environment (RFC 5183). */
#pragma once

#include "sieve/run.h"

bool test_environment(struct sieve_run *run, const struct sieve_call *call);
