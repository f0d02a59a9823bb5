#include "wire/cursor.h"

#include "base/test.h"

TEST(cursor_moves_only_over_what_it_takes)
{
	struct cursor c = cur_over(STR("ab.c"));

	CHECK(cur_run(&c, CSET_LET_DIG) == 2);
	CHECK(!cur_byte(&c, '@'));
	CHECK(cur_byte(&c, '.'));
	CHECK(cur_one(&c, CSET_ATEXT));
	CHECK(cur_done(c) && !cur_one(&c, CSET_ATEXT));
}
