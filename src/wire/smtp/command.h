/* One SMTP command line.  RFC 5321 §4.1.1 and the extensions.
 *
 * What cannot be parsed gives a reason, not a reply code: that is the door's decision.
 * The verb is set even then, so that the reply can speak of it. */
#pragma once

#include "wire/smtp/param.h"

enum { SMTP_LINE_MAX = 2048, SMTP_AUTH_LINE_MAX = 16 * 1024 };

enum smtp_verb {
	SMTP_EHLO,
	SMTP_HELO,
	SMTP_LHLO, /* RFC 2033 */
	SMTP_MAIL,
	SMTP_RCPT,
	SMTP_DATA,
	SMTP_BDAT, /* RFC 3030 */
	SMTP_RSET,
	SMTP_NOOP,
	SMTP_VRFY,
	SMTP_EXPN,
	SMTP_HELP,
	SMTP_QUIT,
	SMTP_STARTTLS, /* RFC 3207 */
	SMTP_AUTH,     /* RFC 4954 */
	SMTP_OTHER,
};

struct smtp_command {
	enum smtp_verb verb;
	struct str word;       /* the verb as it was typed, for logs */
	struct str argument;   /* of EHLO, HELO, LHLO, VRFY, EXPN, HELP, NOOP */
	bool is_host_valid;    /* EHLO: the argument is a domain or an address literal */
	struct smtp_path path; /* MAIL, RCPT */
	union {
		struct smtp_mail_params mail;
		struct smtp_rcpt_params rcpt;
		struct {
			uint64_t bytes;
			bool is_last;
		} bdat;
		struct {
			struct str mechanism;
			struct str initial; /* base64, "=" or, if there is none, "" */
		} auth;
	};
};

/* line is without its CRLF.  Slices borrow from it, decoded values are in the arena.
 * UTF-8 is taken in addresses; whether the transaction allows it the door decides by
 * path.is_utf8.  Lenient: white space at the end of the line (RFC 5321 §4.1.1), and after
 * the colon of "MAIL FROM: <ann@example.org>", as many devices and scripts write it. */
enum smtp_fault smtp_command_parse(struct str line, struct arena *arena,
				   struct smtp_command *command);
