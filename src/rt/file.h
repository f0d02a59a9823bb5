/* Files, whole or not at all.  Everything here blocks: use it at start, in threads, or
 * through offload().  Each failure is logged here with its path or descriptor and comes
 * back as ERR_IO (ERR_ABSENT where said; ERR_LIMIT where there is no room to write). Each
 * call is a fault site of its own name with a dot
 * ("file.write", "file.sync", "file.rename"; see rt/fault.h). */
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include "base/buf.h"

/* Appends the whole file.  ERR_ABSENT if there is none, ERR_LIMIT if it does not fit.
 * Site file.read. */
[[nodiscard]] err_t file_read(const char *path, struct buf *content);
/* ERR_SYNTAX if the file ends before. */
[[nodiscard]] err_t file_pread_all(int fd, void *bytes, size_t len, uint64_t at);

/* All of it, however many writes that takes; after a failure some of it may be there.
 * Site file.write. */
[[nodiscard]] err_t file_write_all(int fd, struct str bytes);
[[nodiscard]] err_t file_pwrite_all(int fd, struct str bytes, uint64_t at);
/* parts is used up. */
[[nodiscard]] err_t file_writev_all(int fd, struct iovec *parts, size_t count);
[[nodiscard]] err_t file_pwritev_all(int fd, struct iovec *parts, size_t count,
				     uint64_t at);

/* A failure means that what was written may be lost although a later call succeeds: never
 * try again on the same descriptor.  Sites file.sync. */
[[nodiscard]] err_t file_sync(int fd);      /* with its size and times */
[[nodiscard]] err_t file_sync_data(int fd); /* content and what is needed to read it */
/* Makes the folder's entries durable.  Site file.sync_folder. */
[[nodiscard]] err_t file_sync_folder(const char *path);
/* rename(2), then the folder of `to` (and of `from`, if another) is made durable.
 * ERR_ABSENT.  Site file.rename. */
[[nodiscard]] err_t file_rename(const char *from, const char *to);
/* The file has the old content or the new one at every moment, and the new one durably
 * after OK.  Writes path.new first.  Site file.create. */
[[nodiscard]] err_t file_replace(const char *path, struct str content, mode_t mode);
/* OK if it was there already.  Its parent must exist and is made durable.  Site
 * file.mkdir.
 */
[[nodiscard]] err_t file_make_folder(const char *path, mode_t mode);
/* OK if there was none; not made durable. */
[[nodiscard]] err_t file_remove(const char *path);

bool file_is_there(const char *path);
/* A file of the same content at `to`, durable but for its name; shares the blocks where
 * the file system can.  Told how far it is, if progress is not NULL.  Site file.copy. */
[[nodiscard]] err_t file_copy(const char *from, const char *to,
			      void (*progress)(void *arg, uint64_t done, uint64_t all),
			      void *arg);
/* Another name for the same file; OK if there is one. */
[[nodiscard]] err_t file_link(const char *from, const char *to);
/* The folder, or file, with all that is in it; OK if there was none.  No link is
 * followed. */
[[nodiscard]] err_t file_remove_tree(const char *path);
