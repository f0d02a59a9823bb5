#include <math.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/utf8.h"
#include "extractd/pdf_file.h"
#include "wire/document/pdf_glyph.h"

enum {
	SIMPLE_CODES = 256,
	WIDE_CODES = 65536,
	MAP_BYTES_MAX = 4 << 20,
	GLYPH_BYTES_MAX = 64,
};

/* Arrays are looked at for so long, in all fonts together. */
static bool spend(struct pdf_file *file)
{
	if (file->items_left == 0)
		return false;
	file->items_left--;
	return true;
}

static uint16_t width_of(double width)
{
	if (!(width > 0))
		return 0;
	return width < UINT16_MAX ? (uint16_t)width : UINT16_MAX;
}

/* ---- simple fonts: §9.6 ------------------------------------------------------------ */

static void set_text(struct pdf_file *file, struct pdf_font *font, int code,
		     const struct buf *text)
{
	if (code >= 0 && code < SIMPLE_CODES &&
	    !arena_copy(&file->arena, buf_str(text), &font->text[code]))
		font->text[code] = STR("");
}

static void set_encoding(struct pdf_file *file, struct pdf_font *font,
			 enum pdf_encoding encoding)
{
	for (int code = 0; code < SIMPLE_CODES; code++) {
		SCOPED(buf_fini) struct buf text = BUF(8);
		uint32_t found = pdf_encoding_code(encoding, (unsigned char)code);

		if (found != 0)
			utf8_add(&text, found);
		set_text(file, font, code, &text);
	}
}

/* §9.6.6.1: "39 /quotesingle 96 /grave /a ..." */
static void set_differences(struct pdf_file *file, struct pdf_font *font, qpdf_oh array)
{
	int count = qpdf_oh_get_array_n_items(file->qpdf, array), code = 0;

	for (int i = 0; i < count && spend(file); i++) {
		qpdf_oh item = qpdf_oh_get_array_item(file->qpdf, array, i);
		SCOPED(buf_fini) struct buf text = BUF(GLYPH_BYTES_MAX);

		if (qpdf_oh_is_integer(file->qpdf, item)) {
			code = qpdf_oh_get_int_value_as_int(file->qpdf, item);
		} else if (code < SIMPLE_CODES) {
			(void)pdf_glyph_add(&text, pdf_name(file, item)); /* "" else */
			set_text(file, font, code, &text);
			code++;
		}
		qpdf_oh_release(file->qpdf, item);
	}
}

/* What a font has of its own, and is not in the file in words, is taken to be what most
 * have: §9.6.6.2. */
static void read_encoding(struct pdf_file *file, struct pdf_font *font, qpdf_oh object,
			  bool is_true_type)
{
	qpdf_oh encoding = pdf_key(file, object, "/Encoding");
	qpdf_oh base = pdf_key(file, encoding, "/BaseEncoding");
	qpdf_oh differences = pdf_key(file, encoding, "/Differences");
	enum pdf_encoding found = is_true_type ? PDF_WIN_ANSI : PDF_STANDARD;

	if (!pdf_encoding_find(pdf_name(file, encoding), &found))
		(void)pdf_encoding_find(pdf_name(file, base), &found); /* or the usual */
	set_encoding(file, font, found);
	if (qpdf_oh_is_array(file->qpdf, differences))
		set_differences(file, font, differences);
	qpdf_oh_release(file->qpdf, encoding);
	qpdf_oh_release(file->qpdf, base);
	qpdf_oh_release(file->qpdf, differences);
}

static void read_widths(struct pdf_file *file, struct pdf_font *font, qpdf_oh object,
			double unit)
{
	qpdf_oh array = pdf_key(file, object, "/Widths");
	double first = pdf_number(file, object, "/FirstChar", 0);
	uint16_t *widths = ARENA_ARRAY(&file->arena, uint16_t, SIMPLE_CODES);

	if (widths && qpdf_oh_is_array(file->qpdf, array) && first >= 0 &&
	    first < SIMPLE_CODES) {
		int count = qpdf_oh_get_array_n_items(file->qpdf, array);

		for (int i = 0; i < count && i + (int)first < SIMPLE_CODES; i++)
			widths[i + (int)first] =
				width_of(pdf_item(file, array, i, 0) * unit);
		font->widths = widths;
		font->width_count = SIMPLE_CODES;
	}
	qpdf_oh_release(file->qpdf, array);
}

/* Of a Type 3 font, whose glyphs have a space of their own: §9.6.5. */
static double unit_of(struct pdf_file *file, qpdf_oh object)
{
	qpdf_oh matrix = pdf_key(file, object, "/FontMatrix");
	double unit = fabs(pdf_item(file, matrix, 0, 0.001)) * 1000;

	qpdf_oh_release(file->qpdf, matrix);
	return unit;
}

