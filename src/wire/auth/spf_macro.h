/* What an SPF record writes for things that it does not know when it is published: "%{i}"
 * is the client's address, "%{d}" the domain, and so on.  RFC 7208 §7. */
#pragma once

#include "wire/dns/ip.h"

enum {
	SPF_EXPANDED_MAX = 4096, /* octets of what a text is expanded to */
	SPF_NAME_MAX = 253,      /* RFC 7208 §7.3 */
};

struct spf_macros {
	struct str sender;        /* s: with its local part */
	struct str local;         /* l */
	struct str sender_domain; /* o */
	struct str domain;        /* d: whose record it is */
	struct ip ip;             /* i, c, v */
	struct str validated;     /* p */
	struct str helo;          /* h */
	struct str receiver;      /* r */
	int64_t now_s;            /* t */
};

/* macro-string; the letters that only explanations may have are fine, since it is the
 * value of a modifier that we do not know. */
bool spf_macro_string_is_valid(struct str text);
/* domain-spec */
bool spf_domain_spec_is_valid(struct str text);
/* explain-string */
bool spf_explain_string_is_valid(struct str text);
/* Whether a valid text has this macro (lower case), so that its value is wanted. */
bool spf_macro_has(struct str text, char letter);
/* Appends what a valid text stands for. */
void spf_macro_expand(struct str text, const struct spf_macros *macros, struct buf *out);
/* The name as it is asked for: without the final dot, and without labels at the left for
 * as long as it has more than 253 octets.  RFC 7208 §7.3. */
struct str spf_fit_name(struct str name);
