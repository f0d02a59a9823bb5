#include "text/casemap.h"

#include "base/test.h"

TEST(text_is_mapped_as_rfc_5051_says)
{
	static const struct {
		struct str text, want;
	} cases[] = {
		{STR("abcXYZ 1"), STR("ABCXYZ 1")},
		{STR("\xc3\xa9t\xc3\xa9"), STR("E\xcc\x81TE\xcc\x81")},
		{STR("\xef\xac\x81"),
		 STR("fi")}, /* the ligature has no simple titlecase */
		{STR("\xc7\x84"), STR("Dz\xcc\x8c")}, /* DŽ: titlecase, not upper case */
		{STR("\xd0\xbf"), STR("\xd0\x9f")},
		{STR("\xff"), STR("\xef\xbf\xbd")},
	};
	struct buf buf = BUF(100);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buf_reset(&buf);
		casemap_add(&buf, cases[i].text);
		CHECK_STR(buf_str(&buf), cases[i].want);
	}
	buf.max = 3;
	buf_reset(&buf);
	casemap_add(&buf, STR("abcdef"));
	CHECK_STR(buf_str(&buf), STR("ABC"));
	CHECK(!buf_ok(&buf));
	buf_fini(&buf);
}

TEST(text_is_found_and_ordered_without_case)
{
	struct buf scratch = BUF(1000);

	CHECK(casemap_contains(STR("Die Fr\xc3\xb6sche"), STR("FRO\xcc\x88"), &scratch));
	CHECK(!casemap_contains(STR("Die Hasen"), STR("FRO"), &scratch));
	CHECK(casemap_contains(STR(""), STR(""), &scratch));
	CHECK(casemap_cmp(STR("abc"), STR("ABC"), &scratch) == 0);
	CHECK(casemap_cmp(STR("abc"), STR("ABD"), &scratch) < 0);
	CHECK(casemap_cmp(STR("b"), STR("ABD"), &scratch) > 0);
	buf_fini(&scratch);
}
