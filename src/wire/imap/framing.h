/* Where does a command end?  It is a line, or lines with literals between them (RFC 9051
 * §4.3), so the answer needs only the ends of lines, whatever the command is.
 *
 * The caller keeps all octets of the command together, from its first, and asks again
 * when more came; nothing is looked at twice.
 */
#pragma once

#include "base/str.h"

/* In octets.  Before log-in one command is 24 KiB at most, literals included. */
struct imap_frame_limits {
	size_t command_max; /* the whole command */
	size_t line_max;    /* one line of it */
	bool may_append;    /* APPEND's message is told apart and not counted */
};
extern const struct imap_frame_limits imap_frame_before_login, imap_frame_after_login;

enum imap_frame_state {
	IMAP_FRAME_MORE,     /* get more octets and ask again */
	IMAP_FRAME_GO,       /* a synchronising literal is next: send "+", get more */
	IMAP_FRAME_WHOLE,    /* the first len octets are the command */
	IMAP_FRAME_MESSAGE,  /* the first len octets are an APPEND up to its message,
			      * literal octets, which is not read yet */
	IMAP_FRAME_TOO_LONG, /* if is_synchronising, the first len octets are all there
			      * will be of it and it can be refused (RFC 7888 §4);
			      * otherwise the rest is on its way and cannot be told apart
			      */
};

struct imap_frame {
	size_t len;
	uint64_t literal;
	bool is_synchronising; /* of the last literal seen */
	size_t line_from;      /* where the current line began; beyond what came while in
				* a literal */
	size_t seen;           /* nothing before here needs another look */
};

/* frame starts zeroed; got holds what came since the command's first octet. */
enum imap_frame_state imap_frame_scan(struct imap_frame *frame, struct str got,
				      const struct imap_frame_limits *limits);
