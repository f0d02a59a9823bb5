/* By what SORT puts messages in order, and how THREAD puts them together.  RFC 5256 §3,
 * §5; DISPLAYFROM and DISPLAYTO are RFC 5957, RELEVANCY is RFC 6203. */
#pragma once

#include "wire/imap/token.h"

enum imap_sort_by {
	IMAP_SORT_ARRIVAL,
	IMAP_SORT_CC,
	IMAP_SORT_DATE,
	IMAP_SORT_DISPLAYFROM,
	IMAP_SORT_DISPLAYTO,
	IMAP_SORT_FROM,
	IMAP_SORT_RELEVANCY, /* the most relevant first */
	IMAP_SORT_SIZE,
	IMAP_SORT_SUBJECT,
	IMAP_SORT_TO,
};
enum { IMAP_SORT_KEYS_MAX = IMAP_SORT_TO + 1 };

struct imap_sort_key {
	enum imap_sort_by by;
	bool is_reverse;
};

struct imap_sort {
	struct imap_sort_key keys[IMAP_SORT_KEYS_MAX];
	size_t count; /* of a key that is named twice the second decides nothing */
};

enum imap_thread {
	IMAP_THREAD_ORDEREDSUBJECT,
	IMAP_THREAD_REFERENCES,
	IMAP_THREAD_REFS, /* draft-ietf-morg-inthread */
};

/* sort-criteria = "(" sort-criterion *(SP sort-criterion) ")" */
bool imap_sort_criteria(struct imap_in *in, struct imap_sort *sort);
/* thread-alg */
bool imap_thread_algorithm(struct imap_in *in, enum imap_thread *algorithm);
