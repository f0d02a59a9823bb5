#include "extractd/document.h"

#include <zlib.h>

#include "base/codec.h"
#include "base/test.h"
#include "base/utf8.h"

enum { ARCHIVE_MAX = 80 << 20 };

/* ---- archives ---------------------------------------------------------------------- */

struct file {
	const char *name;
	struct str plain;
};

static struct str packed(struct buf *out, struct str plain)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)plain.ptr,
		      .avail_in = (uInt)plain.len};

	buf_reset(out);
	CHECK(deflateInit2(&z, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	uLong most = deflateBound(&z, plain.len);

	z.next_out = (Bytef *)buf_room(out, most);
	z.avail_out = (uInt)most;
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	buf_grew(out, z.total_out);
	CHECK(deflateEnd(&z) == Z_OK);
	return buf_str(out);
}

static void add_common(struct buf *out, const struct file *file, struct str octets)
{
	enc_u16(out, 0);
	enc_u16(out, 8);
	enc_u32(out, 0);
	enc_u32(out, 0); /* the sum, which nobody looks at */
	enc_u32(out, (uint32_t)octets.len);
	enc_u32(out, (uint32_t)file->plain.len);
	enc_u16(out, (uint16_t)strlen(file->name));
	enc_u16(out, 0);
}

static void make(struct buf *out, const struct file *files, size_t count)
{
	SCOPED(buf_fini) struct buf room = BUF(ARCHIVE_MAX);
	uint32_t places[8];

	buf_reset(out);
	for (size_t i = 0; i < count; i++) {
		struct str octets = packed(&room, files[i].plain);

		places[i] = (uint32_t)out->len;
		buf_add(out, STR("PK\3\4"));
		enc_u16(out, 20);
		add_common(out, &files[i], octets);
		buf_add_c(out, files[i].name);
		buf_add(out, octets);
	}
	uint32_t directory = (uint32_t)out->len;

	for (size_t i = 0; i < count; i++) {
		buf_add(out, STR("PK\1\2"));
		enc_u32(out, 20);
		add_common(out, &files[i], packed(&room, files[i].plain));
		enc_u16(out, 0);
		enc_u64(out, 0);
		enc_u32(out, places[i]);
		buf_add_c(out, files[i].name);
	}
	buf_add(out, STR("PK\5\6\0\0\0\0"));
	enc_u16(out, (uint16_t)count);
	enc_u16(out, (uint16_t)count);
	enc_u32(out, (uint32_t)out->len - directory);
	enc_u32(out, directory);
	enc_u16(out, 0);
}

static enum extract_outcome text_of_file(const char *name, struct str plain,
					 struct buf *text)
{
	SCOPED(buf_fini) struct buf archive = BUF(ARCHIVE_MAX);
	const struct file file = {name, plain};

	make(&archive, &file, 1);
	buf_reset(text);
	return document_text(buf_str(&archive), text);
}

TEST(the_text_of_office_files_is_found)
{
	static const struct {
		const char *name, *xml, *text;
	} cases[] = {
		{"word/document.xml",
		 "<w:document xmlns:w='w'><w:body><w:p><w:r><w:t>Hel</w:t></w:r><w:r>"
		 "<w:t>lo &amp; more</w:t><w:tab/><w:t>x</w:t><w:br/><w:delText>no"
		 "</w:delText><w:t>y</w:t></w:r></w:p><w:p/><w:p><w:instrText>PAGE"
		 "</w:instrText><w:t>z</w:t></w:p></w:body></w:document>",
		 "Hello & more x\ny\nz\n"},
		{"xl/sharedStrings.xml",
		 "<sst><si><t>one</t></si><si><r><t>t</t></r><r><t>wo</t></r><rPh><t>no"
		 "</t></rPh></si></sst>",
		 "one\ntwo\n"},
		{"xl/worksheets/sheet1.xml",
		 "<worksheet><row><c t='s'><v>17</v></c><c><f>A1</f><v>42.5</v></c><c "
		 "r='C1' t='str'><v>made</v></c><c t='inlineStr'><is><t>in line</t>"
		 "</is></c></row></worksheet>",
		 "42.5\nmade\nin line\n"},
		{"ppt/slides/slide12.xml",
		 "<p:sld xmlns:p='p' xmlns:a='a'><a:p><a:r><a:t>Title</a:t></a:r></a:p>"
		 "<a:p><a:r><a:t>Point</a:t></a:r></a:p></p:sld>",
		 "Title\nPoint\n"},
		{"content.xml",
		 "<o:d xmlns:o='o' xmlns:text='t'>no<text:h>Head</text:h><text:tracked-"
		 "changes><text:p>gone</text:p></text:tracked-changes><text:p>a<text:s/>"
		 "b<text:span>c</text:span><text:tab/>d\n e<text:line-break/>f</text:p>"
		 "</o:d>",
		 "Head\na bc d  e\nf\n"},
	};
	SCOPED(buf_fini) struct buf text = BUF(1000);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CHECK(text_of_file(cases[i].name, str_c(cases[i].xml), &text) ==
		      EXTRACT_TEXT);
		CHECK_STR(buf_str(&text), str_c(cases[i].text));
	}
}

