#include "pop3/top.h"

#include "base/test.h"

TEST(top_ends_after_its_lines)
{
	const struct str text = STR("A: 1\r\nB: 2\r\n\r\none\r\n\r\nthree");
	static const struct {
		uint64_t lines;
		size_t len;
	} cases[] = {{0, 14}, {1, 19}, {2, 21}, {3, 26}, {100, 26}};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (size_t piece = 1; piece < 30; piece++) {
			struct top top = top_of(cases[i].lines);
			struct str rest = text;
			size_t taken = 0, n;

			do {
				n = top_take(&top, str_first(rest, piece));
				taken += n;
				rest = str_skip(rest, n);
			} while (n == piece && rest.len > 0);
			CHECK(taken == cases[i].len);
		}
}

TEST(top_without_a_body_is_everything)
{
	struct top top = top_of(0);

	CHECK(top_take(&top, STR("A: 1\r\n")) == 6);
	CHECK(top_take(&top, STR("B")) == 1);
	top = top_of(5);
	CHECK(top_take(&top, STR("A: 1\n\nx\n")) == 8); /* LF alone ends lines too */
	top = top_of(0);
	CHECK(top_take(&top, STR("A: 1\n\nx\n")) == 6);
	CHECK(top_take(&top, STR("y")) == 0);
}
