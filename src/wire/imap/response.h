/* What an IMAP server answers, for a client that fetches mail.  RFC 9051 §7, RFC 3501 §7.
 *
 * A response is a line, or lines with literals between them.  The caller gathers it: the
 * lines with their CRLF and the literals in place, except that a message's octets, which
 * may be many, stay outside; only their announcement "BODY[] {310}" CRLF stands there.
 *
 * Leniencies, each for servers that exist: flags that are none of ours and are no atoms
 * are passed over, and so are items of FETCH that nobody asked for and what stands behind
 * a LIST response (RFC 5258); an INTERNALDATE that cannot be read is none.
 */
#pragma once

#include "wire/imap/token.h"

enum imap_response_kind {
	IMAP_SAYS_OTHER,    /* something we have no use for */
	IMAP_SAYS_CONTINUE, /* "+" */
	IMAP_SAYS_DONE,     /* tagged: the command has ended */
	IMAP_SAYS_STATUS,   /* the same conditions without a tag */
	IMAP_SAYS_CAPABILITY,
	IMAP_SAYS_NAMESPACE,
	IMAP_SAYS_LIST,
	IMAP_SAYS_EXISTS,
	IMAP_SAYS_FETCH,
};

enum imap_condition { IMAP_IS_OK, IMAP_IS_NO, IMAP_IS_BAD, IMAP_IS_BYE, IMAP_IS_PREAUTH };

struct imap_listed {
	bool is_selectable;    /* neither \Noselect nor \NonExistent */
	struct str attributes; /* words, such as "\Sent" (RFC 6154) */
	char delimiter;        /* NUL: none */
	struct str name;       /* as on the wire */
};

enum imap_fetched_text {
	IMAP_TEXT_ABSENT,
	IMAP_TEXT_HERE,    /* in text */
	IMAP_TEXT_OUTSIDE, /* a literal that the caller has kept */
};

struct imap_fetched {
	uint32_t uid;            /* 0 if not told */
	struct imap_flags flags; /* keywords are atoms */
	bool has_date;
	struct imap_date_time date;
	enum imap_fetched_text body;
	struct str text;
};

/* RFC 2342: the first personal name space, "" and NUL if there is none; and the first of
 * other users' and of shared mailboxes. */
struct imap_namespaces {
	struct str personal, others, shared;
	char delimiter;
};

struct imap_response {
	enum imap_response_kind kind;
	enum imap_condition condition; /* of done, status */
	struct str tag;                /* of done */
	struct str code;               /* "UIDVALIDITY 12", without brackets; or "" */
	struct str text;               /* for people; after "+": all of it */
	struct str capabilities;       /* words; also from a code */
	union {
		struct imap_listed list;
		struct imap_fetched fetch;
		struct imap_namespaces namespaces;
		uint64_t exists; /* how many messages there are */
	};
};

/* True if the response, of which this much has come (its last line without its CRLF),
 * goes on with a literal of so many octets.  is_message: it is that of BODY[]. */
bool imap_response_literal(struct str so_far, uint64_t *len, bool *is_message);
/* One whole response, with its last CRLF.  False, with a reason in *in, if it follows no
 * grammar.  Slices borrow as those of wire/imap/token.h. */
bool imap_response(struct imap_in *in, struct imap_response *response);
/* Whether the words, separated by spaces, hold this one in any case. */
bool imap_has_word(struct str words, struct str word);
