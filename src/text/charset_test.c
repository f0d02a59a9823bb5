#include "text/charset.h"

#include "base/test.h"

static const struct {
	struct str charset, bytes, want;
	enum charset_result result;
} cases[] = {
	{STR("utf-8"), STR("a\xc3\xa4"), STR("a\xc3\xa4"), CHARSET_EXACT},
	{STR("UTF-8"), STR("a\xc3"), STR("a\xef\xbf\xbd"), CHARSET_REPAIRED},
	{STR("us-ascii"), STR("abc"), STR("abc"), CHARSET_EXACT},
	{STR("us-ascii"), STR("\xc3\xa4"), STR("\xc3\xa4"), CHARSET_GUESSED},
	{STR("us-ascii"), STR("\xe4"), STR("\xc3\xa4"), CHARSET_GUESSED},
	{STR("ISO-8859-1"), STR("J\xf6\x80"), STR("J\xc3\xb6\xe2\x82\xac"),
	 CHARSET_EXACT},
	{STR("iso-8859-15"), STR("\xa4"), STR("\xe2\x82\xac"), CHARSET_EXACT},
	{STR("koi8-r"), STR("\xd0\xd2\xc9"), STR("\xd0\xbf\xd1\x80\xd0\xb8"),
	 CHARSET_EXACT},
	{STR("iso-2022-jp"), STR("\x1b$B$\"\x1b(B"), STR("\xe3\x81\x82"), CHARSET_EXACT},
	{STR("shift_jis"), STR("\x82\xa0"), STR("\xe3\x81\x82"), CHARSET_EXACT},
	{STR("gb2312"), STR("\xc4\xe3"), STR("\xe4\xbd\xa0"), CHARSET_EXACT},
	{STR("ks_c_5601-1987"), STR("\xb0\xa1"), STR("\xea\xb0\x80"), CHARSET_EXACT},
	{STR("big5"), STR("\xa4\xa4"), STR("\xe4\xb8\xad"), CHARSET_EXACT},
	{STR("utf-7"), STR("+AOQ-"), STR("\xc3\xa4"), CHARSET_EXACT},
	{STR("utf-16be"), STR("\xd8\x3d\xde\x00"), STR("\xf0\x9f\x98\x80"),
	 CHARSET_EXACT},
	{STR("gb18030"), STR("a\x81"), STR("a\xef\xbf\xbd"), CHARSET_REPAIRED},
	{STR("klingon"), STR("a\xe4"), STR("a\xc3\xa4"), CHARSET_GUESSED},
	{STR(""), STR("a"), STR("a"), CHARSET_GUESSED},
	{STR("utf-16,version=1"), STR("a"), STR("a"), CHARSET_GUESSED},
};

TEST(charsets_become_utf8)
{
	struct buf buf = BUF(1000);

	for (int round = 0; round < 2; round++) { /* the second time from the cache */
		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			buf_reset(&buf);
			CHECK(charset_add_utf8(&buf, cases[i].charset, cases[i].bytes) ==
			      cases[i].result);
			CHECK_STR(buf_str(&buf), cases[i].want);
		}
	}
	CHECK(charset_is_known(STR("Big5")) && !charset_is_known(STR("klingon")));
	charset_forget();
	buf_fini(&buf);
}

TEST(conversion_stops_at_the_bound)
{
	static const char many[5000] = {0};
	struct buf buf = BUF(1001);

	charset_add_utf8(&buf, STR("iso-8859-5"), (struct str){many, sizeof many});
	CHECK(!buf_ok(&buf) && buf.len == 1001);
	buf_release(&buf);
	buf.max = 100000;
	CHECK(charset_add_utf8(&buf, STR("utf-16be"), (struct str){many, sizeof many}) ==
	      CHARSET_EXACT);
	CHECK(buf.len == sizeof many / 2);
	buf_fini(&buf);
	charset_forget();
}
