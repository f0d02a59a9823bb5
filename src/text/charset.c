#include "text/charset.h"

#include <unicode/ucnv.h>

#include "base/utf8.h"

enum kind { KIND_UTF8, KIND_ASCII, KIND_1252, KIND_ICU, KIND_UNKNOWN };

/* Names that are ours, or that mean another charset than ICU thinks.  WHATWG Encoding
 * §4.2, and what mail adds. */
static const struct {
	const char *name;
	enum kind kind;
	const char *icu;
} aliases[] = {
	{"utf-8", KIND_UTF8, NULL},
	{"utf8", KIND_UTF8, NULL},
	{"unicode-1-1-utf-8", KIND_UTF8, NULL},
	{"us-ascii", KIND_ASCII, NULL},
	{"ascii", KIND_ASCII, NULL},
	{"ansi_x3.4-1968", KIND_ASCII, NULL},
	{"iso646-us", KIND_ASCII, NULL},
	{"iso-8859-1", KIND_1252, NULL},
	{"iso8859-1", KIND_1252, NULL},
	{"iso_8859-1", KIND_1252, NULL},
	{"latin1", KIND_1252, NULL},
	{"l1", KIND_1252, NULL},
	{"windows-1252", KIND_1252, NULL},
	{"cp1252", KIND_1252, NULL},
	{"cp-1252", KIND_1252, NULL},
	{"x-cp1252", KIND_1252, NULL},
	{"ansi", KIND_1252, NULL},
	{"iso-8859-8-i", KIND_ICU, "iso-8859-8"},
	{"iso-8859-8-e", KIND_ICU, "iso-8859-8"},
	{"iso-8859-9", KIND_ICU, "windows-1254"},
	{"iso-8859-11", KIND_ICU, "windows-874-2000"},
	{"tis-620", KIND_ICU, "windows-874-2000"},
	{"gb2312", KIND_ICU, "gb18030"},
	{"gbk", KIND_ICU, "gb18030"},
	{"x-gbk", KIND_ICU, "gb18030"},
	{"euc-cn", KIND_ICU, "gb18030"},
	{"cp936", KIND_ICU, "gb18030"},
	{"shift_jis", KIND_ICU, "windows-31j"},
	{"shift-jis", KIND_ICU, "windows-31j"},
	{"sjis", KIND_ICU, "windows-31j"},
	{"x-sjis", KIND_ICU, "windows-31j"},
	{"ks_c_5601-1987", KIND_ICU, "windows-949-2000"},
	{"euc-kr", KIND_ICU, "windows-949-2000"},
	{"unicode-1-1-utf-7", KIND_ICU, "utf-7"},
	{"utf-16", KIND_ICU, "utf-16"},
	{"unicode", KIND_ICU, "utf-16"},
	{"default", KIND_UNKNOWN, NULL},
	{"x-unknown", KIND_UNKNOWN, NULL},
	{"unknown-8bit", KIND_UNKNOWN, NULL},
};

/* windows-1252 from 0x80 to 0x9f; the five it lacks are the control characters. */
static const uint16_t high_1252[32] = {
	0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021,
	0x2c6,  0x2030, 0x160,  0x2039, 0x152,  0x8d,   0x17d,  0x8f,
	0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178,
};

enum { NAME_MAX_BYTES = 64, CACHE_SIZE = 8 };

/* The converters this thread opened, and, with NULL, the names it could not open. */
static _Thread_local struct {
	char name[NAME_MAX_BYTES];
	UConverter *converter;
} cache[CACHE_SIZE];
static _Thread_local size_t cache_next;

void charset_forget(void)
{
	for (size_t i = 0; i < CACHE_SIZE; i++) {
		ucnv_close(cache[i].converter);
		cache[i].converter = NULL;
		cache[i].name[0] = '\0';
	}
}

/* ICU's converter of that name, or NULL if it has none.  A name that is not in its table
 * is not tried: mail may hold very many, and each would be looked for as a file. */
static UConverter *converter_of(const char *name)
{
	UErrorCode error = U_ZERO_ERROR;

	for (size_t i = 0; i < CACHE_SIZE; i++)
		if (strcmp(cache[i].name, name) == 0)
			return cache[i].converter;
	size_t at = cache_next++ % CACHE_SIZE;

	ucnv_close(cache[at].converter);
	memcpy(cache[at].name, name, strlen(name) + 1);
	cache[at].converter = NULL;
	if (ucnv_countAliases(name, &error) > 0)
		cache[at].converter = ucnv_open(name, &error);
	if (U_FAILURE(error))
		cache[at].converter = NULL;
	return cache[at].converter;
}

