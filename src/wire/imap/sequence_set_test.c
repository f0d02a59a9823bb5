#include "wire/imap/sequence_set.h"

#include "base/test.h"

static struct arena arena;

static bool parse(struct str text, struct imap_sequence_set *set)
{
	arena_fini(&arena);
	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(text, &arena);

	return imap_sequence_set(&in, set) && cur_done(in.at);
}

static const struct {
	struct str input;
	uint32_t max;
	struct str resolved;
} sets[] = {
	{STR("1"), 10, STR("1")},
	{STR("4:2"), 10, STR("2:4")},
	{STR("2,4:7,9,12:*"), 15, STR("2,4:7,9,12:15")}, /* RFC 9051 §9 */
	{STR("*:4,5:7"), 10, STR("4:10")},
	{STR("*"), 10, STR("10")},
	{STR("3291:*"), 100, STR("100")},
	{STR("*:*"), 3, STR("3")},
	{STR("9,3,5,4"), 10, STR("3:5,9")},
	{STR("9:20,5,1:100,7"), 10, STR("1:100")},
	{STR("5:*,2"), 0, STR("2")},
	{STR("4294967295,4294967294"), 1, STR("4294967294:4294967295")},
	{STR("50,40,30,20,10,15,25,35,45,5"), 9, STR("5,10,15,20,25,30,35,40,45,50")},
	{STR("7:*,3:*"), 5, STR("3:5")},
};

TEST(sets_are_sorted_and_merged)
{
	for (size_t i = 0; i < COUNT_OF(sets); i++) {
		SCOPED(buf_fini) struct buf out = BUF(1000);
		struct imap_sequence_set set;

		CHECK(parse(sets[i].input, &set));
		imap_sequence_set_resolve(&set, sets[i].max);
		imap_ranges_write(&out, set.ranges, set.count);
		CHECK_STR(buf_str(&out), sets[i].resolved);
	}
}

static const struct str bad[] = {
	STR(""),      STR("0"), STR("1:"),         STR(":1"),  STR("1,"),  STR(",1"),
	STR("1:2:3"), STR("a"), STR("4294967296"), STR("1 2"), STR("$,1"), STR("-1"),
};

TEST(wrong_sets_are_refused)
{
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct imap_sequence_set set;

		CHECK(!parse(bad[i], &set));
	}
}

TEST(a_set_knows_its_members)
{
	struct imap_sequence_set set;

	CHECK(parse(STR("2:4,8"), &set));
	CHECK(!imap_sequence_set_has(&set, 1) && imap_sequence_set_has(&set, 2));
	CHECK(imap_sequence_set_has(&set, 4) && !imap_sequence_set_has(&set, 5));
	CHECK(imap_sequence_set_has(&set, 8) && !imap_sequence_set_has(&set, 9));
	CHECK(parse(STR("$"), &set) && set.is_saved);
}

TEST(the_writer_writes_the_shortest_form)
{
	static const uint32_t numbers[] = {1, 2, 3, 7, 9, 10, UINT32_MAX};
	SCOPED(buf_fini) struct buf out = BUF(1000);
	struct imap_set_writer writer = {.out = &out};

	imap_set_end(&writer);
	CHECK(out.len == 0);
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		imap_set_add(&writer, numbers[i]);
	imap_set_end(&writer);
	CHECK_STR(buf_str(&out), STR("1:3,7,9:10,4294967295"));
}

TEST(a_set_beyond_the_arena_is_refused)
{
	SCOPED(arena_fini) struct arena small;
	struct imap_sequence_set set;

	arena_init(&small, 64);
	struct imap_in in = imap_in_over(STR("1,3,5,7,9,11,13,15,17"), &small);

	CHECK(!imap_sequence_set(&in, &set));
}
