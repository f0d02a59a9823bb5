/* Comparing the values of a mail with the keys of a test.  RFC 5228 §2.7, RFC 5231. */
#pragma once

#include "sieve/run.h"

struct match {
	struct sieve_run *run;
	const struct sieve_call *call;
	struct str *keys; /* as the comparator folds them */
	size_t key_count;
	size_t count; /* values so far, for ":count" */
	bool sets_variables;
};

/* keys are those of the call's argument.  Good until the run ends. */
struct match match_begin(struct sieve_run *run, const struct sieve_call *call,
			 size_t argument);
/* True if the value matches a key, and the test holds. */
bool match_value(struct match *match, struct str value);
/* More values that are only counted. */
bool match_is_count(const struct match *match);
/* After the last value: true if their count matches, RFC 5231 §4.2. */
bool match_end(struct match *match);
