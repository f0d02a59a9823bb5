/* Lists of IMAP flags as scripts have them: words with spaces between.  RFC 5232. */
#pragma once

#include "sieve/run.h"

/* The flags in the strings, each once, without what is no flag that may be set (§2). */
struct str flags_of(struct sieve_run *run, const struct sieve_value *value,
		    unsigned line);
void action_setflag(struct sieve_run *run, const struct sieve_call *call);
void action_addflag(struct sieve_run *run, const struct sieve_call *call);
void action_removeflag(struct sieve_run *run, const struct sieve_call *call);
bool test_hasflag(struct sieve_run *run, const struct sieve_call *call);
/* The variables that they name are known, or become so. */
bool check_flag_action(struct compiler *compiler, struct sieve_call *call);
bool check_hasflag(struct compiler *compiler, struct sieve_call *call);
