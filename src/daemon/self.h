/* A child as it sees itself: what all roles share, and what each adds. */
#pragma once

#include "base/arena.h"
#include "conf/conf.h"
#include "control/child.h"
#include "rt/sandbox.h"

struct self {
	enum child_role role;
	const struct role *how;
	struct ipc *control;
	struct arena arena; /* of the configuration */
	bool has_config, is_dev, is_stopping;
	struct conf conf;
	uint32_t connections_max; /* of a door */
	unsigned index;           /* which of its role */
	void *state;              /* the role's own */
};

struct role {
	struct sandbox sandbox;
	bool is_patient; /* takes what time the others leave */
	/* Before the first message; fills self->state. */
	void (*make)(struct self *self);
	/* CHILD_GO came; may suspend; false ends the process.  When it returns true the
	 * process serves. */
	bool (*begin)(struct self *self);
	/* A message that only some roles understand; its descriptor is taken over.  May
	 * come before, during and after begin(). */
	void (*take)(struct self *self, const struct ipc_message *message);
	/* All tasks have ended. */
	void (*end)(struct self *self);
};

extern const struct role role_storaged, role_vaultd, role_resolverd, role_fetchd,
	role_door, role_mta, role_deliverd, role_indexd, role_extractd;
const struct role *role_of(enum child_role role);

/* Says what a process of this role can do of what it should not be able to, a line each;
 * for the test of the sandbox.  Returns the exit status. */
int self_probe(void);
