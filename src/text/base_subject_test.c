#include "text/base_subject.h"

#include "base/mem.h"
#include "base/test.h"

static const struct {
	struct str value, want;
	bool is_reply;
} cases[] = {
	{STR("Hello"), STR("Hello"), false},
	{STR("Re: Hello"), STR("Hello"), true},
	{STR(" re : Fwd:  FW [x]: a \t b (fwd) (FWD) "), STR("a b"), true},
	{STR("[list] Re: [list] Hello"), STR("Hello"), true},
	{STR("[list] Hello"), STR("Hello"), false},
	{STR("[list]"), STR("[list]"), false},
	{STR("[a] [b]"), STR("[b]"), false},
	{STR("Re: [list]"), STR("[list]"), true},
	{STR("[Fwd: Re: Hello]"), STR("Hello"), true},
	{STR("[fwd: [fwd: a (fwd)]]"), STR("a"), true},
	{STR("[fwd:]"), STR(""), true},
	{STR("Ref: a"), STR("Ref: a"), false},
	{STR("Re"), STR("Re"), false},
	{STR("Re[2]: a"), STR("a"), true},
	{STR("=?utf-8?q?Re=3A_=C3=A4?="), STR("\xc3\xa4"), true},
	{STR(""), STR(""), false},
};

TEST(base_subjects_are_what_rfc_5256_says)
{
	struct buf buf = BUF(1000);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buf_reset(&buf);
		CHECK(base_subject_add(&buf, cases[i].value) == cases[i].is_reply);
		CHECK_STR(buf_str(&buf), cases[i].want);
	}
	buf_fini(&buf);
}

TEST(hostile_subjects_cost_no_more_than_their_length)
{
	static const char *const pieces[] = {"[a]",   "re:",   "[fwd:", "[",
					     "re[a]", "(fwd)", "[a] ",  "[a]x"};
	size_t len = 200000;
	char *text = mem_zeroed(len, 1);
	struct buf buf = BUF(len * 3);

	for (size_t p = 0; p < COUNT_OF(pieces); p++) {
		struct str piece = str_c(pieces[p]);

		for (size_t i = 0; i < len; i++)
			text[i] = piece.ptr[i % piece.len];
		buf_reset(&buf);
		(void)base_subject_add(&buf, (struct str){text, len}); /* either */
		CHECK(buf.len <= len);
	}
	buf_fini(&buf);
	mem_free(text);
}
