/* Reports that came from others are files: plain, packed by gzip or ZIP, or one of these
 * in a mail.  This finds the plain file.  Bounded, however well it was packed. */
#pragma once

#include "base/arena.h"
#include "wire/mail/mime.h"

enum unpack {
	UNPACK_DONE,
	UNPACK_OTHER,   /* the mail holds no such part */
	UNPACK_DAMAGED, /* it is packed, but cannot be unpacked */
	UNPACK_LONG,    /* more octets than max, packed or not */
};

/* RFC 1952, or a ZIP archive (wire/mail/zip.h). */
bool unpack_is_packed(struct str bytes);
/* *plain borrows bytes, if they are not packed, or lives in the arena. */
enum unpack unpack_file(struct str bytes, size_t max, struct arena *arena,
			struct str *plain);
/* The first leaf that is wanted. */
enum unpack unpack_mail(struct str mail,
			bool (*is_wanted)(const struct mime_part *part,
					  const struct mime_part *root),
			size_t max, struct arena *arena, struct str *plain);
/* multipart/report of this report-type.  RFC 6522 §3. */
bool unpack_is_report(const struct mime_part *root, struct str type);
/* RFC 1952.  False if it does not fit. */
[[nodiscard]] bool pack_gzip(struct str bytes, struct buf *out);
