/* What has crashed processes before: after two crashes on the same operation and key, new
 * children are told the key, refuse that one thing and serve the rest. */
#pragma once

#include "base/buf.h"
#include "rt/panic.h"

enum { POISON_CRASHES = 2, POISON_KNOWN_MAX = 256 };

struct poison {
	struct {
		struct panic_record what;
		unsigned crashes;
	} known[POISON_KNOWN_MAX];
	size_t count, next; /* next: the one to be replaced when all are used */
};

/* Counts a crash.  True if it has just become poison. */
bool poison_note(struct poison *poison, const struct panic_record *record);
/* Appends the keys, as CHILD_POISON carries them. */
void poison_keys(const struct poison *poison, struct buf *keys);
