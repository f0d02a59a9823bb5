/* The DKIM-Signature field.  RFC 6376 §3.5, RFC 8301, RFC 8463, RFC 8616 §5.
 *
 * A field that is read has all that a verifier needs: a domain and a selector that make a
 * name for the DNS, From among the signed fields, and hash and signature as octets.
 * Whether the algorithm is one to trust is for the verifier to say.
 */
#pragma once

#include "base/arena.h"
#include "wire/auth/dkim_canon.h"
#include "wire/auth/tag_list.h"

enum dkim_algorithm {
	DKIM_RSA_SHA256,
	DKIM_ED25519_SHA256, /* RFC 8463 */
	DKIM_RSA_SHA1,       /* historic, never to be used: RFC 8301 §3.1 */
};

enum { DKIM_HASH_BYTES = 32, DKIM_NAMES_MAX = 200 };

struct dkim_signature {
	enum dkim_algorithm algorithm;
	enum dkim_canon header, body;
	struct str domain, selector; /* d=, s= as written: one word each */
	struct str identity;         /* i= without white space, or "" */
	struct str identity_domain;  /* behind its "@"; without i= that is d= */
	struct str *names;           /* h= */
	size_t name_count;
	struct str body_hash; /* bh=, octets */
	struct str signature; /* b=, octets */
	bool has_length, has_time, has_expiry;
	uint64_t length, time, expiry; /* l=, t=, x= */
	struct str value; /* the field's value as it was given, and in that */
	struct str b;     /* what stands between "b=" and ";" */
};

enum dkim_flaw {
	DKIM_FINE,
	DKIM_TAGS, /* no list of tags */
	DKIM_TAGS_TWICE,
	DKIM_TOO_BIG, /* octets, tags, or names in h= */
	DKIM_MISSING, /* one that each has: v a b bh d h s */
	DKIM_VERSION,
	DKIM_ALGORITHM,
	DKIM_CANON,
	DKIM_BASE64,   /* b= or bh= */
	DKIM_DOMAIN,   /* d=, s=, or both together are no name */
	DKIM_IDENTITY, /* i= is not within d= */
	DKIM_NAMES,    /* h= is no list of field names */
	DKIM_FROM,     /* h= lacks From */
	DKIM_LENGTH,   /* l= */
	DKIM_TIME,     /* t= or x= is no number, or x= is not after t= */
	DKIM_QUERY,    /* q= has no dns/txt */
};

/* Which field it is.  ARC has two that are much the same: RFC 8617 §4.1.2, §4.1.3. */
enum dkim_field {
	DKIM_FIELD,
	DKIM_FIELD_ARC_MESSAGE, /* no v=, and i= is something else */
	DKIM_FIELD_ARC_SEAL,    /* likewise, and it covers no fields (h=) and no body */
};

/* value is what stands behind "DKIM-Signature:".  Slices borrow it or live in arena.
 * Even with a flaw, domain, selector and algorithm are set as far as they were
 * there, to be shown. */
[[nodiscard]] enum dkim_flaw dkim_signature_parse(struct str value, struct arena *arena,
						  struct dkim_signature *signature);
/* The same from tags that were read; list is of value. */
[[nodiscard]] enum dkim_flaw dkim_signature_read(enum dkim_field field, struct str value,
						 const struct tag_list *list,
						 struct arena *arena,
						 struct dkim_signature *signature);
/* What a list that is none is called. */
enum dkim_flaw dkim_tags_flaw(enum tag_list_outcome outcome);
/* What is wrong, in words. */
const char *dkim_flaw_text(enum dkim_flaw flaw);
/* "rsa-sha256" */
const char *dkim_algorithm_name(enum dkim_algorithm algorithm);
/* Appends the value as it is signed: with nothing in b=.  RFC 6376 §3.7. */
void dkim_signature_bare(const struct dkim_signature *signature, struct buf *out);
