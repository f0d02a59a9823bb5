/* Files and folders of others: read defensively, since they may change meanwhile. */
#pragma once

#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"

/* The names in the folder but "." and "..", sorted by octets, in arena.  ERR_ABSENT if
 * there is none, ERR_LIMIT beyond the arena, ERR_IO. */
[[nodiscard]] err_t folder_names(const char *path, struct arena *arena,
				 struct str **names, size_t *count);
/* "folder/name" as a C string in arena; NULL if it is too long. */
const char *folder_join(struct arena *arena, const char *folder, struct str name);
bool folder_is(const char *path);
/* The regular file appended whole, and what the system knows of it.  ERR_ABSENT: it is
 * gone; ERR_LIMIT: it does not fit; ERR_IO, also if it is no regular file. */
[[nodiscard]] err_t folder_read(const char *path, struct buf *content, struct stat *stat);
/* The moment a message arrived, as its header tells: the topmost Received, else Date.
 * False if it does not. */
bool folder_date(struct str message, int64_t *at_s, int *zone_minutes);
