/* The classic tricks that make careless servers pass on mail for strangers, and trying
 * them on one: as an ordinary client, up to RCPT.  No mail is ever sent.  RFC 5321
 * §3.6.2, RFC 2505 §2.1. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

struct address;

enum relay_step {
	RELAY_HELLO = 1, /* the line is said in place of EHLO */
	RELAY_FIRST = 2, /* before the greeting, and all else at once behind it */
	RELAY_THEN = 4,  /* between EHLO and MAIL; what it is answered does not matter */
	RELAY_TOGETHER = 8, /* MAIL and RCPT at once, without waiting */
	RELAY_TLS = 16,     /* STARTTLS before all */
	RELAY_INJECT = 64,  /* typed in clear text behind STARTTLS */
	RELAY_OURS = 32, /* the recipient may count as one of ours: says nothing where we
			    take mail for every name */
};

/* In its texts: {d} a domain of ours, {h} what the server calls itself, {a} its address,
 * {v} a name, {x} the domain of others. */
struct relay_trick {
	struct str name, line; /* line: for the first three steps */
	struct str mail, rcpt; /* whole commands */
	unsigned steps;
};

extern const struct relay_trick relay_tricks[];
extern const size_t relay_trick_count;

enum relay_outcome {
	RELAY_REFUSED,
	RELAY_ACCEPTED, /* it relays */
	RELAY_UNSURE,   /* refused for now, or the connection was lost */
	RELAY_SKIPPED,  /* it says nothing here: no TLS, or every name is taken */
};

struct relay_door {
	const struct address *at;
	bool is_tls_first;
	struct tls_client *tls; /* believes any certificate */
	struct str domain;      /* {d} */
	struct str host;        /* {h}; filled by relay_look() */
	bool takes_all;         /* every name at our domain; likewise */
};

/* May suspend.  Connects once and finds out what the tricks need.  False: nobody answers
 * there as a mail server; why has the words.  What is found lives in the arena. */
[[nodiscard]] bool relay_look(struct relay_door *door, struct arena *arena,
			      struct str *why);
/* May suspend.  said: the last reply, or what happened; in the arena. */
enum relay_outcome relay_try(const struct relay_door *door,
			     const struct relay_trick *trick, struct arena *arena,
			     struct str *said);
