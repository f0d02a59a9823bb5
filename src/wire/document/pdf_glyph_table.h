/* What pdf_glyph.c looks up: names of glyphs, and what octets mean in the encodings of
 * ISO 32000-1 Annex D; inside wire/document/ only. */
#pragma once

#include "base/base.h"

struct pdf_glyph_name {
	char name[16];
	uint32_t code;
};

/* In the order of their names. */
extern const struct pdf_glyph_name pdf_glyph_names[];
extern const size_t pdf_glyph_name_count;

extern const uint16_t pdf_standard_high[96];   /* from 0xa0 on; 0 is none */
extern const uint16_t pdf_win_ansi_high[32];   /* from 0x80 on */
extern const uint16_t pdf_mac_roman_high[128]; /* from 0x80 on */
