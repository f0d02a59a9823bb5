/* What came of TLS with other servers, for the reports of tlspolicy/ledger.h. */
#pragma once

#include "mta/run.h"

struct policy_hop;

/* NULL if reports are not wanted. */
struct ledger *tally_open(struct run *run);
/* A task's body, arg is the run: writes down and reports, until it is canceled. */
void tally_task(void *run);

/* Once a hop, after its policy was asked for. */
void tally_hop(struct run *run, const struct policy_hop *hop);
/* One connection that got far enough to tell, or was not made because of the policy
 * (demand says so; client is NULL).  Mail that may go without TLS whatever policies say
 * does not count: reports are such. */
void tally_host(const struct destination *destination, const struct policy_hop *hop,
		const struct tls_demand *demand, const struct client *client,
		struct str host);
