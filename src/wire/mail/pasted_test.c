#include "wire/mail/pasted.h"

#include "base/test.h"

static const struct {
	struct str raw, want;
	size_t mended;
	bool has_body;
} cases[] = {
	{STR("A: 1\r\nB: 2\r\n\t3\r\n\r\nbody\r\n"),
	 STR("A: 1\r\nB: 2\r\n\t3\r\n\r\nbody\r\n"), 0, true},
	{STR("A: 1\nB: 2"), STR("A: 1\r\nB: 2\r\n\r\n"), 0, false},
	{STR("A: 1\n\n"), STR("A: 1\r\n\r\n"), 0, false},
	{STR("From ann@a.example Sun Nov 22 08:00:00 2026\nA: 1\n"), STR("A: 1\r\n\r\n"),
	 0, false},
	/* BLANK_IN_FRONT */
	{STR("\xef\xbb\xbf\n  \nA: 1\n"), STR("A: 1\r\n\r\n"), 0, false},
	/* QUOTED */
	{STR("> A: 1\n>  2\n>\n> body\n"), STR("A: 1\r\n 2\r\n\r\n> body\r\n"), 3, true},
	{STR("    A: 1\n    B: 2\n\nbody"), STR("A: 1\r\nB: 2\r\n\r\nbody\r\n"), 2, true},
	/* BROKEN_FOLD */
	{STR("A: 1\nby x with y; Sun,\n12:34:56 +0000\nhttps://x.example/\nB : 2\n"),
	 STR("A: 1\r\n\tby x with y; Sun,\r\n\t12:34:56 +0000\r\n\thttps://x.example/\r\n"
	     "B : 2\r\n\r\n"),
	 3, false},
	{STR(""), STR("\r\n"), 0, false},
	{STR("\n\n"), STR("\r\n"), 0, false},
};

TEST(pasted_headers_become_headers)
{
	struct buf out = BUF(1000);
	struct mail_pasted pasted;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buf_reset(&out);
		mail_pasted_add(&out, cases[i].raw, &pasted);
		CHECK_STR(buf_str(&out), cases[i].want);
		CHECK(pasted.mended == cases[i].mended);
		CHECK(pasted.has_body == cases[i].has_body);
	}
	buf_fini(&out);
}
