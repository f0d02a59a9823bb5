/* The path of MAIL FROM and RCPT TO: "<" [ A-d-l ":" ] Mailbox ">", "<>", or the
 * "<Postmaster>" that every server takes.  RFC 5321 §4.1.2, §4.5.1; RFC 6531 §3.3. */
#pragma once

#include "base/arena.h"
#include "wire/smtp/domain.h"

/* RFC 5321 §4.5.3.1.1, §4.5.3.1.3.  A local part may be twice as long as others must
 * take: addresses of forwarders (wire/smtp/srs.h) often are. */
enum { SMTP_LOCAL_MAX = 128, SMTP_PATH_MAX = 256 };

struct smtp_path {
	struct str local;  /* as written, quotes included; empty in the null path "<>" */
	struct str domain; /* a name or an address literal; empty in "<>" and
			      "<Postmaster>" */
	bool is_utf8;      /* it holds octets beyond ASCII */
};

/* Reads one path and moves past it.  False if there is none: the cursor has not moved and
 * *path is untouched.  The slices borrow from the input.  Takes any octets at all. */
[[nodiscard]] bool smtp_path_parse(struct cursor *c, enum smtp_charset charset,
				   struct smtp_path *path);
/* The whole text as a mailbox without brackets, "ann@example.org". */
[[nodiscard]] bool smtp_mailbox_parse(struct str text, enum smtp_charset charset,
				      struct smtp_path *path);
/* The local part's meaning: without quotes and quoting backslashes, so that "ann" and
 * "\"ann\"" are one.  RFC 5321 §4.1.2.  A copy only if it was quoted; false at the
 * arena's bound. */
[[nodiscard]] bool smtp_local_plain(struct str local, struct arena *arena,
				    struct str *plain);
