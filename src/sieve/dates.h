/* Tests of dates: RFC 5260. */
#pragma once

#include "sieve/run.h"

bool test_date(struct sieve_run *run, const struct sieve_call *call);
bool test_currentdate(struct sieve_run *run, const struct sieve_call *call);
/* The zone and the part of the date are such, where they are known already. */
bool check_date(struct compiler *compiler, struct sieve_call *call);
bool check_currentdate(struct compiler *compiler, struct sieve_call *call);
