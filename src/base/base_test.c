#include "base/arena.h"
#include "base/civil.h"
#include "base/codec.h"
#include "base/num.h"
#include "base/test.h"

TEST(a_buf_latches_at_its_bound)
{
	struct buf buf = BUF(5);

	buf_add(&buf, STR("abc"));
	CHECK(buf_ok(&buf));
	buf_add(&buf, STR("def"));
	CHECK(!buf_ok(&buf));
	CHECK_STR(buf_str(&buf), STR("abc"));
	buf_reset(&buf);
	buf_add_u64(&buf, 40960);
	CHECK_STR(buf_str(&buf), STR("40960"));
	buf_fini(&buf);
}

TEST(an_arena_refuses_beyond_its_bound_and_starts_again_zeroed)
{
	struct arena arena;

	arena_init(&arena, 10000);
	for (int round = 0; round < 3; round++) {
		char *first = arena_alloc(&arena, 100, 1);

		CHECK(first && first[0] == 0 && first[99] == 0);
		memset(first, 'x', 100);
		CHECK(!arena_alloc(&arena, 10000, 1));
		CHECK(arena_alloc(&arena, 9000, 1));
		arena_reset(&arena);
	}
	arena_fini(&arena);
}

TEST(numbers_are_read_whole_or_not_at_all)
{
	uint64_t n = 7;

	CHECK(num_parse(STR("18446744073709551615"), UINT64_MAX, &n) && n == UINT64_MAX);
	n = 7;
	CHECK(!num_parse(STR("18446744073709551616"), UINT64_MAX, &n) && n == 7);
	CHECK(!num_parse(STR("12a"), UINT64_MAX, &n) && n == 7);
	CHECK(!num_parse(STR(""), UINT64_MAX, &n));
	CHECK(!num_parse(STR("256"), 255, &n));
}

TEST(dates_go_there_and_back)
{
	struct civil at = civil_from_unix(951782400, 0); /* 2000-02-29 */

	CHECK(at.year == 2000 && at.month == 2 && at.day == 29 && at.weekday == 2);
	for (int64_t t = -62135596800; t < 253402300799; t += 86400 * 97 + 12345) {
		struct civil c = civil_from_unix(t, 90);

		CHECK(civil_is_valid(c));
		CHECK(civil_to_unix(c) == t);
	}
	CHECK(!civil_is_valid((struct civil){.year = 2023, .month = 2, .day = 29}));
}

TEST(the_codec_latches_its_failure)
{
	struct buf buf = BUF(100);

	enc_var(&buf, 300);
	enc_str(&buf, STR("abc"));
	enc_u32(&buf, 0xdeadbeef);
	enc_key48(&buf, 0x010203040506);
	struct dec dec = dec_over(buf_str(&buf));

	CHECK(dec_var(&dec) == 300);
	CHECK_STR(dec_str(&dec), STR("abc"));
	CHECK(dec_u32(&dec) == 0xdeadbeef);
	CHECK(dec_key48(&dec) == 0x010203040506);
	CHECK(dec_done(&dec));
	CHECK(dec_u8(&dec) == 0 && !dec_ok(&dec));
	buf_fini(&buf);
}

TEST(strings_are_cut_and_trimmed)
{
	struct str s = STR(" a b ");

	CHECK_STR(str_trim(s), STR("a b"));
	s = STR("x:y");
	CHECK_STR(str_cut(&s, ':'), STR("x"));
	CHECK_STR(str_cut(&s, ':'), STR("y"));
	CHECK_STR(s, STR(""));
	CHECK(str_find(STR("hello"), STR("ll")) == 2);
	CHECK(str_find(STR("hello"), STR("lx")) == 5);
	CHECK(str_same_nocase(STR("AbC"), STR("aBc")));
}
