/* What becomes of rows: logged, and settled many in one commit. */
#pragma once

#include "mta/run.h"

/* Takes the entry out of its mail.  host, peer: who said it; tls: conn_tls_text(); all ""
 * if nobody was reached. */
struct settle_where {
	struct str host, peer, tls;
};
void settle_verdict(struct run *run, struct entry *entry, const struct verdict *verdict,
		    const struct settle_where *where);
/* It was not tried: due again then. */
void settle_release(struct run *run, struct entry *entry, int64_t due_at);
/* A row came again that is settled, but whose lease had been lost. */
void settle_again(struct run *run, struct entry *entry);
/* Orphans that never came again are forgotten. */
void settle_forget_orphans(struct run *run);
/* When a row that failed now is due again: what failed often, rarely. */
int64_t settle_next_due(unsigned first_s, uint32_t tries, int64_t now);
