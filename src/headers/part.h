/* What the files of headers/ share: the analysis while it is made. */
#pragma once

#include "headers/headers.h"
#include "wire/mail/header.h"

struct work {
	const struct headers_query *query;
	struct dns_lookup lookup; /* the query's, if it has one */
	struct arena *arena;
	struct headers *headers;
	struct mail_header header;
	struct mail_envelope envelope;
	size_t *hop_fields; /* which field of the header a hop is */
	struct spf_verdict spf;
	struct dkim_verdict dkim;
	struct dmarc_authors authors;
	struct dmarc_tree policies; /* asked for ahead */
	struct dmarc_verdict dmarc;
	bool has_spf, has_dkim, has_dmarc;
};

/* A note; those beyond HEADERS_NOTES_MAX are dropped. */
void headers_note_add(struct work *work, enum headers_weight weight, const char *code,
		      struct str sentence);
/* The value of the first field of that name on one line, or "". */
struct str headers_value(struct work *work, const char *name);
size_t headers_count(const struct work *work, const char *name);
/* Whether the name is one that is trusted, or lies below it. */
bool headers_is_trusted(const struct work *work, struct str name);
/* Whether one of two domains is the other or lies below it; "" is nobody's kin. */
bool headers_are_kin(struct str a, struct str b);

/* hops.c */
void headers_find_hops(struct work *work);
/* claims.c */
void headers_find_claims(struct work *work);
/* checks.c: may suspend */
void headers_check_now(struct work *work);
/* signs.c */
void headers_find_signs(struct work *work);
/* verdict.c */
void headers_decide(struct work *work);
