/* Who a stranger's mail is from, as far as can be found out, and what follows from it. */
#pragma once

#include "policy/policy.h"

/* Whether the mail is of a stranger at all. */
bool policy_judges(const struct policy *policy, const struct deliver_mail *mail);
/* Asks the DNS, puts the Authentication-Results field into out->trace, and says what is
 * to become of the mail.  hearing may be NULL, else it stays the caller's.  The verdict's
 * text lives in arena.  May suspend, for as long as mailauth_judge(). */
struct policy_verdict policy_judge(const struct policy *policy,
				   const struct deliver_mail *mail,
				   struct hearing *hearing, struct arena *arena,
				   struct policed *out);
