/* What a process has counted of domains since it last wrote it down: a page for each
 * domain and day.  Who counts has a struct of its own that begins with a struct page.
 */
#pragma once

#include "base/str.h"
#include "wire/dns/rdata.h"

enum { PAGES_MAX = 2000 };

struct page {
	struct page *next;
	int64_t day;
	char domain[DNS_NAME_MAX + 1];
};

struct pages {
	struct page *buckets[512];
	size_t count;
};

/* NULL: there is none yet. */
struct page *pages_find(const struct pages *pages, int64_t day, struct str domain);
/* Fills the page's part and keeps it.  False if there are PAGES_MAX, or the domain is
 * longer than any: it is still the caller's. */
[[nodiscard]] bool pages_add(struct pages *pages, struct page *page, int64_t day,
			     struct str domain);
/* Takes all out, as one list: they are the caller's. */
struct page *pages_take(struct pages *pages);
