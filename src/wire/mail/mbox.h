/* The mbox format (RFC 4155 and what came before it): messages after one another in a
 * file, each behind a line "From sender date" that follows an empty line or begins the
 * file.
 *
 * Lines of a message that would look so are quoted with ">": mboxrd does that to "From "
 * and to any ">From ", ">>From ", so that it can be undone; mboxo only to "From ".
 * What a mail program notes about a message stands in header fields that are not the
 * message's own: Status, X-Status, X-Keywords, X-UID, X-IMAP, X-IMAPbase, and
 * Thunderbird's X-Mozilla-Status, X-Mozilla-Status2, X-Mozilla-Keys.  A field of such a
 * name whose value could not be a note (a "Status: pending") belongs to the message.
 * Content-Length is not looked at: it is often wrong.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum mbox_flag {
	MBOX_SEEN = 1,
	MBOX_ANSWERED = 2,
	MBOX_FLAGGED = 4,
	MBOX_DELETED = 8,
	MBOX_DRAFT = 16,
	MBOX_FORWARDED = 32,
	MBOX_EXPUNGED =
		64, /* Thunderbird: gone, and only not yet taken out of the file */
};

enum { MBOX_KEYWORDS_MAX = 64 };

struct mbox_from {
	struct str sender;
	bool has_date;
	int64_t at_s;
	int zone_minutes;
};

struct mbox_notes {
	unsigned flags; /* enum mbox_flag */
	struct str keywords[MBOX_KEYWORDS_MAX];
	size_t keyword_count;
};

/* Whether the line (its end may be there) begins a message.  To be told from mail that
 * was not quoted, it must show a time and a year. */
[[nodiscard]] bool mbox_from_line(struct str line, struct mbox_from *from);
/* How many ">" stand before "From ": 0 for every other line, and for "From " itself. */
size_t mbox_quotes(struct str line);
/* Appends the line that begins a message, with LF. */
void mbox_from_add(struct buf *out, struct str sender, int64_t at_s);
/* Appends the message without the fields that note something about it, which are read
 * into notes; its keywords borrow the message. */
void mbox_take_notes(struct str message, struct buf *out, struct mbox_notes *notes);
