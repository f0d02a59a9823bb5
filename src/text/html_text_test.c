#include "text/html_text.h"

#include "base/mem.h"
#include "base/test.h"

static const struct {
	struct str html, want;
} cases[] = {
	{STR(""), STR("")},
	{STR(" a  \r\n b "), STR("a b")},
	{STR("<html><head><title>t</title><style>p{}</style></head><body><p>One</p>"
	     "<p class=\"x\">Two<br/>three</body></html>"),
	 STR("One\nTwo\nthree")},
	{STR("a<b>b</b>c &amp; &lt;d&gt;&nbsp;&#228;&#xE4;&euro;&shy;x&unknown; &"),
	 STR("abc & <d> \xc3\xa4\xc3\xa4\xe2\x82\xacx&unknown; &")},
	{STR("a<!-- <b> -- c -->d<!DOCTYPE x>e<?xml?>f"), STR("adef")},
	{STR("1 < 2 <3 a<"), STR("1 < 2 <3 a<")},
	{STR("a<SCRIPT>if (a</b>) x</Script >b"), STR("ab")},
	{STR("a<script>never closed"), STR("a")},
	{STR("a<!-- never closed"), STR("a")},
	{STR("a <b c"), STR("a <b c")},
	{STR("&#1114112;&#xffffffff;&#0;x"), STR("&#1114112;\xef\xbf\xbdx")},
};

TEST(html_becomes_text)
{
	struct buf buf = BUF(1000);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buf_reset(&buf);
		html_text_add(&buf, cases[i].html, 900);
		CHECK_STR(buf_str(&buf), cases[i].want);
	}
	buf_reset(&buf);
	html_text_add(&buf, STR("<p>abc\xc3\xa4 def"), 4);
	CHECK_STR(buf_str(&buf), STR("abc"));
	buf_reset(&buf);
	html_text_add(&buf, STR("abc &auml;"), 5);
	CHECK_STR(buf_str(&buf), STR("abc "));
	buf_fini(&buf);
}

TEST(hostile_html_costs_no_more_than_its_length)
{
	static const char *const pieces[] = {
		"<a ", "<", "<!--", "</", "<script>", "<script></", "&#x0;", "&", "<p>"};
	size_t len = 900000;
	char *text = mem_zeroed(len, 1);
	struct buf buf = BUF(len);

	for (size_t p = 0; p < COUNT_OF(pieces); p++) {
		struct str piece = str_c(pieces[p]);

		for (size_t i = 0; i < len; i++)
			text[i] = piece.ptr[i % piece.len];
		buf_reset(&buf);
		html_text_add(&buf, (struct str){text, len}, len);
		CHECK(buf.len <= len);
	}
	buf_fini(&buf);
	mem_free(text);
}
