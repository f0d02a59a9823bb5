#include "base/base64.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

static const char letters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { NO = 255, PAD = 254 };

/* The value of each octet; NO outside the alphabet. */
static const uint8_t values[256] = {
	[0 ... 42] = NO,  [43] = 62,  [44 ... 46] = NO,   [47] = 63,
	[48] = 52,        [49] = 53,  [50] = 54,          [51] = 55,
	[52] = 56,        [53] = 57,  [54] = 58,          [55] = 59,
	[56] = 60,        [57] = 61,  [58 ... 60] = NO,   ['='] = PAD,
	[62 ... 64] = NO, ['A'] = 0,  ['B'] = 1,          ['C'] = 2,
	['D'] = 3,        ['E'] = 4,  ['F'] = 5,          ['G'] = 6,
	['H'] = 7,        ['I'] = 8,  ['J'] = 9,          ['K'] = 10,
	['L'] = 11,       ['M'] = 12, ['N'] = 13,         ['O'] = 14,
	['P'] = 15,       ['Q'] = 16, ['R'] = 17,         ['S'] = 18,
	['T'] = 19,       ['U'] = 20, ['V'] = 21,         ['W'] = 22,
	['X'] = 23,       ['Y'] = 24, ['Z'] = 25,         [91 ... 96] = NO,
	['a'] = 26,       ['b'] = 27, ['c'] = 28,         ['d'] = 29,
	['e'] = 30,       ['f'] = 31, ['g'] = 32,         ['h'] = 33,
	['i'] = 34,       ['j'] = 35, ['k'] = 36,         ['l'] = 37,
	['m'] = 38,       ['n'] = 39, ['o'] = 40,         ['p'] = 41,
	['q'] = 42,       ['r'] = 43, ['s'] = 44,         ['t'] = 45,
	['u'] = 46,       ['v'] = 47, ['w'] = 48,         ['x'] = 49,
	['y'] = 50,       ['z'] = 51, [123 ... 255] = NO,
};

/* A few octets; returns where the letters end. */
static char *write_few(char *to, const unsigned char *from, size_t left)
{
	for (; left >= 3; left -= 3, from += 3, to += 4) {
		unsigned a = from[0], b = from[1], c = from[2];

		to[0] = letters[a >> 2];
		to[1] = letters[(a & 3) << 4 | b >> 4];
		to[2] = letters[(b & 15) << 2 | c >> 6];
		to[3] = letters[c & 63];
	}
	if (left == 0)
		return to;
	unsigned first = from[0], second = left > 1 ? from[1] : 0;

	to[0] = letters[first >> 2];
	to[1] = letters[(first & 3) << 4 | second >> 4];
	to[2] = left > 1 ? letters[(second & 15) << 2] : '=';
	to[3] = '=';
	return to + 4;
}

#ifdef __x86_64__
#define WIDE __attribute__((target("avx2")))
enum { WIDE_OCTETS = 24, WIDE_LETTERS = 32, WIDE_MIN = WIDE_OCTETS + 4 };

/* Twelve octets at each place: in both halves the first has that index, and each group of
 * three, a, b and c, becomes the words b | a << 8 and c | b << 8.  The octets that a half
 * has beside them do not matter. */
#define WIDE_GROUPS(at)                                                                  \
	at + 1, at, at + 2, at + 1, at + 4, at + 3, at + 5, at + 4, at + 7, at + 6,      \
		at + 8, at + 7, at + 10, at + 9, at + 11, at + 10

WIDE static inline __m256i wide_load(const unsigned char *one, const unsigned char *two)
{
	return _mm256_inserti128_si256(
		_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)one)),
		_mm_loadu_si128((const __m128i *)two), 1);
}

/* The letters of eight such groups.  To multiply shifts each word by bits of its own. */
WIDE static inline void wide_store(char *to, __m256i groups)
{
	__m256i even = _mm256_and_si256(groups, _mm256_set1_epi32(0x0fc0fc00));
	__m256i odd = _mm256_and_si256(groups, _mm256_set1_epi32(0x003f03f0));
	__m256i six = _mm256_or_si256(
		_mm256_mulhi_epu16(even, _mm256_set1_epi32(0x04000040)), /* >> 10, >> 6 */
		_mm256_mullo_epi16(odd, _mm256_set1_epi32(0x01000010))); /* << 4, << 8 */
	/* How far the letter is from its number: for those from 26 on, for each from 52
	 * on, and at 13 for those below 26. */
	const char digit = '0' - 52;
	const __m128i far =
		_mm_setr_epi8('a' - 26, digit, digit, digit, digit, digit, digit, digit,
			      digit, digit, digit, '+' - 62, '/' - 63, 'A', 0, 0);
	__m256i is_first = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), six);
	__m256i which = _mm256_or_si256(_mm256_subs_epu8(six, _mm256_set1_epi8(51)),
					_mm256_and_si256(is_first, _mm256_set1_epi8(13)));
	__m256i letters_of = _mm256_add_epi8(
		six, _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(far), which));

	_mm256_storeu_si256((__m256i *)to, letters_of);
}

/* Whole groups, at least WIDE_MIN octets.  The last are read first, since the letters of
 * those before them may be written over them. */
