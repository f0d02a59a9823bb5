/* The deliverd process: takes the mails that doors hand over (deliver/deliver.h), lets
 * policy/ judge and complete them, and commits each to a mailbox or to the queue.  Beside
 * it mda/ runs there, from the queue to mailboxes.
 */
#pragma once

#include "policy/policy.h"
#include "route/report.h"

struct deliverd;

struct deliverd_options {
	struct store *store;
	struct policy policy;
	const struct reporter *reporter; /* with the same store */
	struct str report_address;       /* deliverd/arrivals.h; "": none */
	uint64_t held_bytes_max;         /* of requests that come in parts; 0: 1 GiB */
	/* Of what is passed on.  NULL: nothing is sealed; From always stays. */
	const struct dkim_mailer *sealer, *rewriter;
};

/* What options lead to must stay as long as the loop. */
struct deliverd *deliverd_open(const struct deliverd_options *options);
/* After the last task has ended. */
void deliverd_close(struct deliverd **deliverd);
/* Serves a door's channel until the other side closes it; fd is owned from here on. */
void deliverd_serve(struct deliverd *deliverd, int fd);
