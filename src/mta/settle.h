/* What becomes of rows: logged, and settled many in one commit. */
#pragma once

#include "mta/run.h"

/* Takes the entry out of its mail.  host, peer: who said it; tls: conn_tls_text(); all ""
 * if nobody was reached. */
struct settle_where {
	struct str host, peer, tls;
	bool is_lmtp, has_dsn, has_by; /* what sending to it means for reports */
};
void settle_verdict(struct run *run, struct entry *entry, const struct verdict *verdict,
		    const struct settle_where *where);
/* A row that need not be tried: a person has given it up, or its time has passed.  False
 * if it is to be tried. */
bool settle_without_try(struct run *run, struct entry *entry);
/* It was not tried: due again then. */
void settle_release(struct run *run, struct entry *entry, int64_t due_at);
/* A row came again that is settled, but whose lease had been lost. */
void settle_again(struct run *run, struct entry *entry);
/* Orphans that never came again are forgotten. */
void settle_forget_orphans(struct run *run);
/* fate.c: what follows from a verdict. */
struct fate fate_of(const struct run *run, const struct entry *entry,
		    const struct verdict *verdict, const struct settle_where *where);
enum queue_cause fate_cause(const struct verdict *verdict);
