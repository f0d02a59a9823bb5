#include "wire/imap/partial.h"

#include "base/test.h"

static struct arena arena;

static bool parse(struct str text, struct imap_partial *partial, struct cursor *rest)
{
	arena_fini(&arena);
	arena_init(&arena, 1 << 16);
	struct imap_in in = imap_in_over(text, &arena);
	bool ok = imap_partial(&in, partial);

	*rest = in.at;
	return ok;
}

static const struct {
	struct str input;
	uint64_t total, begin, end;
} good[] = {
	{STR("1:500"), 1000, 0, 500},
	{STR("501:1000"), 1000, 500, 1000},
	{STR("500:501"), 500, 499, 500},
	{STR("501:502"), 500, 500, 500},
	{STR("3:3"), 3, 2, 3},
	{STR("3:1"), 2, 0, 2},
	{STR("1:1"), 0, 0, 0},
	{STR("4294967295:1"), 7, 0, 7},
	{STR("-1:-100"), 1000, 900, 1000},
	{STR("-100:-1"), 50, 0, 50},
	{STR("-1:-1"), 3, 2, 3},
	{STR("-3:-4"), 3, 0, 1},
	{STR("-4:-5"), 3, 0, 0},
	{STR("-1:-4294967295"), 0, 0, 0},
};

TEST(partial_ranges_count_from_both_ends)
{
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		SCOPED(buf_fini) struct buf out = BUF(100);
		struct imap_partial partial;
		struct cursor rest;
		uint64_t begin, end;

		CHECK(parse(good[i].input, &partial, &rest) && cur_done(rest));
		imap_partial_places(&partial, good[i].total, &begin, &end);
		CHECK(begin == good[i].begin && end == good[i].end);
		imap_partial_write(&out, &partial);
		CHECK_STR(buf_str(&out), good[i].input);
	}
}

TEST(what_is_no_partial_range_is_refused)
{
	static const struct str bad[] = {
		STR(""),       STR("1"),     STR("1:"),           STR("0:1"),
		STR("1:0"),    STR("-1:1"),  STR("1:-1"),         STR("*:1"),
		STR("1:*"),    STR("--1:1"), STR("1:4294967296"), STR("-0:-1"),
		STR("-1:--1"),
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct imap_partial partial;
		struct cursor rest;

		CHECK(!parse(bad[i], &partial, &rest));
		CHECK(rest.at == bad[i].ptr);
	}
}
