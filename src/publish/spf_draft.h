/* An SPF record (RFC 7208) from plain answers, and what the DNS would make of it. */
#pragma once

#include "mailauth/spf.h"

enum { SPF_DRAFT_HOSTS_MAX = 20 };

struct spf_draft {
	struct str domain;
	struct str hosts[SPF_DRAFT_HOSTS_MAX]; /* that send: names, addresses, networks,
						  or "this" for the domain's own */
	size_t host_count;
	struct str includes[SPF_DRAFT_HOSTS_MAX]; /* domains whose SPF counts as well */
	size_t include_count;
	enum spf_result other; /* FAIL, SOFTFAIL, NEUTRAL: what others get */
};

/* Each takes the words of one answer, with commas or spaces between; false: *wrong is the
 * word that cannot be, or the one too many. */
[[nodiscard]] bool spf_draft_hosts(struct spf_draft *draft, struct str answer,
				   struct str *wrong);
[[nodiscard]] bool spf_draft_includes(struct spf_draft *draft, struct str answer,
				      struct str *wrong);
/* "hard", "soft", "neutral" */
[[nodiscard]] bool spf_draft_other(struct spf_draft *draft, struct str answer);

struct str spf_draft_text(const struct spf_draft *draft, struct arena *arena);
/* Evaluates the text as if it were published, for an address that nobody has, so that
 * all of it is asked.  May suspend, like spf_check(). */
void spf_draft_try(const struct spf_draft *draft, struct str text,
		   const struct dns_lookup *lookup, struct arena *arena,
		   struct spf_verdict *verdict);
