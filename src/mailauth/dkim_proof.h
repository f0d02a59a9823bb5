/* Whether a domain made a signature: its keys, asked of the DNS.  RFC 6376 §6.1.2,
 * RFC 8301, RFC 8463; for DKIM and ARC. */
#pragma once

#include "mailauth/dns_lookup.h"
#include "wire/auth/dkim_signature.h"

enum {
	DKIM_KEYS_MAX = 4, /* records tried at one name: RFC 6376 §6.1.2 */
	DKIM_SECONDS = 20, /* for all signatures of a mail of one kind together */
};

/* RFC 8601 §2.7.1 */
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
/* Which one of several stands for all: the one that says most weighs most. */
unsigned dkim_result_weight(enum dkim_result result);

struct dkim_proof {
	enum dkim_result result;
	const char *reason; /* a few words: "signature did not verify" */
	size_t key_bits;    /* 0 if no key was read */
	bool is_testing;    /* t=y in the key */
};

/* What was signed, as it is now. */
struct dkim_text {
	const char *trouble; /* why it cannot be what was signed; NULL: nothing seen */
	unsigned char hash[DKIM_HASH_BYTES]; /* without trouble */
};

/* now_s: for x=.  May suspend. */
void dkim_prove(const struct dkim_signature *signature, const struct dkim_text *text,
		const struct dns_lookup *lookup, int64_t now_s, struct dkim_proof *proof);
