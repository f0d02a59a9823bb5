/* What SEARCH looks for: a tree of keys.  RFC 9051 §6.4.4, RFC 3501 §6.4.4.  SORT and
 * THREAD look for the same and put it in order.  RFC 5256, RFC 5267.
 * FUZZY is RFC 6203. */
#pragma once

#include "wire/imap/fetch.h"
#include "wire/imap/partial.h"
#include "wire/imap/sequence_set.h"
#include "wire/imap/sort.h"

enum { IMAP_SEARCH_DEPTH_MAX = 50, IMAP_SEARCH_KEYS_MAX = 1000 };

enum imap_search_kind {
	IMAP_SEARCH_AND, /* all of its children; ALL is one without children */
	IMAP_SEARCH_OR,  /* any of its two */
	IMAP_SEARCH_NOT, /* not its one child; UNSEEN is NOT SEEN */
	IMAP_SEARCH_SEQUENCE,
	IMAP_SEARCH_UID,
	IMAP_SEARCH_FLAG,    /* flag, of enum imap_system_flag */
	IMAP_SEARCH_KEYWORD, /* text */
	IMAP_SEARCH_RECENT,
	IMAP_SEARCH_NEW,    /* RECENT and not SEEN */
	IMAP_SEARCH_HEADER, /* field holds text; empty text: the field is there */
	IMAP_SEARCH_BODY,   /* text */
	IMAP_SEARCH_TEXT,   /* text */
	IMAP_SEARCH_LARGER, /* number */
	IMAP_SEARCH_SMALLER,
	IMAP_SEARCH_BEFORE, /* number is the day, as imap_date() gives it */
	IMAP_SEARCH_ON,
	IMAP_SEARCH_SINCE,
	IMAP_SEARCH_SENT_BEFORE,
	IMAP_SEARCH_SENT_ON,
	IMAP_SEARCH_SENT_SINCE,
	IMAP_SEARCH_MODSEQ,       /* number or more (RFC 7162) */
	IMAP_SEARCH_SAVED_BEFORE, /* days again (RFC 8514) */
	IMAP_SEARCH_SAVED_ON,
	IMAP_SEARCH_SAVED_SINCE,
	IMAP_SEARCH_EMAILID, /* text (RFC 8474) */
	IMAP_SEARCH_THREADID,
	IMAP_SEARCH_OLDER, /* number of seconds (RFC 5032) */
	IMAP_SEARCH_YOUNGER,
};

struct imap_search_key {
	enum imap_search_kind kind;
	struct imap_search_key *child; /* the first */
	struct imap_search_key *next;  /* sibling */
	struct str field, text;        /* in the command's charset */
	unsigned flag;
	bool is_fuzzy; /* it stands behind FUZZY, or within what does */
	int64_t number;
	struct imap_sequence_set set;
};

enum imap_search_return {
	IMAP_RETURN_MIN = 1,
	IMAP_RETURN_MAX = 2,
	IMAP_RETURN_ALL = 4,
	IMAP_RETURN_COUNT = 8,
	IMAP_RETURN_SAVE = 16,
	IMAP_RETURN_PARTIAL = 32, /* RFC 9394 */
	IMAP_RETURN_UPDATE = 64,  /* RFC 5267 */
	IMAP_RETURN_CONTEXT = 128,
	IMAP_RETURN_RELEVANCY = 256, /* RFC 6203 */
};

struct imap_search {
	bool is_extended;         /* RETURN was given: answer ESEARCH */
	unsigned returns;         /* "RETURN ()" is ALL */
	struct str charset;       /* "" if none was named */
	struct imap_fetch update; /* UPDATE's items for new messages (RFC 5465 §7) */
	struct imap_search_key *key;
	bool has_modseq;             /* MODSEQ is among the keys */
	bool has_fuzzy;              /* FUZZY likewise */
	struct imap_partial partial; /* with IMAP_RETURN_PARTIAL */
	struct imap_sort sort;       /* of SORT; count 0 otherwise */
	enum imap_thread thread;     /* of THREAD */
};

/* A copy of the tree that lives as long as the arena; NULL at its bound. */
struct imap_search_key *imap_search_key_copy(struct arena *arena,
					     const struct imap_search_key *key);
/* Whether it takes to know how relevant messages are. */
bool imap_search_by_relevancy(const struct imap_search *search);
/* What follows "SEARCH ", "SORT " or "THREAD ". */
bool imap_search(struct imap_in *in, struct imap_search *search);
bool imap_sort_search(struct imap_in *in, struct imap_search *search);
bool imap_thread_search(struct imap_in *in, struct imap_search *search);
