/* One finding while it is made; inside publish/ only. */
#pragma once

#include "publish/check.h"

struct judge {
	const struct publish_asker *asker;
	const struct publish_plan *plan;
	struct arena *arena;
	struct publish_finding *finding;
};

void judge_say(struct judge *judge, enum publish_state state, struct str sentence);
/* False, and said: there is no answer, or one that cannot be believed. May suspend. */
bool judge_ask(struct judge *judge, struct str name, enum dns_type type,
	       struct dns_answer *answer);
/* Of the texts that policies are: SPF, DMARC, MTA-STS, TLS-RPT.  May suspend. */
void judge_text(struct judge *judge, struct str text);