TEST(other_files_have_no_text)
{
	SCOPED(buf_fini) struct buf text = BUF(1000);

	CHECK(text_of_file("readme.txt", STR("<t>x</t>"), &text) == EXTRACT_NONE);
	CHECK(text_of_file("word/media/word.png", STR("x"), &text) == EXTRACT_NONE);
	CHECK(document_text(STR("GIF89a"), &text) == EXTRACT_NONE);
	CHECK(document_text(STR(""), &text) == EXTRACT_NONE);
	CHECK(document_text(STR("PK\3\4 and nothing"), &text) == EXTRACT_NONE);
	CHECK(document_text(STR("%PDF-1.4 and nothing"), &text) == EXTRACT_NONE);
	CHECK(text.len == 0);
}

/* Entities are not even declared: a document type ends it. */
TEST(entities_are_not_followed)
{
	SCOPED(buf_fini) struct buf text = BUF(1000);

	CHECK(text_of_file("word/document.xml",
			   STR("<!DOCTYPE d [<!ENTITY a SYSTEM 'file:///etc/passwd'>"
			       "<!ENTITY b '&a;&a;'>]><d><p><t>x&b;</t></p></d>"),
			   &text) == EXTRACT_TEXT);
	CHECK(text.len == 0);
	CHECK(text_of_file("word/document.xml", STR("<d><p><t>x&b;y</t></p></d>"),
			   &text) == EXTRACT_TEXT);
	CHECK(str_find(buf_str(&text), STR("root")) == text.len);
}

TEST(what_was_found_before_the_damage_counts)
{
	SCOPED(buf_fini) struct buf text = BUF(1000);

	CHECK(text_of_file("word/document.xml", STR("<d><p><t>kept</t></p><p><t"),
			   &text) == EXTRACT_TEXT);
	CHECK_STR(buf_str(&text), STR("kept\n"));
	CHECK(text_of_file("word/document.xml", STR("not XML at all"), &text) ==
	      EXTRACT_TEXT);
	CHECK(text.len == 0);
}

/* 256 MB of XML in a few hundred KB, whose text stands at the end: the front of it is
 * looked at, in bounded memory. */
TEST(an_archive_bomb_costs_no_more_than_its_bound)
{
	SCOPED(buf_fini) struct buf plain = BUF(70 << 20), text = BUF(1 << 20);

	buf_add_c(&plain, "<d><p><t>front</t></p>");
	while (plain.len < (66u << 20))
		buf_add(&plain, STR("                                                "
				    "                "));
	buf_add_c(&plain, "<p><t>end</t></p></d>");
	CHECK(text_of_file("word/document.xml", buf_str(&plain), &text) == EXTRACT_TEXT);
	CHECK_STR(buf_str(&text), STR("front\n"));
	buf_reset(&plain);
	for (unsigned i = 0; i < 100000; i++) /* far beyond the depth that is read */
		buf_add_c(&plain, "<p>");
	CHECK(text_of_file("word/document.xml", buf_str(&plain), &text) == EXTRACT_TEXT);
	buf_fini(&text);
	text = BUF(100);
	buf_reset(&plain);
	buf_add_c(&plain, "<d>");
	for (unsigned i = 0; i < 10000; i++)
		buf_add_c(&plain, "<p><t>0123456789</t></p>");
	CHECK(text_of_file("word/document.xml", buf_str(&plain), &text) == EXTRACT_TEXT);
	CHECK(text.len > 80 && text.len <= 100);
}

/* ---- PDF --------------------------------------------------------------------------- */

static enum extract_outcome text_of_pdf(struct buf *text, const char *objects,
					const char *content)
{
	SCOPED(buf_fini) struct buf pdf = BUF(ARCHIVE_MAX);

	/* Without its table, which the library makes again. */
	buf_printf(&pdf,
		   "%%PDF-1.4\n1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj\n"
		   "2 0 obj <</Type /Pages /Kids [3 0 R] /Count 1 /Resources "
		   "<</Font <</F1 5 0 R>> /XObject <</X 6 0 R>>>>>> endobj\n"
		   "3 0 obj <</Type /Page /Parent 2 0 R /Contents 4 0 R>> endobj\n"
		   "4 0 obj <</Length %zu>> stream\n%s\nendstream endobj\n%s\n"
		   "trailer <</Root 1 0 R>>\n%%%%EOF\n",
		   strlen(content), content, objects);
	buf_reset(text);
	return document_text(buf_str(&pdf), text);
}

