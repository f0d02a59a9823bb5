/* The data directory as those who start processes see it:
 *
 *   DIR/store          the store process's own
 *   DIR/vault          the vault process's own
 *   DIR/run/lock       locked while a server, or a command without one, works here
 *   DIR/run/control    the socket at which the server takes commands
 *   DIR/drop           where all users may drop mail (ctl/drop.h), but not see any
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"

enum { FOLDER_PATH_MAX = 4096, FOLDER_WHY_MAX = 2 * FOLDER_PATH_MAX };

/* The part's path in room; ERR_LIMIT if it is too long. */
[[nodiscard]] err_t folder_path(char room[FOLDER_PATH_MAX], const char *folder,
				const char *part);
/* On failure these append to why a sentence for people.  ERR_DENIED: it is not ours, or
 * not ours alone. */

/* Makes DIR and DIR/run where they are missing. */
[[nodiscard]] err_t folder_make(const char *folder, struct buf *why);
/* Makes a part that belongs to a process's user. */
[[nodiscard]] err_t folder_make_part(const char *folder, const char *part, uid_t uid,
				     gid_t gid, struct buf *why);
/* Makes DIR/drop: everybody may put files there, nobody else may list or remove them. */
[[nodiscard]] err_t folder_make_drop(const char *folder, struct buf *why);
/* Takes the lock, held until all copies of *fd are closed; ERR_LIMIT if it is taken. */
[[nodiscard]] err_t folder_lock(const char *folder, int *fd, struct buf *why);

/* This process has the rights of the part's owner from here on; for root, who would have
 * more.  False: it keeps its own, and must not go on. */
[[nodiscard]] bool folder_become_owner(const char *folder, const char *part);

/* Who owns the part. */
[[nodiscard]] err_t folder_owner(const char *folder, const char *part, uid_t *uid,
				 gid_t *gid);
