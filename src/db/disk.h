/* The disk calls that packs stand on.  Beside rt/file.h because "the disk is full" must
 * be told apart here, and because scanning reads past ends.  Offsets and lengths in
 * octets. All of them block.  Fault sites (rt/fault.h): pack.write, pack.flush,
 * pack.allocate, pack.cut, pack.punch. */
#pragma once

#include <sys/uio.h>

#include "base/str.h"

/* Writes all pieces one after the other at offset; changes the pieces.  ERR_LIMIT: the
 * disk is full; ERR_IO.  Some octets may have been written then. */
[[nodiscard]] err_t disk_write(int fd, struct iovec *pieces, size_t count,
			       uint64_t offset);
/* The file's data is on disk, with the size needed to find it.  After ERR_IO nobody knows
 * what is on disk, and asking again on the same descriptor would lie. */
[[nodiscard]] err_t disk_flush(int fd);
/* The folder's entries are on disk. */
[[nodiscard]] err_t disk_flush_folder(const char *path);
/* Space for [0, size), reading as zeros where nothing was written.  ERR_LIMIT: full. */
[[nodiscard]] err_t disk_allocate(int fd, uint64_t from, uint64_t size);
/* Reads up to len octets; *got is less only at the end of the file. */
[[nodiscard]] err_t disk_read(int fd, void *bytes, size_t len, uint64_t offset,
			      size_t *got);
/* The octets read as zeros from now on, and whole blocks of them take no space.
 * ERR_DENIED: the file system cannot do that. */
[[nodiscard]] err_t disk_punch(int fd, uint64_t offset, uint64_t len);
/* Cuts the file to size and flushes it. */
[[nodiscard]] err_t disk_cut(int fd, uint64_t size);
/* No more than a write or two fit where the file is. */
bool disk_is_used_up(int fd);
/* Forgets what the cache holds of the file, so that the next read asks the disk. */
void disk_forget_cache(int fd);
