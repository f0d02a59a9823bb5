#include "wire/document/pdf_glyph.h"

#include "base/test.h"
#include "wire/document/pdf_glyph_table.h"

TEST(glyphs_have_names)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
		{"A", "A"},
		{"space", " "},
		{"germandbls", "ß"},
		{"eacute", "e\u0301"},
		{"Scommaaccent", "S\u0327"},
		{"alphatonos", "α\u0301"},
		{"Omega", "Ω"},
		{"afii10017", "А"},
		{"afii10023", "Ё"},
		{"afii10049", "Я"},
		{"afii10065", "а"},
		{"afii10071", "ё"},
		{"afii10097", "я"},
		{"uni20AC", "€"},
		{"uni00410042", "AB"},
		{"u1F600", "😀"},
		{"f_f_i", "ffi"},
		{"a.alt", "a"},
		{"T_h.liga", "Th"},
		{"fi", "ﬁ"},
		{"quoteright", "’"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		SCOPED(buf_fini) struct buf out = BUF(100);

		CHECK(pdf_glyph_add(&out, str_c(cases[i].name)));
		CHECK_STR(buf_str(&out), str_c(cases[i].text));
	}
}

TEST(other_names_tell_nothing)
{
	static const char *const names[] = {
		"",        "g123",      ".notdef",   "cid:7",     "uniD800",
		"uni12",   "u110000",   "unixyzw",   "\x01",      "f_xyzzy",
		"xxacute", "afii10050", "afii1001x", "afii10100", "u12345678"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		SCOPED(buf_fini) struct buf out = BUF(100);

		buf_add_c(&out, "x");
		CHECK(!pdf_glyph_add(&out, str_c(names[i])));
		CHECK_STR(buf_str(&out), STR("x"));
	}
}

TEST(names_of_glyphs_stand_in_order)
{
	for (size_t i = 1; i < pdf_glyph_name_count; i++)
		CHECK(strcmp(pdf_glyph_names[i - 1].name, pdf_glyph_names[i].name) < 0);
}

TEST(encodings_say_what_octets_stand_for)
{
	enum pdf_encoding encoding;

	CHECK(pdf_encoding_find(STR("WinAnsiEncoding"), &encoding));
	CHECK(pdf_encoding_code(encoding, 0x80) == 0x20ac);
	CHECK(pdf_encoding_code(encoding, 0xe4) == 0xe4);
	CHECK(pdf_encoding_code(encoding, 'a') == 'a');
	CHECK(pdf_encoding_code(encoding, 7) == 0);
	CHECK(pdf_encoding_find(STR("MacRomanEncoding"), &encoding));
	CHECK(pdf_encoding_code(encoding, 0x8a) == 0xe4);
	CHECK(pdf_encoding_code(encoding, 0xa7) == 0xdf);
	CHECK(pdf_encoding_find(STR("StandardEncoding"), &encoding));
	CHECK(pdf_encoding_code(encoding, '\'') == 0x2019);
	CHECK(pdf_encoding_code(encoding, '`') == 0x2018);
	CHECK(pdf_encoding_code(encoding, 0xfb) == 0xdf);
	CHECK(pdf_encoding_code(encoding, 0x85) == 0);
	CHECK(pdf_encoding_code(encoding, 0xff) == 0);
	CHECK(!pdf_encoding_find(STR("Identity-H"), &encoding));
}
