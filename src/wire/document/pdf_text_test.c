#include "wire/document/pdf_text.h"

#include "base/arena.h"
#include "base/test.h"

/* /F: each octet is itself, half a size wide.  /W: two octets, UTF-16.  /G: says no
 * widths. */
static struct pdf_font plain = {.width_else = 500},
		       wide = {.is_wide = true, .is_utf16 = true, .width_else = 1000},
		       guessed;

static const struct pdf_font *find(void *arg, struct str name)
{
	static char letters[256];

	(void)arg;
	for (unsigned i = 0; i < 256; i++) {
		letters[i] = (char)(unsigned char)i;
		plain.text[i] = guessed.text[i] =
			(struct str){letters + i, i >= ' ' && i < 127};
	}
	if (str_same(name, STR("G")))
		return &guessed;
	if (str_same(name, STR("W")))
		return &wide;
	return str_same(name, STR("F")) ? &plain : NULL;
}

/* The form /X shows itself; /Y leaves its graphics state behind. */
static void show(void *arg, struct pdf_text *text, struct str name)
{
	const struct pdf_matrix matrix = {1, 0, 0, 1, 0, -100};
	unsigned *shown = arg;

	++*shown;
	if (str_same(name, STR("X")))
		pdf_text_form(text, &matrix, STR("BT /F 10 Tf (x) Tj ET /X Do /X Do"));
	if (str_same(name, STR("Y")))
		pdf_text_form(text, &matrix, STR("Q Q BT /F 10 Tf (y) Tj ET q q q"));
}

static struct str text_of(struct buf *out, const char *content)
{
	struct pdf_text text;
	unsigned shown = 0;

	buf_reset(out);
	pdf_text_init(&text, out, find, show, &shown);
	pdf_text_page(&text, str_c(content));
	pdf_text_fini(&text);
	return buf_str(out);
}

TEST(text_is_shown_in_its_order)
{
	static const struct {
		const char *content, *text;
	} cases[] = {
		{"BT /F 10 Tf (Hello) Tj ET", "Hello\n"},
		{"BT /F 10 Tf (a) Tj 0 -12 Td (b) Tj T* (c) Tj ET", "a\nbc\n"},
		{"BT /F 10 Tf 12 TL (a) Tj (b) ' 1 2 (c) \" ET", "a\nb\nc\n"},
		{"BT /F 10 Tf 0 -12 TD (a) Tj T* (b) Tj ET", "a\nb\n"},
		{"BT /W 10 Tf <0041d83dde00> Tj ET", "A\U0001f600\n"},
		{"BT /None 10 Tf (gone) Tj /F 10 Tf (here) Tj ET", "here\n"},
		{"(no font) Tj", ""},
		{"BT /F 10 Tf (a) Tj ET BI /W 1 /H 1 ID (q\x01 EIx ) Tj\nEI Q BT /F 10 "
		 "Tf (b) Tj ET",
		 "ab\n"},
		{"BT /#46 10 Tf (n\\141me) Tj <62> Tj ET", "nameb\n"},
		{"/Span <</ActualText (no) /MCID 0>> BDC BT /F 9 Tf (yes) Tj ET EMC",
		 "yes\n"},
	};
	SCOPED(buf_fini) struct buf out = BUF(1000);

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK_STR(text_of(&out, cases[i].content), str_c(cases[i].text));
}

