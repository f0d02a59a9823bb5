/* From one format of the data directory to the next, and back.
 *
 * A program that knows a newer format than the data has brings it up to date before
 * anything is opened.  Until the last moment it only adds: a snapshot is made
 * (snapshot.h), and copies of the index and of the secrets are changed step by step
 * (migration.h).  Then DIR/format says the new format, which keeps older programs away,
 * and the copies take the place of what there was.  Whatever is interrupted before that
 * leaves the old data as it was, and the next start begins anew; what is interrupted
 * after it, the next start ends.
 *
 * Going back puts the snapshot's index back.  What the log gained since goes with it:
 * each commit that the old format can express is carried over; where an account has one
 * that it cannot, that one and the account's later ones are left, and their mail is
 * exported (rollback.h).  The epoch is raised.
 *
 * The caller holds the data directory's lock.  The work in each part is done by a process
 * of its own with the rights of the part's owner.  Everything here blocks, some of it for
 * long.  What comes of it is said in whole sentences for people.
 */
#pragma once

#include "base/buf.h"
#include "upgrade/migration.h"

struct upgrade {
	const char *folder; /* the data directory */
	const struct formats *formats;
	/* Told now and then what is being done; percent 0: nobody knows. */
	void (*tell)(void *arg, const char *what, unsigned percent);
	void *arg;
};

/* Brings the data up to date, ends what was interrupted, or does nothing.  ERR_DENIED:
 * the data is not for this program. */
[[nodiscard]] err_t upgrade_run(const struct upgrade *upgrade, struct buf *said);

/* What the data can go back to. */
struct upgrade_snapshot {
	uint32_t format;
	int64_t made_at;
	uint64_t packs, bytes;
	uint64_t later_bytes; /* packs begun since */
};
/* False if there is none. */
bool upgrade_find(const char *folder, struct upgrade_snapshot *found);
/* Goes back to it, and forgets it.  ERR_ABSENT: there is none. */
[[nodiscard]] err_t upgrade_rollback(const struct upgrade *upgrade, struct buf *said);
/* Removes it; a running server then frees the space that it held.  OK if there is none.
 */
[[nodiscard]] err_t upgrade_forget(const char *folder, struct buf *said);
/* The same if it is older than so many days. */
void upgrade_expire(const char *folder, uint32_t days);
