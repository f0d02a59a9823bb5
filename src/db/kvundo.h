/* What the keys of a write transaction were, so that it can go back to a mark.  Private
 * to db/. */
#pragma once

#include "base/buf.h"

struct kv_undo_step;

struct kv_undo {
	bool is_on;
	struct buf bytes;
	struct kv_undo_step *steps;
	size_t count, room;
};

void kv_undo_init(struct kv_undo *undo);
void kv_undo_fini(struct kv_undo *undo);
void kv_undo_start(struct kv_undo *undo); /* forgets what was noted before */
/* old is what the key has, NULL if it is not there.  Both are copied. */
[[nodiscard]] err_t kv_undo_note(struct kv_undo *undo, struct str key,
				 const struct str *old);
/* The newest step that was not taken yet; false if there is none.  The slices are good
 * until the next note. */
bool kv_undo_take(struct kv_undo *undo, struct str *key, struct str *old,
		  bool *was_there);
