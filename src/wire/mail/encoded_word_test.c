#include "wire/mail/encoded_word.h"

#include "base/mem.h"
#include "base/test.h"

/* Plain runs in <>, encoded ones as charset(octets). */
static const struct {
	struct str value, want;
} cases[] = {
	{STR(""), STR("")},
	{STR("plain text"), STR("<plain text>")},
	/* RFC 2047 §8 */
	{STR("(=?ISO-8859-1?Q?a?=)"), STR("<(>ISO-8859-1(a)<)>")},
	{STR("(=?ISO-8859-1?Q?a?= b)"), STR("<(>ISO-8859-1(a)< b)>")},
	{STR("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)"), STR("<(>ISO-8859-1(ab)<)>")},
	{STR("(=?ISO-8859-1?Q?a?=  \r\n =?ISO-8859-1?Q?b?=)"),
	 STR("<(>ISO-8859-1(ab)<)>")},
	{STR("(=?ISO-8859-1?Q?a_b?=)"), STR("<(>ISO-8859-1(a b)<)>")},
	{STR("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?="),
	 STR("ISO-8859-1(a)ISO-8859-2( b)")},
	{STR("=?utf-8*en?b?Zm9v?="), STR("utf-8(foo)")},
	{STR("=?UTF-8?B?4g==?= =?utf-8?Q?=82=AC?="), STR("UTF-8(\xe2\x82\xac)")},
	{STR("=?utf-8?q?=41=?= x"), STR("utf-8(A=)< x>")},
	{STR("a=?utf-8?q?b c?=d"), STR("<a>utf-8(b c)<d>")},
	{STR("=?utf-8?q?\?="), STR("utf-8()")},
	/* Not encoded words. */
	{STR("=?utf-8?q?abc"), STR("<=?utf-8?q?abc>")},
	{STR("=?utf-8?x?abc?="), STR("<=?utf-8?x?abc?=>")},
	{STR("=?utf-8?q?a =?utf-8?q?b?="), STR("<=?utf-8?q?a >utf-8(b)")},
	{STR("=??q?abc?="), STR("<=??q?abc?=>")},
	{STR("=? =?a?= =?utf-8?q?b?="), STR("<=? =?a?= >utf-8(b)")},
};

TEST(encoded_words_are_found_joined_and_decoded)
{
	struct buf scratch = BUF(1000), buf = BUF(1000);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mail_words words = mail_words_over(cases[i].value, &scratch);
		struct mail_words_run run;

		buf_reset(&buf);
		while (mail_words_next(&words, &run)) {
			buf_add(&buf, run.charset);
			buf_printf(&buf, run.is_encoded ? "(%.*s)" : "<%.*s>",
				   STR_FMT(run.text));
		}
		CHECK_STR(buf_str(&buf), cases[i].want);
	}
	buf_fini(&scratch);
	buf_fini(&buf);
}

TEST(hostile_values_cost_no_more_than_their_length)
{
	static const char *const pieces[] = {"=?a?q?",    "=?a?q?x ", "=?",       "=?a",
					     "=?a?q?\?=", "?=",       "=?a?q?=?="};
	size_t len = 900000;
	char *text = mem_zeroed(len, 1);
	struct buf scratch = BUF(len);

	for (size_t p = 0; p < COUNT_OF(pieces); p++) {
		struct str piece = str_c(pieces[p]);
		size_t total = 0;

		for (size_t i = 0; i < len; i++)
			text[i] = piece.ptr[i % piece.len];
		struct mail_words words =
			mail_words_over((struct str){text, len}, &scratch);
		struct mail_words_run run;

		while (mail_words_next(&words, &run))
			total += run.text.len;
		CHECK(total <= len);
	}
	buf_fini(&scratch);
	mem_free(text);
}

TEST(encoded_words_are_written_of_whole_characters)
{
	struct buf buf = BUF(1000);

	mail_words_add(&buf, STR(""));
	CHECK(buf.len == 0);
	mail_words_add(&buf, STR("J\xc3\xb6rg"));
	CHECK_STR(buf_str(&buf), STR("=?utf-8?B?SsO2cmc=?="));
	buf_reset(&buf);
	mail_words_add(&buf, STR("\xff"));
	CHECK_STR(buf_str(&buf), STR("=?utf-8?B?77+9?="));
	buf_reset(&buf);
	/* 44 octets, and a character that would be cut by the 45th */
	mail_words_add(&buf, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xb6"));
	CHECK_STR(buf_str(&buf),
		  STR("=?utf-8?B?"
		      "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE"
		      "=?=\r\n =?utf-8?B?w7Y=?="));
	buf_fini(&buf);
}
