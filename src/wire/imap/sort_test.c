#include "wire/imap/sort.h"

#include "base/test.h"

static struct arena arena;

static struct imap_in over(struct str text)
{
	arena_fini(&arena);
	arena_init(&arena, 1 << 16);
	return imap_in_over(text, &arena);
}

TEST(sort_keys_come_in_their_order)
{
	struct imap_in in = over(STR("(subject REVERSE DATE SIZE reverse subject)"));
	struct imap_sort sort;

	CHECK(imap_sort_criteria(&in, &sort) && cur_done(in.at));
	CHECK(sort.count == 3); /* SUBJECT again would decide nothing */
	CHECK(sort.keys[0].by == IMAP_SORT_SUBJECT && !sort.keys[0].is_reverse);
	CHECK(sort.keys[1].by == IMAP_SORT_DATE && sort.keys[1].is_reverse);
	CHECK(sort.keys[2].by == IMAP_SORT_SIZE && !sort.keys[2].is_reverse);
	in = over(
		STR("(ARRIVAL CC DATE DISPLAYFROM DISPLAYTO FROM RELEVANCY SIZE SUBJECT "
		    "TO)"));
	CHECK(imap_sort_criteria(&in, &sort) && sort.count == IMAP_SORT_KEYS_MAX);
	for (size_t i = 0; i < IMAP_SORT_KEYS_MAX; i++)
		CHECK(sort.keys[i].by == i && !sort.keys[i].is_reverse);
}

static const struct {
	struct str input, reason;
} bad[] = {
	{STR(""), STR("sort keys in () are expected at the end")},
	{STR("DATE"), STR("sort keys in () are expected at \"DATE\"")},
	{STR("()"), STR("a sort key is expected at \")\"")},
	{STR("(FOO)"), STR("unknown sort key \"FOO\"")},
	{STR("(REVERSE)"), STR("a sort key is expected after REVERSE at \")\"")},
	{STR("(REVERSE REVERSE DATE)"), STR("unknown sort key \"REVERSE\"")},
	{STR("(DATE "), STR("a sort key is expected at the end")},
	{STR("(DATE"), STR("the sort keys do not end at \"(DATE\"")},
};

TEST(sort_says_what_is_wrong)
{
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct imap_in in = over(bad[i].input);
		struct imap_sort sort;

		CHECK(!imap_sort_criteria(&in, &sort));
		CHECK(in.at.at == bad[i].input.ptr);
		CHECK_STR(in.reason, bad[i].reason);
	}
}

TEST(threading_algorithms_have_names)
{
	static const struct str names[] = {STR("orderedsubject"), STR("REFERENCES"),
					   STR("Refs")};
	enum imap_thread algorithm;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct imap_in in = over(names[i]);

		CHECK(imap_thread_algorithm(&in, &algorithm) && algorithm == i);
	}
	struct imap_in in = over(STR("REFERENCE"));

	CHECK(!imap_thread_algorithm(&in, &algorithm));
	CHECK_STR(in.reason, STR("unknown threading algorithm \"REFERENCE\""));
	in = over(STR("("));
	CHECK(!imap_thread_algorithm(&in, &algorithm));
	CHECK_STR(in.reason, STR("a threading algorithm is expected at \"(\""));
}
