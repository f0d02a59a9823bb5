/* The fields of the mail's header that a test names.  RFC 5228 §5.7; RFC 5260 §6. */
#pragma once

#include "sieve/run.h"

struct fields {
	struct sieve_run *run;
	unsigned line;
	struct str *names;
	size_t name_count, name, field; /* where the walk is */
	uint64_t skip;                  /* so many come before the only one, ... */
	bool is_one;                    /* if only one is meant */
};

/* The fields named in that argument of the call, in the order of the names; only the one
 * that ":index" means, if there is such a tag. */
struct fields fields_begin(struct sieve_run *run, const struct sieve_call *call,
			   size_t argument);
/* The next one; false at the end, or if the run failed. */
bool fields_next(struct fields *fields, const struct mail_field **field);
/* The field's value for people, without space around it: RFC 5228 §2.7.2.  Good until the
 * next. */
struct str field_text(struct sieve_run *run, const struct mail_field *field,
		      unsigned line);
/* ":last" only stands with ":index". */
bool check_index(struct compiler *compiler, struct sieve_call *call);
