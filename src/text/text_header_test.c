#include "text/text_header.h"

#include "base/test.h"

static const struct {
	struct str value, want;
} cases[] = {
	{STR(" plain\r\n\ttext "), STR("plain text")},
	{STR("=?iso-8859-1?Q?Die_Fr=F6sche?= x"), STR("Die Fr\xc3\xb6sche x")},
	{STR("a =?utf-8?b?w6Q=?=\r\n =?utf-8?q?_b?="), STR("a \xc3\xa4 b")},
	{STR("=?utf-8?b?4oI=?= =?utf-8?q?=AC?="), STR("\xe2\x82\xac")},
	{STR("raw \xe4 and \xc3"), STR("raw \xc3\xa4 and \xc3\x83")},
	{STR("raw \xc3\xa4"), STR("raw \xc3\xa4")},
	{STR("=?klingon?q?a=E4?="), STR("a\xc3\xa4")},
	{STR("a\x01z=?utf-8?q?=0D=0Ax=00?="), STR("a zx")},
	{STR(""), STR("")},
};

TEST(header_text_becomes_one_line_of_utf8)
{
	struct buf buf = BUF(1000);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buf_reset(&buf);
		text_header_add(&buf, cases[i].value);
		CHECK_STR(buf_str(&buf), cases[i].want);
	}
	buf_reset(&buf);
	text_param_add(&buf, STR("=?utf-8?q?=41?="), STR(""));
	text_param_add(&buf, STR("\xe4"), STR("iso-8859-1"));
	CHECK_STR(buf_str(&buf), STR("A\xc3\xa4"));
	buf_fini(&buf);
}
