/* The record by which a domain says which hosts may send its mail (SPF).  RFC 7208 §3,
 * §4.5, §4.6, §5, §6.  What it means for a given client is found out elsewhere
 * (src/mailauth/spf.h). */
#pragma once

#include "base/arena.h"
#include "wire/dns/ip.h"

enum { SPF_TERMS_MAX = 1000 }; /* of one record */

/* RFC 7208 §2.6 */
enum spf_result {
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR,
};
/* "none", "neutral" ...: as Authentication-Results has them, too (RFC 8601 §2.7.2). */
const char *spf_result_name(enum spf_result result);

enum spf_mechanism {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_IP4,
	SPF_IP6,
	SPF_EXISTS,
};

/* Slices borrow from the record's text. */
struct spf_directive {
	struct str text;        /* the whole, as written */
	enum spf_result result; /* if it matches, by its qualifier */
	enum spf_mechanism mechanism;
	struct str domain_spec; /* "" if there is none */
	struct ip network;      /* ip4, ip6 */
	uint8_t bits4, bits6;   /* how many must be the same: a, mx, ip4, ip6 */
};

struct spf_modifier { /* one that we do not know */
	struct str name, value;
};

struct spf_record {
	const struct spf_directive *directives;
	size_t directive_count;
	bool has_all;           /* "redirect" is ignored, then */
	struct str redirect;    /* domain-spec; "" if there is none */
	struct str explanation; /* likewise: "exp" */
	const struct spf_modifier *modifiers;
	size_t modifier_count;
};

/* True for a TXT record with the version of SPF; others at that name are passed over. */
bool spf_is_record(struct str text);
/* False if anything in it does not follow the grammar, or it is beyond a bound: *wrong is
 * the term, or "" if it is not a single one. */
[[nodiscard]] bool spf_record_parse(struct str text, struct arena *arena,
				    struct spf_record *record, struct str *wrong);
