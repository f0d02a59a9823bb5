#include "report/pages.h"

#include "base/hash.h"

static size_t bucket_of(struct str domain)
{
	return hash64(domain) % COUNT_OF(((struct pages *)NULL)->buckets);
}

struct page *pages_find(const struct pages *pages, int64_t day, struct str domain)
{
	struct page *page = pages->buckets[bucket_of(domain)];

	while (page && !(page->day == day && str_same(str_c(page->domain), domain)))
		page = page->next;
	return page;
}

bool pages_add(struct pages *pages, struct page *page, int64_t day, struct str domain)
{
	struct page **bucket = &pages->buckets[bucket_of(domain)];

	if (pages->count == PAGES_MAX ||
	    !str_to_c(domain, page->domain, sizeof page->domain))
		return false;
	page->day = day;
	page->next = *bucket;
	*bucket = page;
	pages->count++;
	return true;
}

struct page *pages_take(struct pages *pages)
{
	struct page *all = NULL;

	for (size_t i = 0; i < COUNT_OF(pages->buckets); i++) {
		while (pages->buckets[i]) {
			struct page *page = pages->buckets[i];

			pages->buckets[i] = page->next;
			page->next = all;
			all = page;
		}
	}
	pages->count = 0;
	return all;
}