/* What the name means; *converter is set for KIND_ICU. */
static enum kind kind_of(struct str charset, UConverter **converter)
{
	char name[NAME_MAX_BYTES];
	struct str trimmed = str_trim(charset);

	if (trimmed.len == 0 || trimmed.len >= sizeof name)
		return KIND_UNKNOWN;
	for (size_t i = 0; i < trimmed.len; i++) {
		char c = ascii_lower(trimmed.ptr[i]);

		/* ICU gives "," and "=" a meaning of its own. */
		if (c <= 32 || c > 126 || c == ',' || c == '=')
			return KIND_UNKNOWN;
		name[i] = c;
	}
	name[trimmed.len] = '\0';
	const char *icu_name = name;

	for (size_t i = 0; i < COUNT_OF(aliases); i++) {
		if (strcmp(aliases[i].name, name) != 0)
			continue;
		if (aliases[i].kind != KIND_ICU)
			return aliases[i].kind;
		icu_name = aliases[i].icu;
		break;
	}
	*converter = converter_of(icu_name);
	return *converter ? KIND_ICU : KIND_UNKNOWN;
}

bool charset_is_known(struct str charset)
{
	UConverter *converter;

	return kind_of(charset, &converter) != KIND_UNKNOWN;
}

static void add_1252(struct buf *out, struct str bytes)
{
	while (bytes.len > 0 && !out->failed) {
		size_t ascii = utf8_ascii_len(bytes);

		buf_add(out, str_first(bytes, ascii));
		bytes = str_skip(bytes, ascii);
		if (bytes.len == 0)
			break;
		unsigned char c = (unsigned char)bytes.ptr[0];

		utf8_add(out, c < 0xa0 ? high_1252[c - 0x80] : c);
		bytes = str_skip(bytes, 1);
	}
}

/* Text whose charset nobody told, or told wrongly. */
static enum charset_result add_guessed(struct buf *out, struct str bytes)
{
	if (utf8_valid(bytes))
		buf_add(out, bytes);
	else
		add_1252(out, bytes);
	return CHARSET_GUESSED;
}

static bool add_utf16(struct buf *out, const UChar *text, size_t len, uint32_t *high)
{
	bool whole = true;

	for (size_t i = 0; i < len; i++) {
		uint32_t c = text[i];

		if (c >= 0xd800 && c < 0xdc00) {
			*high = c;
			continue;
		}
		if (c >= 0xdc00 && c < 0xe000 && *high)
			c = 0x10000 + ((*high - 0xd800) << 10) + (c - 0xdc00);
		*high = 0;
		whole = whole && c != UTF8_REPLACEMENT;
		utf8_add(out, c);
	}
	return whole;
}

static enum charset_result add_icu(struct buf *out, UConverter *converter,
				   struct str bytes)
{
	const char *from = bytes.ptr, *end = bytes.ptr + bytes.len;
	UErrorCode error = U_ZERO_ERROR;
	uint32_t high = 0;
	bool whole = true;

	ucnv_resetToUnicode(converter);
	do {
		UChar chunk[512], *to = chunk;

		error = U_ZERO_ERROR;
		ucnv_toUnicode(converter, &to, chunk + COUNT_OF(chunk), &from, end, NULL,
			       true, &error);
		whole &= add_utf16(out, chunk, (size_t)(to - chunk), &high);
	} while (error == U_BUFFER_OVERFLOW_ERROR && !out->failed);
	return whole && U_SUCCESS(error) ? CHARSET_EXACT : CHARSET_REPAIRED;
}

enum charset_result charset_add_utf8(struct buf *out, struct str charset,
				     struct str bytes)
{
	UConverter *converter = NULL;

	if (bytes.len == 0)
		return CHARSET_EXACT;
	switch (kind_of(charset, &converter)) {
	case KIND_UTF8:
		if (utf8_add_repaired(out, bytes))
			return CHARSET_EXACT;
		return CHARSET_REPAIRED;
	case KIND_1252:
		add_1252(out, bytes);
		return CHARSET_EXACT;
	case KIND_ICU:
		return add_icu(out, converter, bytes);
	case KIND_ASCII:
		if (utf8_ascii_len(bytes) < bytes.len)
			return add_guessed(out, bytes);
		buf_add(out, bytes);
		return CHARSET_EXACT;
	case KIND_UNKNOWN:
		break;
	}
	return add_guessed(out, bytes);
}
