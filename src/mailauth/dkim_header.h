/* The fields of a header as signatures choose them: for each name in h= the next one of
 * that name from below.  RFC 6376 §5.4.2. */
#pragma once

#include "wire/auth/dkim_canon.h"
#include "wire/auth/dkim_signature.h"
#include "wire/mail/header.h"

enum { DKIM_HEADER_BYTES_MAX = 256 * 1024, DKIM_FIELDS_MAX = 2000 };

struct dkim_header {
	struct str text;
	struct mail_header fields;
	struct dkim_place *places; /* the fields by name, and below that by place */
	size_t *taken;             /* of each name, at its first place */
};

/* Borrows text, the header with its blank line.  False: it is beyond the bounds above, or
 * the arena is full. */
[[nodiscard]] bool dkim_header_read(struct str text, struct arena *arena,
				    struct dkim_header *header);
/* How many fields of that name there are. */
size_t dkim_header_count(const struct dkim_header *header, struct str name);
/* A field up to and with its ":". */
struct str dkim_header_name(const struct dkim_header *header,
			    const struct mail_field *field);
/* The SHA-256 over the fields that are named, and the field of the signature itself:
 * `own` up to and with its ":", and its value with an empty b=. */
struct dkim_own {
	struct str own, value;
};
void dkim_header_hash(struct dkim_header *header, enum dkim_canon canon,
		      const struct str *names, size_t name_count,
		      const struct dkim_own *own, unsigned char hash[DKIM_HASH_BYTES]);
