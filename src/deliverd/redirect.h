/* Where a script sends a mail on (RFC 5228 §4.2): to addresses of ours, or out like what
 * an alias passes on (deliverd/forward.h).  These may suspend. */
#pragma once

#include "deliverd/script.h"
#include "sieve/sieve.h"

struct redirects {
	struct queue_recipient *recipients;
	size_t count;
	bool has_failed; /* one leads to nobody, or the mail has been here before */
};

/* was_here: the mail has been sent on from this address before, and is not again.
 * UNAVAILABLE: cannot tell now. */
enum store_outcome redirects_find(const struct scripted *scripted, bool was_here,
				  const struct sieve_outcome *outcome,
				  struct redirects *redirects);
/* Into the queue, as mail that strangers cause. */
enum store_outcome redirects_commit(const struct scripted *scripted,
				    const struct redirects *redirects);
