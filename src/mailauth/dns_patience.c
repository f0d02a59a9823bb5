#include "mailauth/dns_patience.h"

#include "rt/clock.h"

static void ask(void *context, struct str name, enum dns_type type, struct arena *arena,
		struct dns_answer *answer)
{
	struct dns_patience *patience = context;
	uint64_t began_ms = clock_monotonic_ms();

	if (patience->silent >= DNS_PATIENCE_QUESTIONS) {
		*answer = (struct dns_answer){.outcome = DNS_UNKNOWN,
					      .why = STR("no name server answers")};
		return;
	}
	patience->lookup.ask(patience->lookup.context, name, type, arena, answer);
	if (answer->outcome == DNS_UNKNOWN &&
	    clock_monotonic_ms() - began_ms >= DNS_PATIENCE_MS)
		patience->silent++;
	else
		patience->silent = 0;
}

struct dns_lookup dns_patience_lookup(struct dns_patience *patience)
{
	return (struct dns_lookup){ask, patience};
}
