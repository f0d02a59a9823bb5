#include "wire/document/pdf_cmap.h"

#include "base/test.h"

static struct str text_of(const struct pdf_cmap *cmap, uint32_t code, struct buf *out)
{
	buf_reset(out);
	return pdf_cmap_add(cmap, code, out) ? buf_str(out) : STR("-");
}

TEST(cmaps_say_what_codes_stand_for)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf out = BUF(100);
	struct pdf_cmap cmap;

	arena_init(&arena, 1 << 20);
	pdf_cmap_parse(&arena,
		       STR("/CIDInit /ProcSet findresource begin begincmap\n"
			   "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
			   "2 beginbfrange\n<0020> <007e> <0041>\n"
			   "<0100> <0102> [<0066> <00660069> <D83DDE00>]\nendbfrange\n"
			   "2 beginbfchar\n<0003> <0020>\n<0010> <0041 030A>\n"
			   "endbfchar\nendcmap"),
		       &cmap);
	CHECK(cmap.count == 6);
	CHECK_STR(text_of(&cmap, 0x20, &out), STR("A"));
	CHECK_STR(text_of(&cmap, 0x22, &out), STR("C"));
	CHECK_STR(text_of(&cmap, 0x100, &out), STR("f"));
	CHECK_STR(text_of(&cmap, 0x101, &out), STR("fi"));
	CHECK_STR(text_of(&cmap, 0x102, &out), STR("\U0001f600"));
	CHECK_STR(text_of(&cmap, 0x103, &out), STR("-"));
	CHECK_STR(text_of(&cmap, 0x10, &out), STR("A\u030a"));
	CHECK_STR(text_of(&cmap, 3, &out), STR(" "));
	CHECK_STR(text_of(&cmap, 0, &out), STR("-"));
	CHECK_STR(text_of(&cmap, 0x7f, &out), STR("-"));
}

TEST(what_is_wrong_in_a_cmap_is_passed_over)
{
	static const char *const wrong[] = {
		"beginbfchar <41>",
		"beginbfchar <41> /A endbfchar",
		"beginbfrange <41> <42> endbfrange",
		"beginbfrange <42> <41> <0041>",
		"beginbfchar <0102030405> <0041>",
		"beginbfchar <41> <>",
		"beginbfrange <41> <42> [",
		"beginbfrange <41> <42> [] <43>",
		"beginbfchar <41> <41>",
		"",
	};
	SCOPED(arena_fini) struct arena arena;
	struct pdf_cmap cmap;

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		pdf_cmap_parse(&arena, str_c(wrong[i]), &cmap);
		CHECK(cmap.count == 0);
	}
	pdf_cmap_parse(&arena,
		       STR("beginbfrange <41> <41> [<0031> <0032>]\n"
			   "<42> <42> <0033> endbfrange"),
		       &cmap);
	CHECK(cmap.count == 2);
}

TEST(a_cmap_has_so_many_lines_and_no_more)
{
	SCOPED(buf_fini) struct buf many = BUF(4 << 20);
	SCOPED(arena_fini) struct arena arena;
	struct pdf_cmap cmap;

	arena_init(&arena, 64 << 20);
	buf_add_c(&many, "beginbfchar ");
	for (unsigned i = PDF_CMAP_MAX + 10; i > 0; i--)
		buf_printf(&many, "<%06x> <0041>\n", i);
	pdf_cmap_parse(&arena, buf_str(&many), &cmap);
	CHECK(cmap.count == PDF_CMAP_MAX);
	CHECK(cmap.lines[0].first == 11);
	arena_fini(&arena);
	arena_init(&arena, 64 * 1024);
	pdf_cmap_parse(&arena, buf_str(&many), &cmap);
	CHECK(cmap.count > 0 && cmap.count < PDF_CMAP_MAX);
}

TEST(utf16_is_read_as_far_as_it_goes)
{
	SCOPED(buf_fini) struct buf out = BUF(100);

	pdf_utf16_add(&out, STR("\0A\xd8\x3d\0B\xdc\1\0\0\0C\0"));
	CHECK_STR(buf_str(&out), STR("AB\ufffd"
				     "C"));
}
