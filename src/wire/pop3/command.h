/* One POP3 command line.  RFC 1939, RFC 2449 (CAPA), RFC 2595 §4 (STLS), RFC 5034 (AUTH),
 * RFC 6856 (UTF8, LANG). */
#pragma once

#include "wire/cursor.h"

enum { POP3_LINE_MAX = 255, POP3_AUTH_LINE_MAX = 16 * 1024 }; /* RFC 2449 §4 */

enum pop3_verb {
	POP3_USER,
	POP3_PASS,
	POP3_STAT,
	POP3_LIST,
	POP3_RETR,
	POP3_DELE,
	POP3_NOOP,
	POP3_RSET,
	POP3_TOP,
	POP3_UIDL,
	POP3_QUIT,
	POP3_CAPA,
	POP3_STLS,
	POP3_AUTH,
	POP3_UTF8,
	POP3_LANG,
	POP3_OTHER,
};

enum pop3_fault {
	POP3_FAULT_NONE,
	POP3_FAULT_VERB,      /* no such command */
	POP3_FAULT_LENGTH,    /* the line is too long */
	POP3_FAULT_OCTETS,    /* control characters, or octets that are no UTF-8 */
	POP3_FAULT_ARGUMENTS, /* missing, malformed, or where none belong */
};

struct pop3_command {
	enum pop3_verb verb;
	uint32_t message; /* RETR, DELE, TOP, LIST, UIDL: from 1; 0 where there is none */
	uint32_t lines;   /* TOP */
	/* USER: the name; PASS: the password, spaces included; AUTH: the mechanism, ""
	 * for a list of them; LANG: the tag, "" for a list */
	struct str argument;
	struct str initial; /* AUTH: base64, "=" or, if there is none, "" */
};

/* line is without its CRLF; slices borrow from it. */
enum pop3_fault pop3_command_parse(struct str line, struct pop3_command *command);
