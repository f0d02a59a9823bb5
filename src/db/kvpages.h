/* Looking at the pages of an index's file without opening it: an index whose pages are
 * garbage makes LMDB stop the process, or walk in circles.  After a check that found
 * nothing, opening and walking are safe.  Calls block on the disk.
 */
#pragma once

#include "base/str.h"

enum { KV_PAGE_BYTES = 4096 };

enum kv_depth {
	KV_PAGES_HEAD, /* the two pages that say where everything is */
	KV_PAGES_ALL,
};

struct kv_pages {
	/* Given each row whose checksum is right, by KV_PAGES_ALL; may be NULL.  What can
	 * be reached is given also where other pages are damaged, in no certain order
	 * then, and a row may come twice.  The slices are good during the call. */
	err_t (*take)(void *arg, struct str key, struct str value);
	void *arg;
	/* What was found. */
	uint64_t rows, rows_bad, pages, pages_bad;
	const char *why; /* of the first bad page: what is wrong with it */
	uint64_t why_page;
};

/* Nobody may have it open for writing.  OK: the pages are in order, though rows_bad may
 * say that rows are not; ERR_SYNTAX: pages are damaged; ERR_ABSENT: no such file; ERR_IO;
 * or as take() fails. */
[[nodiscard]] err_t kv_check_pages(const char *path, enum kv_depth depth,
				   struct kv_pages *found);
/* Writes an index that is empty, if there is none. */
[[nodiscard]] err_t kv_make_empty(const char *path);
/* What kv.c writes behind a value; whether that stands there. */
uint32_t kv_sum(struct str key, struct str value);
bool kv_sum_is_right(struct str key, struct str stored);
/* Whoever walks has come to a row of another page, and will read all of it: it is fetched
 * from memory as a whole.  Row by row, each line of it would be waited for. */
void kv_page_fetch(const void *row);

/* Where rows stand in memory that lie on one page, as far as can be told: a page that was
 * written to may begin anywhere. */
struct kv_span {
	uintptr_t first, last; /* 0: none yet */
};
/* True if the row can be on their page; else the span begins anew with it. */
bool kv_span_add(struct kv_span *span, const void *row);
