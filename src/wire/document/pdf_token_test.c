#include "wire/document/pdf_token.h"

#include "base/test.h"

/* Each token as "k:raw", one after the other. */
static struct str told(struct buf *out, const char *text)
{
	static const char kinds[] = "nshpwad<>";
	struct str rest = str_c(text);
	struct pdf_token token;

	buf_reset(out);
	while (pdf_token_take(&rest, &token))
		buf_printf(out, "%c:%.*s ", kinds[token.kind], STR_FMT(token.raw));
	return buf_str(out);
}

TEST(pdf_tokens_are_told_apart)
{
	SCOPED(buf_fini) struct buf out = BUF(1000);

	CHECK_STR(told(&out, "BT /F1 12 Tf (a(b)c) Tj <41 4> Tj ET"),
		  STR("w:BT p:F1 n:12 w:Tf s:a(b)c w:Tj h:41 4 w:Tj w:ET "));
	CHECK_STR(told(&out, "[(x)-250.5(y)]TJ"), STR("a:[ s:x n:-250.5 s:y d:] w:TJ "));
	CHECK_STR(told(&out, "/Span<</Lang(en)>>BDC"),
		  STR("p:Span <:< p:Lang s:en >:> w:BDC "));
	CHECK_STR(told(&out, " % a (comment\n\t/ 1%x\r2"), STR("p: n:1 n:2 "));
	CHECK_STR(told(&out, "(open \\) and"), STR("s:open \\) and "));
	CHECK_STR(told(&out, "(a\\"), STR("s:a\\ "));
	CHECK_STR(told(&out, "<41"), STR("h:41 "));
	CHECK_STR(told(&out, ") > { } T*"), STR("w:) w:> w:{ w:} w:T* "));
	CHECK_STR(told(&out, ""), STR(""));
}

TEST(pdf_numbers_are_read)
{
	static const struct {
		const char *text;
		double value;
	} good[] = {{"1", 1}, {"-.5", -.5}, {"+7.", 7}, {"0012.25", 12.25}, {"-0", 0}};
	static const char *const bad[] = {"-",
					  ".",
					  "1.2.3",
					  "1e5",
					  "--1",
					  "1-2",
					  "123456789012345678901234567890123"};
	struct pdf_token token;

	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct str rest = str_c(good[i].text);

		CHECK(pdf_token_take(&rest, &token) && token.kind == PDF_NUMBER);
		CHECK(token.number <= good[i].value && token.number >= good[i].value);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct str rest = str_c(bad[i]);

		CHECK(pdf_token_take(&rest, &token) && token.kind == PDF_WORD);
	}
}

TEST(pdf_strings_are_undone)
{
	static const struct {
		const char *text;
		struct str octets;
	} cases[] = {
		{"(a\\(\\)\\\\b)", {"a()\\b", 5}},
		{"(\\n\\r\\t\\b\\f\\x)", {"\n\r\t\b\fx", 6}},
		{"(\\101\\7\\0053)",
		 {"A\7\5"
		  "3",
		  4}},
		{"(a\\\nb\\\r\nc\\\rd)", {"abcd", 4}},
		{"(a\\", {"a", 1}},
		{"<48 65 6C6c6F>", {"Hello", 5}},
		{"<4x1z5>", {"AP", 2}},
		{"<>", {"", 0}},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		SCOPED(buf_fini) struct buf out = BUF(100);
		struct str rest = str_c(cases[i].text);
		struct pdf_token token;

		CHECK(pdf_token_take(&rest, &token));
		pdf_string_add(&out, &token);
		CHECK_STR(buf_str(&out), cases[i].octets);
	}
}

TEST(pdf_names_are_undone)
{
	SCOPED(buf_fini) struct buf out = BUF(100);

	pdf_name_add(&out, STR("A#20B#2fC#zz#4"));
	CHECK_STR(buf_str(&out), STR("A B/C#zz#4"));
}
