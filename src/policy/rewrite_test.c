#include "policy/rewrite.h"

#include "base/test.h"
#include "wire/mail/header.h"

static struct str rewritten(struct str message, struct arena *arena, struct buf *whole)
{
	buf_reset(whole);
	rewrite_from(message, STR("info@example.org"), arena, whole);
	CHECK(buf_ok(whole) && whole->len <= message.len + REWRITE_BYTES_MAX);
	return buf_str(whole);
}

TEST(the_author_gives_way_and_is_kept)
{
	static const struct {
		struct str before, after;
	} cases[] = {
		{STR("Received: a\r\nFrom: Ann Other <ann@x.example>\r\nTo: "
		     "b\r\n\r\nFrom: "
		     "stays\r\n"),
		 STR("Received: a\r\n"
		     "From: \"Ann Other via example.org\"\r\n <info@example.org>\r\n"
		     "Reply-To: Ann Other <ann@x.example>\r\n"
		     "X-Original-From: Ann Other <ann@x.example>\r\n"
		     "To: b\r\n\r\nFrom: stays\r\n")},
		/* answers go where they went */
		{STR("Reply-To: c@x.example\r\nfrom:ann@x.example\r\n\r\n"),
		 STR("Reply-To: c@x.example\r\n"
		     "From: \"ann@x.example via example.org\"\r\n <info@example.org>\r\n"
		     "X-Original-From:ann@x.example\r\n\r\n")},
		/* one author is left of several fields, and of several addresses */
		{STR("From: a@x.example,\r\n b@x.example\r\nA: 1\r\nFrom: "
		     "c@x.example\r\n\r\n"),
		 STR("From: \"a@x.example via example.org\"\r\n <info@example.org>\r\n"
		     "Reply-To: a@x.example,\r\n b@x.example\r\n"
		     "X-Original-From: a@x.example,\r\n b@x.example\r\n"
		     "A: 1\r\n\r\n")},
		{STR("From: =?iso-8859-1?q?J=F6rg?= <j@x.example>\r\n\r\n"),
		 STR("From: =?utf-8?B?SsO2cmcgdmlhIGV4YW1wbGUub3Jn?=\r\n"
		     " <info@example.org>\r\n"
		     "Reply-To: =?iso-8859-1?q?J=F6rg?= <j@x.example>\r\n"
		     "X-Original-From: =?iso-8859-1?q?J=F6rg?= <j@x.example>\r\n\r\n")},
		{STR("A: 1\r\n\r\nbody"),
		 STR("From: \"via example.org\"\r\n <info@example.org>\r\n"
		     "A: 1\r\n\r\nbody")},
	};
	struct arena arena;
	struct buf whole = BUF(1 << 16);

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK_STR(rewritten(cases[i].before, &arena, &whole), cases[i].after);
	arena_fini(&arena);
	buf_fini(&whole);
}

static size_t longest_line(struct str text)
{
	size_t longest = 0;

	while (text.len > 0) {
		size_t len = str_cut(&text, '\n').len;

		longest = len > longest ? len : longest;
	}
	return longest;
}

/* Of what a stranger wrote only so much is said twice, and lines stay lines. */
TEST(huge_authors_are_kept_in_short)
{
	struct buf message = BUF(1 << 20), whole = BUF(1 << 20);
	struct arena arena;

	arena_init(&arena, 1 << 20);
	for (size_t len = 600; len < 300000; len *= 4) {
		buf_reset(&message);
		buf_add_c(&message, "From: \"");
		for (size_t i = 0; i < len; i++)
			buf_add_byte(&message, "ab \xc3\xb6"[i % 5]);
		buf_add_c(&message, "\" <ann@x.example>\r\n\r\n");
		struct str now = rewritten(buf_str(&message), &arena, &whole);

		CHECK(now.len < REWRITE_BYTES_MAX && longest_line(now) < 998);
		CHECK(str_find(now, STR(" <ann@x.example>\r\n\r\n")) == now.len - 20);
	}
	arena_fini(&arena);
	buf_fini(&message);
	buf_fini(&whole);
}
