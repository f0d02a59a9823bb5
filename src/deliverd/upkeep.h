/* What has to be done now and then: DKIM keys begin to sign when the DNS shows
 * them, and are forgotten when they have been retired long enough; the key of rewritten
 * senders is made, and renewed.  And reports that others have sent are forgotten when
 * they are old. */
#pragma once

struct directory;
struct resolver;
struct vault;

struct upkeep {
	const struct directory *directory;
	struct vault *vault;
	struct resolver *resolver;
};

/* A task's body; arg is a struct upkeep that lives as long as the loop.  Looks an hour
 * after it began, and every hour; the first key of senders is made at once.  Each
 * deliverd does so; what is done twice is done once. */
void upkeep_task(void *arg);
/* Looks at all domains, now. */
void upkeep_look(const struct upkeep *upkeep);
