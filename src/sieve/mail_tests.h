/* Tests of the header, the envelope and the size: RFC 5228 §5. */
#pragma once

#include "sieve/run.h"

bool test_header(struct sieve_run *run, const struct sieve_call *call);
bool test_exists(struct sieve_run *run, const struct sieve_call *call);
bool test_size(struct sieve_run *run, const struct sieve_call *call);
bool test_address(struct sieve_run *run, const struct sieve_call *call);
bool test_envelope(struct sieve_run *run, const struct sieve_call *call);
/* Fields that are named hold addresses; the envelope has such parts. */
bool check_address(struct compiler *compiler, struct sieve_call *call);
bool check_envelope(struct compiler *compiler, struct sieve_call *call);
