#include "base/base64.h"

#include "base/test.h"

/* RFC 4648 §10. */
static const struct {
	struct str bytes, text;
} vectors[] = {
	{STR(""), STR("")},
	{STR("f"), STR("Zg==")},
	{STR("fo"), STR("Zm8=")},
	{STR("foo"), STR("Zm9v")},
	{STR("foob"), STR("Zm9vYg==")},
	{STR("fooba"), STR("Zm9vYmE=")},
	{STR("foobar"), STR("Zm9vYmFy")},
	{STR("\xff\xfb\xef\0"), STR("//vvAA==")},
};

TEST(base64_goes_there_and_back)
{
	struct buf buf = BUF(100);

	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		buf_reset(&buf);
		base64_add(&buf, vectors[i].bytes);
		CHECK_STR(buf_str(&buf), vectors[i].text);
		buf_reset(&buf);
		CHECK(base64_decode(vectors[i].text, &buf));
		CHECK_STR(buf_str(&buf), vectors[i].bytes);
	}
	buf_fini(&buf);
}

TEST(strict_base64_refuses_what_is_not_canonical)
{
	static const struct str bad[] = {
		STR("Zg"),       STR("Zg="),  STR("Zh=="),     STR("Zm9="),
		STR("Z==="),     STR("===="), STR("Zg==Zg=="), STR("Zm 9"),
		STR("Zm9v\r\n"), STR("Zm-v"), STR("Zg=a"),
	};
	struct buf buf = BUF(100);

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CHECK(!base64_decode(bad[i], &buf));
		CHECK(buf.len == 0 && buf_ok(&buf));
	}
	buf.max = 2;
	CHECK(!base64_decode(STR("Zm9v"), &buf) && buf_ok(&buf));
	buf_fini(&buf);
}

TEST(a_base64_body_is_the_same_in_any_pieces)
{
	static const struct {
		struct str text, bytes;
	} cases[] = {
		{STR("Zm9v\r\nYmFy\r\n"), STR("foobar")},
		{STR("Z m!9\0v"), STR("foo")},
		{STR("Zg==Zm8=Zm9v"), STR("ffofoo")},
		{STR("Zm9vYg"), STR("foob")},
		{STR("Zm9vY"), STR("foo")},
		{STR("===="), STR("")},
	};
	struct buf buf = BUF(100);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (size_t cut = 0; cut <= cases[i].text.len; cut++) {
			struct base64_body body = {0};

			buf_reset(&buf);
			base64_body_add(&body, str_first(cases[i].text, cut), &buf);
			base64_body_add(&body, str_skip(cases[i].text, cut), &buf);
			base64_body_end(&body, &buf);
			CHECK_STR(buf_str(&buf), cases[i].bytes);
		}
	}
	buf_fini(&buf);
}
