/* What has crashed processes before: after two crashes on the same operation and key, new
 * children of that role are told the key, refuse that one thing and serve the rest.  Each
 * role has its own list: a process may be hostile, and say what it likes when it dies.
 */
#pragma once

#include "base/buf.h"
#include "control/child.h"

enum { POISON_CRASHES = 2, POISON_KNOWN_MAX = 256 };

struct poison {
	struct poison_list {
		struct {
			struct panic_record what;
			unsigned crashes;
		} known[POISON_KNOWN_MAX];
		size_t count, next; /* next: the one to be replaced when all are used */
	} of[CHILD_ROLES];
};

/* Counts a crash.  True if it has just become poison. */
bool poison_note(struct poison *poison, enum child_role role,
		 const struct panic_record *record);
/* Appends the role's keys, as CHILD_POISON carries them. */
void poison_keys(const struct poison *poison, enum child_role role, struct buf *keys);