TEST(places_say_where_words_end)
{
	static const struct {
		const char *content, *text;
	} cases[] = {
		/* What stands in place of a space, and what only kerns. */
		{"BT /F 10 Tf [(two)-300(words) -50 (and)20( more)]TJ ET",
		 "two wordsand more\n"},
		/* The same by matrices: "ab" is 10 wide. */
		{"BT /F 10 Tf 1 0 0 1 50 700 Tm (ab) Tj 1 0 0 1 60 700 Tm (cd) Tj ET",
		 "abcd\n"},
		{"BT /F 10 Tf 1 0 0 1 50 700 Tm (ab) Tj 1 0 0 1 63 700 Tm (cd) Tj ET",
		 "ab cd\n"},
		{"BT /F 10 Tf 1 0 0 1 50 700 Tm (ab) Tj 1 0 0 1 60 690 Tm (cd) Tj ET",
		 "ab\ncd\n"},
		/* Raised a little: the same line.  Back: another word. */
		{"BT /F 10 Tf (x) Tj 5 3 Td (2) Tj ET", "x2\n"},
		{"BT /F 10 Tf (abc) Tj 1 0 0 1 0 0 Tm (def) Tj ET", "abc def\n"},
		/* Across what q, cm and BT make of it; upright; in mirror writing. */
		{"q 2 0 0 2 0 0 cm BT /F 10 Tf (ab) Tj ET Q BT /F 10 Tf 20 0 Td (cd) Tj "
		 "ET",
		 "abcd\n"},
		{"BT /F 10 Tf 0 1 -1 0 0 0 Tm (ab) Tj 0 1 -1 0 0 10 Tm (cd) Tj 0 1 -1 0 "
		 "12 0 Tm (ef) Tj ET",
		 "abcd\nef\n"},
		{"q -1 0 0 1 0 0 cm BT /F 10 Tf (ab) Tj 13 0 Td (cd) Tj ET", "ab cd\n"},
		/* The space between letters, words, and the scale count. */
		{"BT /F 10 Tf 5 Tc (ab) Tj 1 0 0 1 20 0 Tm (cd) Tj ET", "abcd\n"},
		{"BT /F 10 Tf 9 Tw (a b) Tj 1 0 0 1 24 0 Tm (cd) Tj ET", "a bcd\n"},
		{"BT /F 10 Tf 200 Tz (ab) Tj 1 0 0 1 20 0 Tm (cd) Tj ET", "abcd\n"},
		/* A font that does not say how wide it is. */
		{"BT /G 10 Tf (ill) Tj 1 0 0 1 8.4 0 Tm (WM) Tj 1 0 0 1 28 0 Tm (W) Tj "
		 "ET",
		 "illWM W\n"},
		/* No double spaces. */
		{"BT /F 10 Tf [(a )-300(b)]TJ ET", "a b\n"},
	};
	SCOPED(buf_fini) struct buf out = BUF(1000);

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK_STR(text_of(&out, cases[i].content), str_c(cases[i].text));
}

TEST(forms_are_shown_and_leave_nothing_behind)
{
	SCOPED(buf_fini) struct buf out = BUF(1000);

	CHECK_STR(text_of(&out, "q BT /F 10 Tf (a) Tj /Y Do (b) Tj ET Q BT (none) Tj ET"),
		  STR("a\ny\nb\n"));
}

TEST(forms_that_show_themselves_end)
{
	SCOPED(buf_fini) struct buf out = BUF(100000);
	struct pdf_text text;
	unsigned shown = 0;

	pdf_text_init(&text, &out, find, show, &shown);
	pdf_text_page(&text, STR("/X Do"));
	CHECK(shown == (1u << PDF_FORMS_DEEP) - 1);
	for (unsigned i = 0; i < 100; i++)
		pdf_text_page(&text, STR("/X Do"));
	CHECK(shown == PDF_FORMS_MAX);
	pdf_text_fini(&text);
}

TEST(content_is_looked_at_as_far_as_the_bounds_go)
{
	SCOPED(buf_fini) struct buf content = BUF(1 << 20), out = BUF(100);
	struct pdf_text text;

	for (unsigned i = 0; i < 1000; i++)
		buf_add_c(&content, "q [[[[[[[[[[[[ ");
	buf_add_c(&content, "]BT /F 10 Tf (end) Tj");
	CHECK_STR(text_of(&out, "[ (never closed) /F 10 Tf"), STR(""));
	pdf_text_init(&text, &out, find, show, NULL);
	pdf_text_page(&text, buf_str(&content));
	text.tokens_left = 4;
	pdf_text_page(&text, STR("BT /F 10 Tf (gone) Tj"));
	CHECK(text.tokens_left == 0);
	CHECK_STR(buf_str(&out), STR(""));
	text.tokens_left = 1000;
	buf_reset(&out);
	for (unsigned i = 0; i < 40; i++)
		pdf_text_page(&text, STR("BT /F 10 Tf (12345) Tj"));
	CHECK(!buf_ok(&out) && out.len == 100);
	pdf_text_fini(&text);
}

TEST(codes_without_text_are_passed_over)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf out = BUF(1000);

	arena_init(&arena, 1 << 20);
	pdf_cmap_parse(&arena, STR("beginbfchar <61> <00480069> endbfchar"), &plain.map);
	CHECK_STR(text_of(&out, "BT /F 10 Tf (a\\001b) Tj ET"), STR("Hib\n"));
	plain.map = (struct pdf_cmap){.count = 0};
}
