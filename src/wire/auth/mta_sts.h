/* MTA-STS: the record that announces a policy, and the policy itself.  RFC 8461 §3. */
#pragma once

#include "base/arena.h"

enum {
	MTA_STS_ID_MAX = 32,
	MTA_STS_POLICY_BYTES_MAX = 64 * 1024,
	MTA_STS_AGE_MAX_S = 31557600,
	MTA_STS_MX_MAX = 200, /* patterns of one policy */
};

/* True for a TXT record that begins as one of MTA-STS; others at that name are passed
 * over. */
bool mta_sts_is_record(struct str text);
/* id borrows text.  False if it does not follow the grammar. */
[[nodiscard]] bool mta_sts_record_parse(struct str text, struct str *id);

enum mta_sts_mode { MTA_STS_NONE, MTA_STS_TESTING, MTA_STS_ENFORCE };
const char *mta_sts_mode_name(enum mta_sts_mode mode);

struct mta_sts_policy {
	enum mta_sts_mode mode;
	uint32_t max_age_s;
	const struct str *mx; /* patterns in lower case: "mx.example.org", "*.example.net"
			       */
	size_t mx_count;
};

/* Copies into arena.  False if it does not follow the grammar, lacks what is required, or
 * is beyond a bound. */
[[nodiscard]] bool mta_sts_policy_parse(struct str text, struct arena *arena,
					struct mta_sts_policy *policy);
/* Whether the policy lists this MX host (lower case, no final dot).  RFC 8461 §4.1. */
bool mta_sts_has_mx(const struct mta_sts_policy *policy, struct str host);
