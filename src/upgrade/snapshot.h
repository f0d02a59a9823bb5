/* The snapshot of a part, in its folder snapshot/:
 *
 *   manifest     format N / made SECONDS / program VERSION / is-migrated 0 or 1, whether
 *                a step has changed this part's file / pack NUMBER LENGTH for each pack
 *   packs/       each pack by a second name, of the store: packs are append-only, and
 *                while there is a snapshot none is appended to that it holds, and no body
 *                is punched out of any (storage/pin.c)
 *   index.lmdb   the index as it was; or secrets, of the vault
 *
 * Private to upgrade/. */
#pragma once

#include "upgrade/part.h"

struct snapshot {
	uint32_t format;
	int64_t made_at;
	bool is_migrated;
	uint32_t newest_pack; /* 0: none */
	uint64_t packs, bytes;
};

/* Of the snapshot in that folder of a part; ERR_ABSENT, ERR_SYNTAX. */
[[nodiscard]] err_t snapshot_read(const char *path, struct snapshot *manifest);

/* For part_run().  Makes the snapshot and what is to come; the part stays as it is. */
[[nodiscard]] err_t snapshot_prepare(struct part *part);
/* What has been prepared takes the place of what there was, which goes into the snapshot.
 * Does what has not been done yet. */
[[nodiscard]] err_t snapshot_switch(struct part *part);
[[nodiscard]] err_t snapshot_remove(struct part *part);
/* next/name takes the place of name, which goes to `old`; nothing if that is done. */
[[nodiscard]] err_t part_replace(const struct part *part, const char *name,
				 const struct part_path *old);
/* Each pack of the folder gets a name in `to`; LENGTH of each is appended to lines, if
 * that is not NULL. */
[[nodiscard]] err_t packs_link(const struct part_path *from, const struct part_path *to,
			       struct buf *lines);
