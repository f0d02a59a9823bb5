/* The ARC sets of a header, put in order, and what their seals cover.  RFC 8617 §4.2,
 * §5.1.1. */
#pragma once

#include <openssl/types.h>

#include "mailauth/dkim_header.h"
#include "wire/auth/arc.h"

struct arc_set {
	const struct mail_field *places[ARC_KINDS]; /* NULL: it is not there */
	struct arc_field fields[ARC_KINDS];         /* of those that are */
};

struct arc_chain {
	const struct dkim_header *header;
	struct arc_set *sets; /* of instance 1 and on */
	size_t count;         /* the highest instance there is */
	bool is_there;        /* there is any field of ARC */
	const char *trouble;  /* why the sets make no chain; NULL: they make one */
	size_t trouble_at;    /* the instance, or 0 */
};

/* Borrows header, and keeps what it reads in the arena.  RFC 8617 §5.2, steps 1 to 3. */
void arc_chain_read(const struct dkim_header *header, struct arena *arena,
		    struct arc_chain *chain);

/* What a seal covers: fields, in their canonical form. */
struct arc_scope {
	EVP_MD_CTX *context;
};

void arc_scope_init(struct arc_scope *scope);
void arc_scope_fini(struct arc_scope *scope);
/* A whole field. */
void arc_scope_add(struct arc_scope *scope, struct str field);
void arc_scope_add_set(struct arc_scope *scope, const struct arc_chain *chain,
		       const struct arc_set *set, bool with_seal);
/* The hash of all that, and the seal itself with an empty b= at the end.  More may be
 * added behind it then. */
void arc_scope_hash(const struct arc_scope *scope, const struct dkim_own *own,
		    unsigned char hash[DKIM_HASH_BYTES]);
