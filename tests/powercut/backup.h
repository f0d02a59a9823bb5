/* A backup under way: the index as it stood at one commit, and pins that keep what it
 * needs in the packs until they are copied, a while later. */
#pragma once

#include "powercut/note.h"
#include "storage/storage.h"

struct backup {
	struct storage *storage; /* pinned; NULL: none is under way */
	char folder[300];
	struct arena arena;
	struct store_extent extent;
	struct account_state states[ACCOUNTS + 1];
};

/* Pins the storage and copies its index to a fresh folder of that name.  What it has
 * taken must be in the index, and is what the reference holds.  ERR_IO: the copy failed,
 * and nothing is under way. */
[[nodiscard]] err_t backup_begin(struct backup *backup, struct storage *storage,
				 struct storage *reference, const char *folder);
/* Copies the packs, lets go of the pins, and looks whether the copy opens and shows what
 * was there at the beginning.  NULL, or what is wrong. */
const char *backup_end(struct backup *backup, const char *store_folder);
/* The storage is about to be closed: nothing comes of it. */
void backup_drop(struct backup *backup);
