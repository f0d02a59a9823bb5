/* The names that Maildirs give to mailboxes and messages.
 *
 * A message's file is "UNIQUE,S=size:2,FLAGS"; the unique name ends at the first "," or
 * ":".  Flags are letters: D draft, F flagged, P passed (forwarded), R replied, S seen,
 * T trashed, and a to z for the keywords that dovecot-keywords numbers.
 * A mailbox of Maildir++ is ".Archive.2026"; levels are modified UTF-7.  A "." or "/" in
 * a level is "\2e", "\2f", as Dovecot's listescape has it. */
#pragma once

#include "base/buf.h"

struct maildir_name {
	struct str unique;
	uint8_t flags; /* enum message_flag */
	bool is_forwarded;
	uint32_t keywords; /* bit 0: "a" */
};

struct maildir_name maildir_name_read(struct str name);
/* Appends ":2," and the letters. */
void maildir_flags_add(struct buf *out, uint8_t flags, bool is_forwarded,
		       uint32_t keywords);
/* Appends a level, with its escapes undone, in modified UTF-7 or UTF-8 as it was. */
void maildir_level_read(struct buf *out, struct str level);
/* Appends a level of ours, in UTF-8, for the name of a folder. */
void maildir_level_add(struct buf *out, struct str level);
