/* What all signatures that we write have: the names of the fields they cover, and tags
 * that are folded. */
#pragma once

#include "mailauth/dkim_header.h"

enum { DKIM_SIGNATURE_BYTES_MAX = 1024 };

struct dkim_names {
	struct str names[DKIM_NAMES_MAX]; /* h= */
	size_t count;
};

/* Fields that matter: each once more than it is there, so that nobody can add another
 * one (RFC 6376 §8.15).  False: there are too many. */
[[nodiscard]] bool dkim_names_choose(const struct dkim_header *header,
				     struct dkim_names *names);
/* And all fields of one more name, as often as it is there. */
[[nodiscard]] bool dkim_names_add_all(const struct dkim_header *header, const char *name,
				      struct dkim_names *names);

/* Append a tag on a line of its own, without ";" at the end. */
void dkim_names_add(struct buf *field, const struct dkim_names *names);
void dkim_base64_add(struct buf *field, const char *tag, struct str octets);
