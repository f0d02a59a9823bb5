/* Whom a mail says to be from: the domains in its From field.  RFC 9989 §5.3.1, §11.5. */
#pragma once

#include "base/arena.h"

enum { DMARC_AUTHORS_MAX = 5, DMARC_FROM_ADDRESSES_MAX = 100 };

enum dmarc_from {
	DMARC_FROM_ONE,      /* one domain, in one field */
	DMARC_FROM_SEVERAL,  /* one field with addresses of several domains */
	DMARC_FROM_REPEATED, /* several From fields, whatever they say */
	DMARC_FROM_ABSENT,   /* no From field */
	DMARC_FROM_NOBODY,   /* none of its addresses has a domain name: an empty group,
				"From: <>", "joe@[192.0.2.1]" */
};

struct dmarc_authors {
	enum dmarc_from from;
	struct str domains[DMARC_AUTHORS_MAX]; /* A-labels in lower case, each once */
	size_t count;
	bool is_cut; /* there are more, or addresses that were not looked at */
};

/* Members of groups count like others.  header: with its blank line.  Domains live in
 * arena. */
void dmarc_authors_find(struct str header, struct arena *arena,
			struct dmarc_authors *authors);
/* The name as this folder compares names: A-labels, lower case, no final dot.  False if
 * it is no domain name. */
[[nodiscard]] bool dmarc_domain(struct str name, struct arena *arena, struct str *domain);
