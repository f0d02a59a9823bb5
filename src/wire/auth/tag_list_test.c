#include "wire/auth/tag_list.h"

#include "base/buf.h"
#include "base/test.h"

static const struct {
	struct str text;
	enum tag_list_outcome outcome;
	size_t count;
} cases[] = {
	{STR(""), TAG_LIST_FINE, 0},
	{STR("v=1"), TAG_LIST_FINE, 1},
	{STR("v=1;"), TAG_LIST_FINE, 1},
	{STR(" v = 1 ; a\t=\r\n b c ;\r\n"), TAG_LIST_FINE, 2},
	{STR("p="), TAG_LIST_FINE, 1}, /* an empty value is one, RFC 6376 §3.2 */
	{STR("v=1;;a=b; ;"), TAG_LIST_FINE, 2}, /* EMPTY_SPEC */
	{STR("v=a=b==; x_1=2"), TAG_LIST_FINE, 2},
	{STR("v=\xc3\xa4"), TAG_LIST_FINE, 1}, /* RFC 8616 §5 */
	{STR("v=a\rb\nc"), TAG_LIST_FINE, 1},  /* CONTROL_IN_FOLD */
	{STR("v=\xc3"), TAG_LIST_SYNTAX, 0},
	{STR("v=\x01"), TAG_LIST_SYNTAX, 0},
	{STR("v=a\x7f"), TAG_LIST_SYNTAX, 0},
	{STR("v=a\0b"), TAG_LIST_SYNTAX, 0},
	{STR("v"), TAG_LIST_SYNTAX, 0},
	{STR("=v"), TAG_LIST_SYNTAX, 0},
	{STR("1=v"), TAG_LIST_SYNTAX, 0},
	{STR("_=v"), TAG_LIST_SYNTAX, 0},
	{STR("a-b=v"), TAG_LIST_SYNTAX, 0},
	{STR("a b=v"), TAG_LIST_SYNTAX, 0},
	{STR("v=1;a=2;v=1"), TAG_LIST_TWICE, 2},
	{STR("v=1;V=1"), TAG_LIST_FINE, 2},
};

TEST(tag_lists_are_read)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tag_list list;

		CHECK(tag_list_parse(cases[i].text, &list) == cases[i].outcome);
		CHECK(list.count == cases[i].count);
	}
}

TEST(a_tag_is_name_and_value)
{
	struct tag_list list;
	struct str rest, item;

	CHECK(tag_list_parse(STR("v=1; h = a : B\r\n\t:c ; b="), &list) == TAG_LIST_FINE);
	CHECK_STR(tag_list_find(&list, "h")->name, STR("h"));
	CHECK_STR(tag_list_find(&list, "h")->value, STR("a : B\r\n\t:c"));
	CHECK_STR(tag_list_find(&list, "h")->whole, STR(" a : B\r\n\t:c "));
	CHECK_STR(tag_list_find(&list, "b")->value, STR(""));
	CHECK(!tag_list_find(&list, "V"));
	rest = tag_list_find(&list, "h")->value;
	CHECK(tag_item_next(&rest, &item));
	CHECK_STR(item, STR("a"));
	CHECK(tag_item_next(&rest, &item));
	CHECK_STR(item, STR("B"));
	CHECK(tag_item_next(&rest, &item));
	CHECK_STR(item, STR("c"));
	CHECK(!tag_item_next(&rest, &item));
}

TEST(ten_thousand_tags_and_a_megabyte_are_refused)
{
	static const char some[] = "a%zu=b;";
	struct buf text = BUF(1 << 20);
	struct tag_list list;

	for (size_t i = 0; i < TAG_LIST_TAGS_MAX; i++)
		buf_printf(&text, some, i);
	CHECK(tag_list_parse(buf_str(&text), &list) == TAG_LIST_FINE);
	for (size_t i = TAG_LIST_TAGS_MAX; i < 1000; i++)
		buf_printf(&text, some, i);
	CHECK(tag_list_parse(buf_str(&text), &list) == TAG_LIST_TOO_MANY);
	for (size_t i = 1000; i < 10000; i++)
		buf_printf(&text, some, i);
	CHECK(buf_ok(&text));
	CHECK(tag_list_parse(buf_str(&text), &list) == TAG_LIST_TOO_LONG);
	buf_reset(&text);
	memset(buf_room(&text, 1 << 20), ' ', 1 << 20);
	buf_grew(&text, 1 << 20);
	CHECK(tag_list_parse(buf_str(&text), &list) == TAG_LIST_TOO_LONG);
	buf_fini(&text);
}
