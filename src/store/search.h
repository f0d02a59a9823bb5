/* Full-text search as doors see it, and the calls of the process that makes the index
 * (search/index.h).  The index narrows down; it is never the last word, except where it
 * says so. */
#pragma once

#include "store/types.h"

struct store;

enum {
	SEARCH_TERM_MAX = 500,        /* octets of a mapped text; longer ones are cut */
	SEARCH_RANGES_MAX = 1000000,  /* of UIDs, in one reply */
	SEARCH_SCORES_MAX = 4 << 20,  /* likewise */
	SEARCH_WEIGHTS_MAX = 16,      /* words of a fuzzy text */
	INDEX_ITEMS_MAX = 64,         /* of one piece of work, */
	INDEX_PUT_BYTES = 384 * 1024, /* and of the words in one CALL_INDEX_PUT */
};

struct store_find {
	uint64_t mailbox;
	unsigned classes; /* 1 << enum search_class */
	struct str text;  /* mapped (text/casemap.h) */
	bool is_fuzzy;    /* as search/fuzzy.h has it */
};
/* Which messages of a mailbox have a text: the first for sure, the others perhaps: they
 * are not in the index yet, or it cannot tell.  All others have it not. */
struct store_candidates {
	struct uid_set sure, perhaps;
	/* Of what is fuzzy: an octet for each that is sure, from 1 to 100, and one for
	 * each word, what it weighs in that. */
	struct str scores, weights;
};
/* ABSENT: there is no index. */
enum store_outcome store_search(struct store *store, account_t account,
				const struct store_find *find, struct arena *arena,
				struct store_candidates *candidates);

/* Messages that are to be indexed, in the order of their numbers. */
struct index_item {
	uint64_t message;
	struct str trace;
};
struct index_work {
	account_t account;   /* 0: there is nothing to do now */
	uint64_t from, upto; /* all that the account has above from, up to upto */
	bool is_more;        /* there are others behind it */
	const struct index_item *items;
	size_t count;
};
/* Waits up to INDEX_WAIT_S for work.  Until the next call the bodies of these messages
 * may be read. */
enum { INDEX_WAIT_S = 15 };
enum store_outcome store_index_take(struct store *store, struct arena *arena,
				    struct index_work *work);
/* What came of the messages above from, up to upto, which may be fewer than were taken:
 * the words of those for the index (search/terms.h), and the number of the others.
 * CONFLICT: the index is elsewhere, take again. */
struct index_doc {
	uint64_t message;
	struct str terms;
};
struct index_done {
	uint64_t from, upto, left_out;
	const struct index_doc *docs;
	size_t count;
};
enum store_outcome store_index_put(struct store *store, account_t account,
				   const struct index_done *done);

/* For the command line. */
struct index_state {
	uint64_t messages; /* in the index */
	uint64_t left_out; /* looked at, and not for it */
	uint64_t waiting;  /* not looked at yet */
	uint64_t bytes;    /* of its file */
	uint64_t accounts, segments;
};
enum store_outcome store_index_state(struct store *store, struct index_state *state);
/* Forgets the whole index, so that it is made anew. */
enum store_outcome store_index_renew(struct store *store);
