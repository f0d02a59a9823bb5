/* Checking the DKIM signatures of a mail: RFC 6376 §6, RFC 8301, RFC 8463, RFC 8616 §5;
 * results as RFC 8601 §2.7.1 names them.
 *
 * The header comes first, then the body in pieces of any size, then the keys are asked
 * for.  All body hashes are made while the body passes once.  Lines end in CRLF.
 *
 *   struct dkim_verify *verify = dkim_verify_begin(header, &arena, now_s);
 *   dkim_verify_feed(verify, piece); ...
 *   dkim_verify_end(verify, &lookup, &verdict);      asks the DNS, may suspend
 *   dkim_verify_free(&verify);
 *
 * What a verdict means: only DKIM_PASS says anything about a domain.  DKIM_TEMPERROR is
 * "cannot tell now".
 */
#pragma once

#include "mailauth/dns_lookup.h"
#include "wire/auth/dkim_signature.h"

enum {
	DKIM_SIGNATURES_MAX = 10, /* the first; more are counted only */
	DKIM_KEYS_MAX = 4,        /* records tried at one name: RFC 6376 §6.1.2 */
	DKIM_LOOKUP_SECONDS = 20, /* for all signatures together */
};

enum dkim_result {
	DKIM_NONE,      /* no signature */
	DKIM_PASS,      /* the signature is good */
	DKIM_FAIL,      /* it is not: the mail was changed, or it is forged */
	DKIM_POLICY,    /* it is not accepted: it has expired */
	DKIM_NEUTRAL,   /* it cannot be understood, or its domain is only testing */
	DKIM_TEMPERROR, /* its key cannot be had now */
	DKIM_PERMERROR, /* it can never be good: no usable key, or a broken algorithm */
};
/* "none", "pass", ... */
const char *dkim_result_name(enum dkim_result result);

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

/* header: with its blank line; it, and arena, live until the verdict has been used.
 * now_s: for x=.  Never fails: what is too big is said in the verdict. */
struct dkim_verify *dkim_verify_begin(struct str header, struct arena *arena,
				      int64_t now_s);
/* Whether any piece of the body matters. */
bool dkim_verify_wants_body(const struct dkim_verify *verify);
void dkim_verify_feed(struct dkim_verify *verify, struct str piece);
void dkim_verify_end(struct dkim_verify *verify, const struct dns_lookup *lookup,
		     struct dkim_verdict *verdict);
void dkim_verify_free(struct dkim_verify **verify);
