#include "text/preview.h"

#include "base/test.h"
#include "base/utf8.h"
#include "wire/mail/mime.h"

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"

static const struct {
	struct str message, want;
} cases[] = {
	{STR("A: b\r\n\r\n  Hello,\r\n\r\n world \r\n"), STR("Hello, world")},
	{STR("Content-Type: text/html\r\n\r\n<style>x</style><p>Hello<p>w&ouml;rld"),
	 STR("Hello w\xc3\xb6rld")},
	{STR("Content-Transfer-Encoding: base64\r\n"
	     "Content-Type: text/plain; charset=iso-8859-1\r\n\r\n9g==\r\n"),
	 STR("\xc3\xb6")},
	{STR(MIXED "Content-Type: text/html\r\n\r\n<p>HTML\r\n--b\r\n\r\nPlain\r\n--b--"),
	 STR("Plain")},
	{STR(MIXED "Content-Disposition: attachment\r\n\r\nNo\r\n--b\r\n"
		   "Content-Type: text/html\r\n\r\n<p>Yes\r\n--b--"),
	 STR("Yes")},
	{STR(MIXED "Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nInside\r\n--b\r\n\r\n"
		   "Outside\r\n--b--"),
	 STR("Outside")},
	{STR("Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nInside"), STR("")},
	{STR("Content-Type: image/png\r\n\r\nx"), STR("")},
	{STR(""), STR("")},
};

TEST(a_preview_shows_the_first_words)
{
	struct buf buf = BUF(1000);
	struct arena arena;

	arena_init(&arena, 100000);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buf_reset(&buf);
		preview_add(&buf, cases[i].message,
			    mime_parse(&arena, cases[i].message).root);
		CHECK_STR(buf_str(&buf), cases[i].want);
	}
	arena_fini(&arena);
	buf_fini(&buf);
}

TEST(a_preview_has_at_most_200_characters)
{
	struct buf message = BUF(10000), buf = BUF(1000);
	struct arena arena;
	size_t chars = 0;
	uint32_t code;

	arena_init(&arena, 100000);
	buf_add_c(&message, "A: b\r\n\r\n");
	while (message.len < 5000)
		buf_add_c(&message, "\xf0\x9f\x98\x80 ");
	preview_add(&buf, buf_str(&message), mime_parse(&arena, buf_str(&message)).root);
	for (struct str s = buf_str(&buf); s.len > 0; chars++)
		CHECK(utf8_take(&s, &code));
	CHECK(chars == 199); /* the 200th would be a space at the end */
	arena_fini(&arena);
	buf_fini(&message);
	buf_fini(&buf);
}
