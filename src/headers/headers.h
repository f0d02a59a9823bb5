/* What the header of a mail says about who sent it and which way it came; which part of
 * that a server of the reader's saw itself, and which part anybody may have written.
 *
 * Pure but for the DNS, which is asked through a struct dns_lookup.  All texts may hold
 * whatever a stranger wrote: show them with utf8_add_shown().
 *
 * The trust line.  A Received field is *verified* if a server that the reader trusts
 * wrote it.  These are the fields from the top down to the first one in which such a
 * server took the mail from a public address: what is below that came with the mail, and
 * is only *claimed*.  Without a name to trust, the server that wrote the topmost field is
 * *assumed* to be the reader's own; that suffices to doubt a mail, never to believe it.
 */
#pragma once

#include "mailauth/dkim_verify.h"
#include "mailauth/dmarc.h"
#include "wire/mail/envelope.h"
#include "wire/mail/pasted.h"
#include "wire/mail/received.h"

enum {
	HEADERS_BYTES_MAX = 4 * 1024 * 1024, /* what follows is not looked at */
	HEADERS_FIELDS_MAX = 50 * 1000,
	HEADERS_HOPS_MAX = 500,
	HEADERS_CLAIMS_MAX = 100,
	HEADERS_RESULT_FIELDS_MAX = 50, /* that are read for claims */
	HEADERS_NOTES_MAX = 40,
	HEADERS_SKEW_S = 60, /* what clocks may differ without being named for it */
};

/* The first word that is printed. */
enum headers_word {
	HEADERS_GENUINE,  /* it is proved that the domain in From sent it */
	HEADERS_DOUBTFUL, /* something speaks against it */
	HEADERS_FORGED,   /* the domain in From says that it did not send it */
	HEADERS_UNKNOWN,  /* nothing decides */
};
const char *headers_word_name(enum headers_word word);

enum headers_trust {
	HEADERS_TRUST_NONE,    /* no Received field names its server */
	HEADERS_TRUST_ASSUMED, /* in the topmost server */
	HEADERS_TRUST_NAMED,   /* in one that the reader named */
};
/* "none", "assumed", "named" */
const char *headers_trust_name(enum headers_trust trust);

struct headers_hop {
	struct mail_received received; /* of its text */
	struct str text;               /* the field on one line */
	bool is_understood;
	bool is_verified;
	bool has_delay;  /* it and one before it have a time */
	int64_t delay_s; /* below 0: the clocks disagree */
	bool is_skewed;  /* by more than HEADERS_SKEW_S */
};

/* A result that stands in the header. */
struct headers_claim {
	const char *field; /* "Authentication-Results", "Received-SPF", ... */
	struct str by;     /* who says so */
	bool is_verified;  /* and a trusted server wrote it */
	struct str method, result, about;
	struct str sentence;
};

enum headers_method {
	HEADERS_SPF,
	HEADERS_DKIM,
	HEADERS_DMARC,
	HEADERS_ARC,
	HEADERS_METHODS
};
/* "spf", ... */
const char *headers_method_name(enum headers_method method);

/* What can be found out now. */
struct headers_check {
	bool is_done;
	struct str result; /* as of RFC 8601; "" if it is not done */
	struct str about;  /* the domain or address */
	struct str sentence;
};

enum headers_weight { HEADERS_INFO, HEADERS_ODD, HEADERS_ALARM };
/* "info", "odd", "alarm" */
const char *headers_weight_name(enum headers_weight weight);

struct headers_note {
	enum headers_weight weight;
	const char *code; /* stable: "reply-to-differs" */
	struct str sentence;
};

struct headers {
	enum headers_word word;
	struct str sentence; /* the verdict, behind its word */

	struct str from, subject, date, message_id; /* decoded UTF-8 on one line; or "" */
	struct str from_address, from_domain;       /* of its first mailbox; or "" */
	struct str return_path; /* without brackets; "" may be the null one */
	bool has_return_path;

	struct headers_hop *hops; /* in order of travel: the oldest first */
	size_t hop_count;
	bool is_cut;           /* some of the header was beyond our bounds */
	size_t not_understood; /* hops */
	bool has_total;
	int64_t total_s; /* from the first hop to the last */
	enum headers_trust trust;
	struct str trusted; /* the name */
	size_t edge;        /* the hop at the trust line; hop_count: none */
	bool has_origin;    /* the first public address */
	struct ip origin;
	bool is_origin_verified;
	struct str originating; /* of X-Originating-IP, which is always claimed */

	struct headers_claim *claims;
	size_t claim_count;
	struct headers_check checks[HEADERS_METHODS];
	struct headers_note notes[HEADERS_NOTES_MAX];
	size_t note_count;
	bool is_list, is_automatic;
	bool has_body;
	size_t mended; /* lines */
};

struct headers_query {
	struct str text; /* as mail_pasted_add() made it */
	struct mail_pasted pasted;
	const struct str *trusted; /* names of servers, or domains they are in */
	size_t trusted_count;
	const struct dns_lookup *lookup; /* NULL: nothing is re-checked */
	int64_t now_s;
};

/* Slices live in arena or borrow from query.  May suspend when it has a lookup. */
void headers_analyse(const struct headers_query *query, struct arena *arena,
		     struct headers *headers);
