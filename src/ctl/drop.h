/* Mail that is left for the server in DIR/drop, whether it runs or not.
 *
 * A file is one mail, as SMTP would say it (RFC 5321 §4.1.1), in lines that end in CRLF:
 *
 *   MAIL FROM:<ann@example.org> BODY=8BITMIME
 *   RCPT TO:<bob@example.net> NOTIFY=FAILURE        once for each recipient
 *   DATA
 *   the message, to the end of the file, its dots as they are
 *
 * Its name is the mail's queue id, and whose file it is says who sent it.  It is written
 * as ".ID", made durable, and renamed.  The folder's mode is 1733: everybody may add to
 * it, and nobody but the server sees what is there. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/* Slices are the caller's. */
struct letter {
	struct str sender;            /* "" is <> */
	const struct str *recipients; /* whole addresses */
	size_t count;
	struct str mail_params, rcpt_params; /* " RET=HDRS", or "" */
	struct str text;                     /* CRLF lines, without Bcc */
};

enum drop_outcome {
	DROP_OK,      /* durable: the server answers for it */
	DROP_LATER,   /* there is no folder, or no room; nothing was left */
	DROP_REFUSED, /* the envelope cannot be said in SMTP; nothing was left */
};

/* recipients_max of a file: with more of them there are several files, all or none.  On
 * failure *why (in arena) is a sentence. */
enum drop_outcome drop_letter(const char *data_directory, const struct letter *letter,
			      size_t recipients_max, struct arena *arena,
			      struct str *why);
/* Appends the file's lines in front of DATA; false if they are no SMTP. */
[[nodiscard]] bool drop_envelope_add(const struct letter *letter, size_t from,
				     size_t count, struct buf *out);