/* ---- composite fonts: §9.7 --------------------------------------------------------- */

/* §9.7.4.3: "first [w w ...]" and "first last w". */
static void read_wide_widths(struct pdf_file *file, struct pdf_font *font, qpdf_oh array)
{
	int count = qpdf_oh_get_array_n_items(file->qpdf, array);
	uint16_t *widths = ARENA_ARRAY(&file->arena, uint16_t, WIDE_CODES);

	if (!widths)
		return;
	for (size_t i = 0; i < WIDE_CODES; i++)
		widths[i] = font->width_else;
	font->widths = widths;
	font->width_count = WIDE_CODES;
	for (int i = 0; i + 1 < count && spend(file);) {
		double first = pdf_item(file, array, i, -1);
		qpdf_oh next = qpdf_oh_get_array_item(file->qpdf, array, i + 1);
		bool is_list = qpdf_oh_is_array(file->qpdf, next);
		double last =
			is_list ? first + qpdf_oh_get_array_n_items(file->qpdf, next) - 1
				: pdf_item(file, array, i + 1, -1);
		double width = is_list ? 0 : pdf_item(file, array, i + 2, 0);

		for (double code = first;
		     first >= 0 && code <= last && code < WIDE_CODES && spend(file);
		     code++)
			widths[(size_t)code] = width_of(
				is_list ? pdf_item(file, next, (int)(code - first), 0)
					: width);
		i += is_list ? 2 : 3;
		qpdf_oh_release(file->qpdf, next);
	}
}

static void read_composite(struct pdf_file *file, struct pdf_font *font, qpdf_oh object)
{
	qpdf_oh list = pdf_key(file, object, "/DescendantFonts");
	qpdf_oh inner = qpdf_oh_get_array_item(file->qpdf, list, 0);
	qpdf_oh encoding = pdf_key(file, object, "/Encoding");
	qpdf_oh widths = pdf_key(file, inner, "/W");
	struct str name = pdf_name(file, encoding);

	font->is_wide = true;
	font->is_utf16 = str_starts(name, STR("Uni")) &&
			 (str_find(name, STR("-UCS2-")) < name.len ||
			  str_find(name, STR("-UTF16-")) < name.len);
	font->width_else = width_of(pdf_number(file, inner, "/DW", 1000));
	/* Widths go by glyphs, which codes are where they are not characters. */
	if (!font->is_utf16 && qpdf_oh_is_array(file->qpdf, widths))
		read_wide_widths(file, font, widths);
	qpdf_oh_release(file->qpdf, list);
	qpdf_oh_release(file->qpdf, inner);
	qpdf_oh_release(file->qpdf, encoding);
	qpdf_oh_release(file->qpdf, widths);
}

/* ---- any font ---------------------------------------------------------------------- */

static void read_font(struct pdf_file *file, struct pdf_font *font, qpdf_oh object)
{
	qpdf_oh map = pdf_key(file, object, "/ToUnicode");
	qpdf_oh type = pdf_key(file, object, "/Subtype");
	struct str name = pdf_name(file, type);
	bool is_composite = str_same(name, STR("Type0"));
	bool is_true_type = str_same(name, STR("TrueType"));
	bool has_matrix = str_same(name, STR("Type3"));
	SCOPED(buf_fini) struct buf octets = BUF(MAP_BYTES_MAX);

	if (pdf_stream(file, map, &octets))
		pdf_cmap_parse(&file->arena, buf_str(&octets), &font->map);
	if (is_composite) {
		read_composite(file, font, object);
		font->is_utf16 &= font->map.count == 0;
	} else {
		read_encoding(file, font, object, is_true_type);
		read_widths(file, font, object, has_matrix ? unit_of(file, object) : 1);
	}
	qpdf_oh_release(file->qpdf, map);
	qpdf_oh_release(file->qpdf, type);
}

const struct pdf_font *pdf_font_load(struct pdf_file *file, qpdf_oh object)
{
	int number = qpdf_oh_get_object_id(file->qpdf, object);
	int generation = qpdf_oh_get_generation(file->qpdf, object);

	for (size_t i = 0; i < file->font_count && number > 0; i++) {
		if (file->fonts[i].object == number &&
		    file->fonts[i].generation == generation)
			return file->fonts[i].font;
	}
	if (file->font_count == PDF_FONTS_MAX ||
	    !qpdf_oh_is_dictionary(file->qpdf, object))
		return NULL;
	struct pdf_font *font = ARENA_NEW(&file->arena, struct pdf_font);

	if (!font)
		return NULL;
	read_font(file, font, object);
	file->fonts[file->font_count].object = number;
	file->fonts[file->font_count].generation = generation;
	file->fonts[file->font_count++].font = font;
	return font;
}
