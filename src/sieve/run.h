/* What the files share that run a script: the state of one run. */
#pragma once

#include "base/buf.h"
#include "sieve/language.h"
#include "sieve/sieve.h"

struct mime;

enum {
	RUN_STEPS_MAX = 200 * 1000 * 1000, /* about 0.2 s; an octet compared is one, */
	RUN_DECODE_STEPS = 10,             /* an octet of a header decoded is so many, */
	RUN_FIELD_STEPS = 5,               /* a field whose name is looked at, */
	RUN_ADDRESS_STEPS = 300,           /* an address, */
	RUN_PART_STEPS = 50,               /* and a part of the body */
	RUN_BUFFER_MAX = 64 * 1024 * 1024, /* a part of the body, decoded or folded */
	RUN_TEXT_MAX = 512 * 1024,         /* a string with its variables */
	RUN_MATCHES_MAX = 32,              /* what wildcards stood for, RFC 5229 §3.2 */
	RUN_VARIABLE_MAX = 16 * 1024,      /* RFC 5229 §6: at least 4000 */
};

struct sieve_run {
	const struct sieve_script *script;
	const struct sieve_mail *mail;
	struct arena *arena;
	struct sieve_outcome *outcome;
	uint64_t steps;
	unsigned extensions; /* required, or found by "ihave" */
	bool is_stopped, has_failed;
	bool is_kept; /* implicitly, RFC 5228 §2.10.2 */
	unsigned redirect_count;
	struct str *slots; /* the variables */
	struct str matches[RUN_MATCHES_MAX + 1];
	size_t match_count;
	struct str flags;  /* the internal variable of RFC 5232 §3 */
	struct mime *mime; /* of the mail, once it was needed */
	struct buf scratch, folded, origins;
	void *context; /* of a dialect */
};

void run_begin(struct sieve_run *run, const struct sieve_script *script,
	       const struct sieve_mail *mail, struct arena *arena,
	       struct sieve_outcome *outcome);
void run_end(struct sieve_run *run);
/* Commands side by side, up to a stop or a failure. */
void run_commands(struct sieve_run *run, const struct sieve_call *call);
bool run_test(struct sieve_run *run, const struct sieve_call *call);
/* The run failed, with the first reason that is given. */
void run_fail(struct sieve_run *run, unsigned line, const char *format, ...)
	PRINTF_LIKE(3, 4);
static inline bool run_goes_on(const struct sieve_run *run)
{
	return !run->is_stopped && !run->has_failed;
}
/* Counts work; false if the run failed, by that or before. */
bool run_spend(struct sieve_run *run, uint64_t steps, unsigned line);

/* The string as it is now; "" if that failed. */
struct str run_text(struct sieve_run *run, const struct sieve_text *text, unsigned line);
/* The same of an argument with one string. */
struct str run_string(struct sieve_run *run, const struct sieve_call *call,
		      size_t argument);
/* A copy in the arena; "" and failed if it has no room. */
struct str run_copy(struct sieve_run *run, struct str text, unsigned line);
static inline bool run_has_tag(const struct sieve_call *call, enum sieve_group group,
			       enum sieve_tag_id id)
{
	return call->given[group].tag && call->given[group].tag->id == id;
}
