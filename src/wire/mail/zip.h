/* The one file that a ZIP archive in a mail holds, still packed: where it is, not what is
 * in it.  PKWARE APPNOTE 6.3, §4.3 and §4.4, without ZIP64, disks and encryption.
 *
 * Leniency: OTHER_MEMBERS, folders and further files that some programs add; the first
 * file counts. */
#pragma once

#include "base/str.h"

enum { ZIP_MEMBERS_MAX = 16 /* looked at */ };

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
