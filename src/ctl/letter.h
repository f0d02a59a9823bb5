/* A message as programs pipe it into sendmail, made into one that can be sent.  Pure. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/* Appends raw with CRLF line ends and without NUL.  Unless dots_count, a line that is
 * only a dot ends it. */
void letter_lines_add(struct buf *out, struct str raw, bool dots_count);

struct letter_header {
	struct str from; /* the From field, if there is none: "Ann <ann@example.org>" */
	struct str id, domain; /* of the Message-ID, if there is none */
	int64_t now;           /* of Date, if there is none */
};

/* Appends the message with what its header lacks, and without Bcc. */
void letter_add(struct buf *out, struct str lines, const struct letter_header *header);

enum { LETTER_RECIPIENTS_MAX = 10000 };
/* Whom To, Cc and Bcc name, or if there are any Resent-To, Resent-Cc and Resent-Bcc.
 * RFC 5322 §3.6.6.  Each is appended to list (of LETTER_RECIPIENTS_MAX), a domain that is
 * missing is filled in.  False: there are too many, or one is no address (*bad). */
[[nodiscard]] bool letter_recipients(struct str lines, struct str domain,
				     struct arena *arena, struct str *list, size_t *count,
				     struct str *bad);
/* The same for a list of addresses. */
[[nodiscard]] bool letter_addresses(struct str value, struct str domain,
				    struct arena *arena, struct str *list, size_t *count,
				    struct str *bad);
