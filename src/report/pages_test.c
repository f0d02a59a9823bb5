#include "report/pages.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/test.h"

static size_t take(struct pages *pages)
{
	size_t count = 0;

	for (struct page *page = pages_take(pages), *next; page; page = next, count++) {
		next = page->next;
		mem_free(page);
	}
	return count;
}

TEST(a_page_is_of_a_domain_and_a_day)
{
	struct pages *pages = NEW(struct pages);
	struct page *one = NEW(struct page), *two = NEW(struct page);

	CHECK(!pages_find(pages, 7, STR("a.example")));
	CHECK(pages_add(pages, one, 7, STR("a.example")));
	CHECK(pages_add(pages, two, 8, STR("a.example")));
	CHECK(pages_find(pages, 7, STR("a.example")) == one);
	CHECK(pages_find(pages, 8, STR("a.example")) == two);
	CHECK(!pages_find(pages, 7, STR("b.example")));
	CHECK(take(pages) == 2 && take(pages) == 0);
	CHECK(!pages_find(pages, 7, STR("a.example")));
	mem_free(pages);
}

TEST(pages_have_a_bound)
{
	static char long_name[DNS_NAME_MAX + 2];
	struct pages *pages = NEW(struct pages);
	struct page *more = NEW(struct page);
	char name[20];

	memset(long_name, 'x', sizeof long_name - 1);
	CHECK(!pages_add(pages, more, 1, str_c(long_name)));
	for (int i = 0; i < PAGES_MAX; i++) {
		(void)snprintf(name, sizeof name, "%d.example", i);
		CHECK(pages_add(pages, NEW(struct page), 1, str_c(name)));
	}
	CHECK(!pages_add(pages, more, 1, STR("more.example")));
	CHECK(take(pages) == PAGES_MAX);
	CHECK(pages_add(pages, more, 1, STR("more.example")));
	CHECK(take(pages) == 1);
	mem_free(pages);
}
