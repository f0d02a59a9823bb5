/* The extension "body": RFC 5173. */
#pragma once

#include "sieve/run.h"

bool test_body(struct sieve_run *run, const struct sieve_call *call);
