#include "text/casemap.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/utf8.h"

/* Room is made for a piece at a time, so that a full buffer still holds what fitted. */
static void add_ascii(struct buf *out, struct str text)
{
	size_t len = text.len < out->max - out->len ? text.len : out->max - out->len;
	char *to = len > 0 ? buf_room(out, len) : NULL;

	if (to) {
		for (size_t i = 0; i < len; i++)
			to[i] = ascii_upper(text.ptr[i]);
		buf_grew(out, len);
	}
	if (len < text.len)
		out->failed = true;
}

/* RFC 5051 §2: titlecase, then the decomposition, repeated until there is none. */
static void add_other(struct buf *out, const UNormalizer2 *nfkc, uint32_t code)
{
	UErrorCode error = U_ZERO_ERROR;
	UChar32 title = u_totitle((UChar32)code);
	UChar parts[32];
	int32_t len = unorm2_getDecomposition(nfkc, title, parts, 32, &error);

	if (len < 0 || U_FAILURE(error)) {
		utf8_add(out, (uint32_t)title);
		return;
	}
	char utf8[96];
	int32_t utf8_len = 0;

	u_strToUTF8(utf8, sizeof utf8, &utf8_len, parts, len, &error);
	if (U_SUCCESS(error))
		buf_add(out, (struct str){utf8, (size_t)utf8_len});
}

void casemap_add(struct buf *out, struct str text)
{
	UErrorCode error = U_ZERO_ERROR;
	const UNormalizer2 *nfkc = NULL;
	uint32_t code;

	while (text.len > 0 && !out->failed) {
		size_t ascii = utf8_ascii_len(text);

		add_ascii(out, str_first(text, ascii));
		text = str_skip(text, ascii);
		if (text.len > 0 && !nfkc) {
			nfkc = unorm2_getNFKCInstance(&error);
			ASSERT(U_SUCCESS(error)); /* built into ICU */
		}
		while (text.len > 0 && (unsigned char)text.ptr[0] >= 0x80) {
			(void)utf8_take(&text, &code); /* or the replacement */
			add_other(out, nfkc, code);
		}
	}
}

bool casemap_contains(struct str text, struct str mapped_needle, struct buf *scratch)
{
	buf_reset(scratch);
	casemap_add(scratch, text);
	return mapped_needle.len == 0 ||
	       str_find(buf_str(scratch), mapped_needle) < scratch->len;
}

int casemap_cmp(struct str a, struct str b, struct buf *scratch)
{
	buf_reset(scratch);
	casemap_add(scratch, a);
	size_t len = scratch->len;

	casemap_add(scratch, b);
	struct str both = buf_str(scratch);

	return str_cmp(str_first(both, len), str_skip(both, len));
}
