/* MTA-STS policies: found, fetched, kept and refreshed (RFC 8461 §3.3, §5.1).  Inside
 * tlspolicy/ only. */
#pragma once

#include "tlspolicy/policy.h"

struct sts;

struct sts *sts_open(const struct policy_options *options);
void sts_close(struct sts **sts);
/* May suspend.  Fills what begins with sts of hop, and hop->hop.sts if there is a policy
 * that holds. */
void sts_find(struct sts *sts, struct str domain, struct arena *arena,
	      struct policy_hop *hop);

struct sts_row {
	struct str id;
	int64_t fetched_at;
	struct str text;
};
/* False if the octets are none of ours.  Borrows. */
[[nodiscard]] bool sts_row_decode(struct str value, struct sts_row *row);
void sts_row_encode(struct buf *value, const struct sts_row *row);
