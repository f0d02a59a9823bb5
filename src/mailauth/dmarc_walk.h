/* Up the tree of the DNS from a domain: which DMARC records are there, and what its
 * organizational domain is.  RFC 9989 §4.10.
 *
 * One dmarc_tree serves all walks for one mail: what was asked once is not asked again.
 */
#pragma once

#include "mailauth/dns_lookup.h"
#include "wire/auth/dmarc.h"

enum {
	DMARC_WALK_MAX = 8,       /* names of one walk; RFC 9989 §4.10 */
	DMARC_QUESTIONS_MAX = 64, /* of all walks for one mail */
};

enum dmarc_known {
	DMARC_KNOWN_NONE, /* no record at that name, or several */
	DMARC_KNOWN,
	DMARC_KNOWN_NOT_NOW,
};

struct dmarc_node {
	struct str domain;
	enum dmarc_known known;
	struct dmarc_record record;
};

struct dmarc_tree {
	const struct dns_lookup *lookup;
	struct arena *arena; /* records and domains */
	struct dmarc_node *nodes;
	size_t count;
	struct str why; /* of NOT_NOW */
};

void dmarc_tree_init(struct dmarc_tree *tree, const struct dns_lookup *lookup,
		     struct arena *arena);
/* The record of the domain itself.  domain is as of dmarc_domain(), and lives as long as
 * the tree.  May suspend. */
const struct dmarc_node *dmarc_tree_find(struct dmarc_tree *tree, struct str domain);

struct dmarc_walk {
	/* What is there, from the longest name to the shortest. */
	const struct dmarc_node *found[DMARC_WALK_MAX];
	size_t count;
	bool is_unsure; /* a name gave no answer: nobody knows what is above */
	struct str organizational;
};
/* May suspend. */
void dmarc_tree_walk(struct dmarc_tree *tree, struct str domain, struct dmarc_walk *walk);
/* Whether the name is the domain or lies below it. */
bool dmarc_is_within(struct str name, struct str domain);
