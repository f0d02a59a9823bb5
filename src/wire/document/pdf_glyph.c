#include "wire/document/pdf_glyph.h"

#include "base/utf8.h"
#include "wire/document/pdf_glyph_table.h"

enum { COMPONENTS_MAX = 8, LAST_CODE = 0x10ffff };

/* ---- encodings --------------------------------------------------------------------- */

bool pdf_encoding_find(struct str name, enum pdf_encoding *encoding)
{
	if (str_same(name, STR("WinAnsiEncoding")))
		*encoding = PDF_WIN_ANSI;
	else if (str_same(name, STR("MacRomanEncoding")))
		*encoding = PDF_MAC_ROMAN;
	else if (str_same(name, STR("StandardEncoding")))
		*encoding = PDF_STANDARD;
	else
		return false;
	return true;
}

static uint32_t standard_code(unsigned char octet)
{
	if (octet == 0x27)
		return 0x2019;
	if (octet == 0x60)
		return 0x2018;
	return octet >= 0xa0 ? pdf_standard_high[octet - 0xa0] : 0;
}

uint32_t pdf_encoding_code(enum pdf_encoding encoding, unsigned char octet)
{
	uint32_t code = 0;

	if (octet < ' ' || octet == 0x7f)
		return 0;
	switch (encoding) {
	case PDF_STANDARD:
		code = standard_code(octet);
		if (octet >= 0x80)
			return code;
		break;
	case PDF_WIN_ANSI:
		if (octet >= 0x80)
			return octet < 0xa0 ? pdf_win_ansi_high[octet - 0x80] : octet;
		break;
	case PDF_MAC_ROMAN:
		if (octet >= 0x80)
			return pdf_mac_roman_high[octet - 0x80];
		break;
	}
	return code != 0 ? code : octet;
}

/* ---- names ------------------------------------------------------------------------- */

static bool hex_parse(struct str s, uint32_t *code)
{
	*code = 0;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool is_digit = is_ascii_digit((unsigned char)c);

		if (!is_digit && (c < 'A' || c > 'F'))
			return false;
		*code = *code << 4 | (uint32_t)(is_digit ? c - '0' : c - 'A' + 10);
	}
	return true;
}

static bool code_add(struct buf *out, uint32_t code)
{
	if (code < ' ' || code > LAST_CODE || (code >= 0xd800 && code < 0xe000))
		return false;
	utf8_add(out, code);
	return true;
}

/* "uni20AC", also several of four digits; "u1F600". */
static bool unicode_add(struct buf *out, struct str name)
{
	struct str digits = str_skip(name, 3);
	uint32_t code;

	if (str_starts(name, STR("uni")) && digits.len >= 4 && digits.len % 4 == 0) {
		for (; digits.len > 0; digits = str_skip(digits, 4)) {
			if (!hex_parse(str_first(digits, 4), &code) ||
			    !code_add(out, code))
				return false;
		}
		return true;
	}
	digits = str_skip(name, 1);
	return str_starts(name, STR("u")) && digits.len >= 4 && digits.len <= 6 &&
	       hex_parse(digits, &code) && code_add(out, code);
}

/* In the table. */
static bool known_add(struct buf *out, struct str name)
{
	size_t low = 0, high = pdf_glyph_name_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = str_cmp(name, str_c(pdf_glyph_names[middle].name));

		if (order == 0)
			return code_add(out, pdf_glyph_names[middle].code);
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* "eacute", "alphatonos": the letter, and the accent behind it. */
static bool accented_add(struct buf *out, struct str name)
{
	static const struct {
		const char *name;
		uint16_t code;
	} accents[] = {
		{"grave", 0x300},       {"acute", 0x301},        {"circumflex", 0x302},
		{"tilde", 0x303},       {"macron", 0x304},       {"breve", 0x306},
		{"dotaccent", 0x307},   {"dot", 0x307},          {"dieresis", 0x308},
		{"ring", 0x30a},        {"hungarumlaut", 0x30b}, {"caron", 0x30c},
		{"commaaccent", 0x327}, {"cedilla", 0x327},      {"ogonek", 0x328},
		{"tonos", 0x301},
	};

	for (size_t i = 0; i < COUNT_OF(accents); i++) {
		struct str accent = str_c(accents[i].name);

		if (name.len <= accent.len || !str_ends(name, accent))
			continue;
		struct str letter = str_first(name, name.len - accent.len);

		if (letter.len == 1)
			utf8_add(out, (unsigned char)letter.ptr[0]);
		else if (!known_add(out, letter))
			continue;
		utf8_add(out, accents[i].code);
		return true;
	}
	return false;
}

/* "afii10017" to "afii10097": the letters of Russian as Adobe numbers them. */
static bool cyrillic_add(struct buf *out, struct str name)
{
	uint32_t number = 0;

	if (!str_starts(name, STR("afii10")) || name.len != 9)
		return false;
	for (size_t i = 6; i < 9; i++) {
		if (!is_ascii_digit((unsigned char)name.ptr[i]))
			return false;
		number = number * 10 + (uint32_t)(name.ptr[i] - '0');
	}
	if (number >= 17 && number <= 49) /* the seventh is Io */
		return code_add(out, number == 23  ? 0x401
				     : number < 23 ? 0x410 + number - 17
						   : 0x410 + number - 18);
	if (number >= 65 && number <= 97)
		return code_add(out, number == 71  ? 0x451
				     : number < 71 ? 0x430 + number - 65
						   : 0x430 + number - 66);
	return false;
}

static bool component_add(struct buf *out, struct str name)
{
	if (name.len == 1)
		return code_add(out, (unsigned char)name.ptr[0]);
	return known_add(out, name) || accented_add(out, name) ||
	       cyrillic_add(out, name) || unicode_add(out, name);
}

bool pdf_glyph_add(struct buf *out, struct str name)
{
	size_t start = out->len;
	bool is_known = true;

	name = str_first(name, str_find_byte(name, '.'));
	for (size_t i = 0; name.len > 0 && is_known && i < COMPONENTS_MAX; i++)
		is_known = component_add(out, str_cut(&name, '_'));
	is_known &= out->len > start;
	if (!is_known)
		buf_cut(out, start);
	return is_known;
}
