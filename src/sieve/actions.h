/* What becomes of the mail: keep, fileinto, redirect, discard (RFC 5228 §4), gathered in
 * the outcome of the run. */
#pragma once

#include "sieve/run.h"

void action_keep(struct sieve_run *run, const struct sieve_call *call);
void action_fileinto(struct sieve_run *run, const struct sieve_call *call);
void action_redirect(struct sieve_run *run, const struct sieve_call *call);
void action_discard(struct sieve_run *run, const struct sieve_call *call);
/* Is the constant an address that mail may be sent to? */
bool check_redirect(struct compiler *compiler, struct sieve_call *call);
bool check_fileinto(struct compiler *compiler, struct sieve_call *call);
/* After the last command: the implicit keep (RFC 5228 §2.10.2), and that of a run that
 * failed (§2.10.6). */
void actions_end(struct sieve_run *run);
