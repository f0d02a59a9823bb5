/* What the verbs of "dns" about a domain of ours share. */
#pragma once

#include "publish/check.h"

struct ctl;

/* Plans for the domain in the first word, with keys for DKIM if it had none; false, and
 * said, if that cannot be.  May suspend. */
bool dns_domain_plan(struct ctl *ctl, struct publish_facts *facts,
		     struct publish_plan *plan);
/* Looks all of it up.  May suspend. */
bool dns_domain_check(struct ctl *ctl, const struct publish_plan *plan,
		      struct publish_report *report);
/* Prints what was found, and sets the status. */
void dns_domain_say(struct ctl *ctl, const struct publish_report *report);