TEST(the_text_of_a_pdf_is_found_with_all_kinds_of_fonts)
{
	static const struct {
		const char *objects, *content, *text;
	} cases[] = {
		{"5 0 obj <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>> endobj",
		 "BT /F1 12 Tf (Hello) Tj 0 -14 Td (World\\256) Tj ET",
		 "Hello\nWorldﬁ\n"},
		{"5 0 obj <</Type /Font /Subtype /Type1 /Encoding /WinAnsiEncoding>> "
		 "endobj",
		 "BT /F1 12 Tf (Gr\\374\\337e \\200) Tj ET", "Grüße €\n"},
		{"5 0 obj <</Type /Font /Subtype /TrueType>> endobj",
		 "BT /F1 12 Tf (\\344) Tj ET", "ä\n"},
		{"5 0 obj <</Type /Font /Subtype /Type1 /Encoding <</BaseEncoding "
		 "/MacRomanEncoding /Differences [1 /fi /uni20AC 65 /Omega]>>>> endobj",
		 "BT /F1 12 Tf (\\001\\002AB\\212) Tj ET", "ﬁ€ΩBä\n"},
		{"5 0 obj <</Type /Font /Subtype /Type1 /FirstChar 97 /Widths [1000 1000 "
		 "200]>> endobj",
		 "BT /F1 10 Tf 1 0 0 1 0 0 Tm (ab) Tj 1 0 0 1 20 0 Tm (c) Tj 1 0 0 1 30 "
		 "0 "
		 "Tm (c) Tj ET",
		 "abc c\n"},
		{"5 0 obj <</Type /Font /Subtype /Type3 /FontMatrix [.01 0 0 .01 0 0] "
		 "/FirstChar 97 /Widths [100] /Encoding <</Differences [97 /A]>>>> "
		 "endobj",
		 "BT /F1 10 Tf 1 0 0 1 0 0 Tm (a) Tj 1 0 0 1 10 0 Tm (a) Tj ET", "AA\n"},
		{"5 0 obj <</Type /Font /Subtype /Type0 /Encoding /Identity-H /ToUnicode "
		 "7 "
		 "0 R /DescendantFonts [<</DW 500 /W [1 [1000 2000] 3 4 300]>>]>> "
		 "endobj\n"
		 "7 0 obj <</Length 66>> stream\n1 beginbfrange <0001> <0003> <0061> "
		 "endbfrange                   \nendstream endobj",
		 "BT /F1 10 Tf 1 0 0 1 0 0 Tm <00010002> Tj 1 0 0 1 30 0 Tm <00030004> "
		 "Tj "
		 "1 0 0 1 36 0 Tm <0001> Tj ET",
		 "abca\n"},
		{"5 0 obj <</Type /Font /Subtype /Type0 /Encoding /UniJIS-UCS2-H "
		 "/DescendantFonts [<<>>]>> endobj",
		 "BT /F1 10 Tf <65e5672c8a9e> Tj ET", "日本語\n"},
		{"5 0 obj <</Type /Font /Subtype /Type1>> endobj\n6 0 obj <</Subtype "
		 "/Form "
		 "/Length 25 /Matrix [1 0 0 1 5 5]>> stream\nBT /F1 9 Tf (form) Tj ET  "
		 "\nendstream endobj",
		 "/X Do", "form\n"},
		{"5 0 obj (no font) endobj",
		 "BT /F1 12 Tf (x) Tj /F2 1 Tf (y) Tj ET /X Do", ""},
	};
	SCOPED(buf_fini) struct buf text = BUF(1000);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CHECK(text_of_pdf(&text, cases[i].objects, cases[i].content) ==
		      EXTRACT_TEXT);
		CHECK_STR(buf_str(&text), str_c(cases[i].text));
	}
}

/* Forms that show each other, pages that are their own parents, and the like. */
TEST(a_pdf_that_leads_in_circles_ends)
{
	SCOPED(buf_fini) struct buf text = BUF(1 << 20);

	CHECK(text_of_pdf(&text,
			  "5 0 obj <</Type /Font /Subtype /Type1>> endobj\n6 0 obj <<"
			  "/Subtype /Form /Length 42>> stream\nBT /F1 9 Tf (form) Tj ET "
			  "/X Do /X Do /X Do\nendstream endobj",
			  "/X Do /X Do") == EXTRACT_TEXT);
	CHECK(str_starts(buf_str(&text), STR("form")));
	CHECK(document_text(STR("%PDF-1.4\n1 0 obj <</Type /Catalog /Pages 2 0 R>> "
				"endobj\n2 0 obj <</Type /Pages /Kids [2 0 R 1 0 R] "
				"/Parent 2 0 R /Count 9>> endobj\ntrailer <</Root 1 0 R "
				">>"),
			    &text) == EXTRACT_TEXT);
	CHECK(document_text(STR("%PDF-1.4\n1 0 obj 1 0 R endobj\n2 0 obj <</Type /Page "
				"/Contents 3 0 R /Parent 2 0 R>> endobj\n3 0 obj 3 0 R "
				"endobj\ntrailer <</Root 1 0 R /Prev 0>>"),
			    &text) != EXTRACT_LATER);
}
