/* Checking the DKIM signatures of a mail: RFC 6376 §6, RFC 8301, RFC 8463, RFC 8616 §5;
 * results as RFC 8601 §2.7.1 names them.
 *
 * The mail comes through dkim_message.h, which says in which order what is called.
 *
 * What a verdict means: only DKIM_PASS says anything about a domain.  DKIM_TEMPERROR is
 * "cannot tell now".
 */
#pragma once

#include "mailauth/dkim_message.h"
#include "mailauth/dkim_proof.h"

enum { DKIM_SIGNATURES_MAX = 10 }; /* the first; more are counted only */

/* One signature, in the header's order. */
struct dkim_verdict_one {
	enum dkim_result result;
	struct str domain, selector; /* as written; "" if the field is no signature */
	struct str identity;         /* i=, or "" */
	const char *algorithm;       /* "rsa-sha256", "" if unknown */
	size_t key_bits;             /* 0 if no key was read */
	bool is_testing;             /* t=y in the key */
	bool has_length;             /* only so many octets of the body are signed */
	uint64_t length, body_length;
	struct str b;        /* its first octets as written, to tell it from others */
	const char *reason;  /* a few words: "body hash did not verify" */
	struct str sentence; /* for people */
};

struct dkim_verdict {
	enum dkim_result result; /* pass if any signature is good */
	const struct dkim_verdict_one *signatures;
	size_t count;
	size_t passed_over; /* signatures beyond DKIM_SIGNATURES_MAX */
	struct str sentence;
};

struct dkim_verify;

/* Before the body comes.  message lives until the end, its header and arena until the
 * verdict has been used.  now_s: for x=.
 * Never fails: what is too big is said in the verdict. */
struct dkim_verify *dkim_verify_begin(struct dkim_message *message, int64_t now_s);
/* Asks the DNS for all keys at a time, may suspend for DKIM_SECONDS. */
void dkim_verify_end(struct dkim_verify *verify, const struct dns_lookup *lookup,
		     struct dkim_verdict *verdict);
void dkim_verify_free(struct dkim_verify **verify);
