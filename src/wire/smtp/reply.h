/* SMTP replies: writing ours, reading those of other servers.  RFC 5321 §4.2, RFC 3463.
 */
#pragma once

#include "base/buf.h"

/* class "." subject "." detail; class 0 is "none".  RFC 3463 §2. */
struct smtp_enhanced {
	uint16_t class, subject, detail;
};

enum { SMTP_REPLY_LINE_MAX = 512, SMTP_REPLY_LINES_MAX = 200 }; /* RFC 5321 §4.5.3.1.5 */

/* Appends a whole reply: the text's lines (separated by LF) each with the code, the last
 * with a space behind it.  enhanced is "5.1.1" or NULL.  Control characters in text
 * become
 * "?", and a line that would be over 512 octets is cut. */
void smtp_reply_add(struct buf *out, int code, const char *enhanced, struct str text);

/* The whole text as an enhanced status code. */
[[nodiscard]] bool smtp_enhanced_parse(struct str text, struct smtp_enhanced *enhanced);

struct smtp_reply {
	int code;                      /* 200 to 599; 0 before the first line */
	struct smtp_enhanced enhanced; /* of the first line that has one */
	unsigned lines;
	bool is_whole; /* its last line was read */
};

enum smtp_reply_fault {
	SMTP_REPLY_OK,
	SMTP_REPLY_BAD,  /* no reply line, or another code than the lines before */
	SMTP_REPLY_LONG, /* too many lines */
};

/* Takes the next line, without its line end, of a reply that started as {0}.  The text
 * behind the codes is appended to *text, lines separated by LF, other controls as "?"; at
 * its bound the rest is dropped.  Lenient: text may be missing, and long. */
enum smtp_reply_fault smtp_reply_line(struct smtp_reply *reply, struct str line,
				      struct buf *text);
