/* The files that a ZIP archive in a mail holds, still packed: where they are, not what is
 * in them.  PKWARE APPNOTE 6.3, §4.3 and §4.4, without ZIP64, disks and encryption.
 *
 * Leniency: OTHER_MEMBERS, folders and further files that some programs add; the first
 * file counts. */
#pragma once

#include "base/codec.h"

enum { ZIP_MEMBERS_MAX = 16 /* looked at for the first */, ZIP_WALK_MAX = 2000 };

enum zip_method { ZIP_STORED = 0, ZIP_DEFLATED = 8 };

struct zip_member {
	struct str name;
	struct str packed; /* borrows the archive */
	enum zip_method method;
	size_t size;  /* unpacked, as the archive says */
	uint32_t crc; /* CRC-32 (of ISO 3309) of what is unpacked */
};

bool zip_is(struct str bytes);
/* False if there is no such file, or its places lie outside the archive. */
[[nodiscard]] bool zip_first(struct str archive, struct zip_member *member);

/* All files, in the order of the archive's directory; those that are encrypted, or packed
 * in ways that we do not know, are passed over. */
struct zip_walk {
	struct str archive;
	struct dec dec; /* what is left of the directory */
	size_t left;    /* entries */
};
/* False if it is no archive. */
[[nodiscard]] bool zip_walk_over(struct str archive, struct zip_walk *walk);
/* False at the end, and where the directory is damaged. */
bool zip_next(struct zip_walk *walk, struct zip_member *member);