WIDE static void write_wide(char *to, const unsigned char *from, size_t len)
{
	const __m256i front = _mm256_setr_epi8(WIDE_GROUPS(0), WIDE_GROUPS(0));
	const __m256i behind = _mm256_setr_epi8(WIDE_GROUPS(4), WIDE_GROUPS(4));
	const unsigned char *end = from + len - WIDE_OCTETS;
	char *to_end = to + len / 3 * 4 - WIDE_LETTERS;
	__m256i last = wide_load(end - 4, end + 8);

	wide_store(to, _mm256_shuffle_epi8(wide_load(from, from + 12), front));
	for (from += WIDE_OCTETS; from < end; from += WIDE_OCTETS) {
		to += WIDE_LETTERS;
		wide_store(to,
			   _mm256_shuffle_epi8(wide_load(from - 4, from + 8), behind));
	}
	wide_store(to_end, _mm256_shuffle_epi8(last, behind));
}
#endif

size_t base64_write(char *to, struct str bytes)
{
	const unsigned char *from = (const unsigned char *)bytes.ptr;
	size_t wide = 0;

#ifdef __x86_64__
	if (bytes.len >= WIDE_MIN + 2 && __builtin_cpu_supports("avx2")) {
		wide = bytes.len / 3 * 3;
		write_wide(to, from, wide);
	}
#endif
	(void)write_few(to + wide / 3 * 4, from + wide, bytes.len - wide);
	return (bytes.len + 2) / 3 * 4;
}

void base64_add(struct buf *buf, struct str bytes)
{
	if (bytes.len == 0)
		return;
	if (bytes.len > SIZE_MAX / 2) {
		buf->failed = true;
		return;
	}
	char *to = buf_room(buf, (bytes.len + 2) / 3 * 4);

	if (to)
		buf_grew(buf, base64_write(to, bytes));
}

/* Whole groups of four letters as three octets each, as long as there are any.  Returns
 * how many letters it took. */
static size_t groups(const unsigned char *from, size_t len, char *to)
{
	size_t at = 0;

	for (; len - at >= 4; at += 4, to += 3) {
		uint32_t a = values[from[at]], b = values[from[at + 1]];
		uint32_t c = values[from[at + 2]], d = values[from[at + 3]];

		if ((a | b | c | d) > 63)
			break;
		uint32_t bits = a << 18 | b << 12 | c << 6 | d;

		to[0] = (char)(bits >> 16);
		to[1] = (char)(bits >> 8);
		to[2] = (char)bits;
	}
	return at;
}

bool base64_decode(struct str text, struct buf *out)
{
	const unsigned char *from = (const unsigned char *)text.ptr;

	if (text.len == 0)
		return true;
	if (text.len % 4 != 0)
		return false;
	bool failed_before = out->failed;
	char *to = buf_room(out, text.len / 4 * 3);

	if (!to) {
		out->failed = failed_before;
		return false;
	}
	size_t taken = groups(from, text.len, to), grew = taken / 4 * 3;

	if (taken < text.len) { /* only the last group may be padded */
		uint32_t a = values[from[taken]], b = values[from[taken + 1]];
		uint32_t c = values[from[taken + 2]];

		if (text.len - taken != 4 || (a | b) > 63 || from[taken + 3] != '=')
			return false;
		if (c == PAD ? (b & 15) != 0 : c > 63 || (c & 3) != 0)
			return false;
		to[grew++] = (char)(a << 2 | b >> 4);
		if (c != PAD)
			to[grew++] = (char)(b << 4 | c >> 2);
	}
	buf_grew(out, grew);
	return true;
}

/* Writes the octets that the letters of an unfinished group hold; one letter holds none.
 */
static size_t flush(struct base64_body *body, char *to)
{
	size_t grew = 0;

	if (body->count == 2) {
		to[grew++] = (char)(body->bits >> 4);
	} else if (body->count == 3) {
		to[grew++] = (char)(body->bits >> 10);
		to[grew++] = (char)(body->bits >> 2);
	}
	*body = (struct base64_body){0};
	return grew;
}

/* One octet of the body; returns how many octets it completed. */
static size_t letter(struct base64_body *body, unsigned char byte, char *to)
{
	uint8_t value = values[byte];

	if (value == NO)
		return 0;
	if (value == PAD)
		return flush(body, to);
	body->bits = body->bits << 6 | value;
	if (++body->count < 4)
		return 0;
	to[0] = (char)(body->bits >> 16);
	to[1] = (char)(body->bits >> 8);
	to[2] = (char)body->bits;
	*body = (struct base64_body){0};
	return 3;
}

void base64_body_add(struct base64_body *body, struct str text, struct buf *out)
{
	const unsigned char *from = (const unsigned char *)text.ptr;
	char *start = buf_room(out, text.len / 4 * 3 + 3), *to = start;

	if (!to)
		return;
	for (size_t at = 0; at < text.len;) {
		if (body->count == 0) {
			size_t taken = groups(from + at, text.len - at, to);

			at += taken;
			to += taken / 4 * 3;
			if (at == text.len)
				break;
		}
		to += letter(body, from[at++], to);
	}
	buf_grew(out, (size_t)(to - start));
}

void base64_body_end(struct base64_body *body, struct buf *out)
{
	char last[2];
	size_t len = flush(body, last);

	buf_add(out, (struct str){last, len});
}
