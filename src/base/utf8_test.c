#include "base/utf8.h"

#include "base/test.h"

TEST(utf8_takes_what_rfc_3629_allows)
{
	static const struct str good[] = {
		STR(""),
		STR("abc"),
		STR("\xc2\x80"),
		STR("\xdf\xbf"),
		STR("\xe0\xa0\x80"),
		STR("\xed\x9f\xbf"),
		STR("\xef\xbf\xbd"),
		STR("\xf0\x90\x80\x80"),
		STR("\xf4\x8f\xbf\xbf"),
		STR("0123456789012345678901234567890123456789\xc3\xa4 and on"),
	};
	static const struct str bad[] = {
		STR("\x80"),
		STR("\xc0\x80"),
		STR("\xc1\xbf"),
		STR("\xc3"),
		STR("\xc3("),
		STR("\xe0\x9f\xbf"),
		STR("\xed\xa0\x80"),
		STR("\xf0\x8f\xbf\xbf"),
		STR("\xf4\x90\x80\x80"),
		STR("\xf5\x80\x80\x80"),
		STR("01234567\xff"),
		STR("\xe2\x82"),
	};

	for (size_t i = 0; i < COUNT_OF(good); i++)
		CHECK(utf8_valid(good[i]));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!utf8_valid(bad[i]));
}

TEST(every_character_goes_there_and_back)
{
	struct buf buf = BUF(4);

	for (uint32_t code = 0; code <= 0x110000; code += code < 0x900 ? 1 : 37) {
		uint32_t found;

		buf_reset(&buf);
		utf8_add(&buf, code);
		struct str s = buf_str(&buf);

		CHECK(utf8_take(&s, &found) && s.len == 0);
		bool is_none = (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff;

		CHECK(found == (is_none ? (uint32_t)UTF8_REPLACEMENT : code));
	}
	buf_fini(&buf);
}

TEST(broken_characters_are_replaced)
{
	struct buf buf = BUF(100);

	CHECK(utf8_add_repaired(&buf, STR("gr\xc3\xbcn")));
	CHECK_STR(buf_str(&buf), STR("gr\xc3\xbcn"));
	buf_reset(&buf);
	CHECK(!utf8_add_repaired(&buf, STR("\xff"
					   "a\xe2\x82"
					   "b\xc3")));
	CHECK_STR(buf_str(&buf), STR("\xef\xbf\xbd"
				     "a\xef\xbf\xbd"
				     "b\xef\xbf\xbd"));
	buf_fini(&buf);
}

TEST(a_cut_does_not_split_a_character)
{
	CHECK_STR(utf8_first(STR("a\xe2\x82\xac"), 3), STR("a"));
	CHECK_STR(utf8_first(STR("a\xe2\x82\xac"), 4), STR("a\xe2\x82\xac"));
	CHECK_STR(utf8_first(STR("abc"), 2), STR("ab"));
	CHECK(utf8_first(STR("\x80\x80\x80\x80\x80\x80"), 5).len == 5);
}

TEST(what_a_terminal_would_obey_is_shown_as_numbers)
{
	struct buf buf = BUF(100);

	utf8_add_shown(&buf, STR("a\x1b[2J\n\xc2\x9b\xe2\x80\xae\xff gr\xc3\xbcn"));
	CHECK_STR(buf_str(&buf), STR("a\\x1b[2J\\x0a\\xc2\\x9b\\xe2\\x80\\xae\\xff "
				     "gr\xc3\xbcn"));
	buf_fini(&buf);
}
