#include "wire/document/pdf_cmap.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "wire/document/pdf_token.h"

enum { CODE_BYTES_MAX = 4, TEXT_BYTES_MAX = 64, LINES_FIRST = 256 };

struct reading {
	struct arena *arena;
	struct pdf_cmap *cmap;
	struct str rest;
	size_t room;
};

void pdf_utf16_add(struct buf *out, struct str text)
{
	uint32_t high = 0;

	for (size_t i = 0; i + 1 < text.len; i += 2) {
		uint32_t unit = (uint32_t)(unsigned char)text.ptr[i] << 8 |
				(unsigned char)text.ptr[i + 1];

		if (unit >= 0xdc00 && unit < 0xe000 && high != 0)
			unit = 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
		high = unit >= 0xd800 && unit < 0xdc00 ? unit : 0;
		if (high == 0 && unit != 0)
			utf8_add(out, unit);
	}
}

/* Twice the room when there is none; the arena bounds what is left behind. */
static bool has_room(struct reading *r)
{
	struct pdf_cmap *cmap = r->cmap;

	if (cmap->count == PDF_CMAP_MAX)
		return false;
	if (cmap->count < r->room)
		return true;
	size_t room = r->room > 0 ? 2 * r->room : LINES_FIRST;
	struct pdf_cmap_line *lines = ARENA_ARRAY(r->arena, struct pdf_cmap_line, room);

	if (!lines)
		return false;
	if (cmap->count > 0)
		memcpy(lines, cmap->lines, cmap->count * sizeof *lines);
	cmap->lines = lines;
	r->room = room;
	return true;
}

static void add_line(struct reading *r, uint32_t first, uint32_t last,
		     const struct pdf_token *text)
{
	SCOPED(buf_fini) struct buf octets = BUF(TEXT_BYTES_MAX);
	struct str kept;

	pdf_string_add(&octets, text);
	if (last < first || !buf_ok(&octets) || octets.len < 2 || !has_room(r) ||
	    !arena_copy(r->arena, buf_str(&octets), &kept))
		return;
	r->cmap->lines[r->cmap->count++] = (struct pdf_cmap_line){first, last, kept};
}

/* The next token if it is a string of hexadecimal digits, else it stays. */
static bool take_hex(struct reading *r, struct pdf_token *token)
{
	struct str rest = r->rest;

	if (!pdf_token_take(&rest, token) || token->kind != PDF_HEX)
		return false;
	r->rest = rest;
	return true;
}

static bool take_code(struct reading *r, uint32_t *code)
{
	SCOPED(buf_fini) struct buf octets = BUF(CODE_BYTES_MAX);
	struct pdf_token token;

	if (!take_hex(r, &token))
		return false;
	pdf_string_add(&octets, &token);
	*code = 0;
	for (size_t i = 0; i < octets.len; i++)
		*code = *code << 8 | (unsigned char)octets.ptr[i];
	return buf_ok(&octets);
}

static void take_chars(struct reading *r)
{
	struct pdf_token text;
	uint32_t code;

	while (take_code(r, &code) && take_hex(r, &text))
		add_line(r, code, code, &text);
}

/* "[<text> <text> ...]": one for each code. */
static bool take_each(struct reading *r, uint32_t first, uint32_t last)
{
	struct str rest = r->rest;
	struct pdf_token token;

	if (!pdf_token_take(&rest, &token) || token.kind != PDF_ARRAY_BEGIN)
		return false;
	r->rest = rest;
	for (uint32_t code = first; take_hex(r, &token); code++) {
		if (code <= last && code >= first)
			add_line(r, code, code, &token);
	}
	rest = r->rest;
	if (pdf_token_take(&rest, &token) && token.kind == PDF_ARRAY_END)
		r->rest = rest;
	return true;
}

static void take_ranges(struct reading *r)
{
	struct pdf_token text;
	uint32_t first, last;

	while (take_code(r, &first) && take_code(r, &last)) {
		if (take_hex(r, &text))
			add_line(r, first, last, &text);
		else if (!take_each(r, first, last))
			return;
	}
}

static int compare(const void *a, const void *b)
{
	const struct pdf_cmap_line *one = a, *other = b;

	return (one->first > other->first) - (one->first < other->first);
}

void pdf_cmap_parse(struct arena *arena, struct str bytes, struct pdf_cmap *cmap)
{
	struct reading r = {.arena = arena, .cmap = cmap, .rest = bytes};
	struct pdf_token token;

	*cmap = (struct pdf_cmap){.count = 0};
	while (pdf_token_take(&r.rest, &token)) {
		if (token.kind != PDF_WORD)
			continue;
		if (str_same(token.raw, STR("beginbfchar")))
			take_chars(&r);
		else if (str_same(token.raw, STR("beginbfrange")))
			take_ranges(&r);
	}
	if (cmap->count > 0)
		qsort(cmap->lines, cmap->count, sizeof *cmap->lines, compare);
}

bool pdf_cmap_add(const struct pdf_cmap *cmap, uint32_t code, struct buf *out)
{
	size_t low = 0, high = cmap->count; /* those before low begin at code at most */

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (cmap->lines[middle].first <= code)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || cmap->lines[low - 1].last < code)
		return false;
	const struct pdf_cmap_line *line = &cmap->lines[low - 1];
	char octets[TEXT_BYTES_MAX];
	size_t len = line->text.len & ~(size_t)1;
	uint32_t unit = (uint32_t)(unsigned char)line->text.ptr[len - 2] << 8 |
			(unsigned char)line->text.ptr[len - 1];

	unit += code - line->first;
	memcpy(octets, line->text.ptr, len);
	octets[len - 2] = (char)(unsigned char)(unit >> 8);
	octets[len - 1] = (char)(unsigned char)unit;
	pdf_utf16_add(out, (struct str){octets, len});
	return true;
}
