#include "base/utf8.h"

size_t utf8_ascii_len(struct str s)
{
	size_t at = 0;

	for (; s.len - at >= 32; at += 32) {
		uint64_t words[4];

		memcpy(words, s.ptr + at, sizeof words);
		if ((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080u)
			break;
	}
	for (; s.len - at >= 8; at += 8) {
		uint64_t word;

		memcpy(&word, s.ptr + at, sizeof word);
		if (word & 0x8080808080808080u)
			break;
	}
	while (at < s.len && (unsigned char)s.ptr[at] < 0x80)
		at++;
	return at;
}

/* What follows from a first octet: the length, and the bounds of the second octet, which
 * exclude overlong forms, surrogates and what lies beyond U+10FFFF.  RFC 3629 §4. */
struct lead {
	uint8_t len, low, high;
};

static struct lead lead_of(unsigned char b)
{
	if (b < 0x80)
		return (struct lead){1, 0, 0};
	if (b < 0xc2 || b > 0xf4)
		return (struct lead){0, 0, 0};
	if (b < 0xe0)
		return (struct lead){2, 0x80, 0xbf};
	if (b < 0xf0)
		return (struct lead){3, b == 0xe0 ? 0xa0 : 0x80, b == 0xed ? 0x9f : 0xbf};
	return (struct lead){4, b == 0xf0 ? 0x90 : 0x80, b == 0xf4 ? 0x8f : 0xbf};
}

bool utf8_take(struct str *s, uint32_t *code)
{
	const unsigned char *at = (const unsigned char *)s->ptr;
	struct lead lead = lead_of(at[0]);
	size_t taken = 1;

	*code = UTF8_REPLACEMENT;
	if (lead.len == 1) {
		*code = at[0];
		*s = str_skip(*s, 1);
		return true;
	}
	uint32_t found = at[0] & (0xffu >> (lead.len + 1));

	for (; taken < lead.len && taken < s->len; taken++) {
		if (at[taken] < lead.low || at[taken] > lead.high)
			break;
		found = found << 6 | (at[taken] & 0x3f);
		lead.low = 0x80;
		lead.high = 0xbf;
	}
	*s = str_skip(*s, taken);
	if (taken != lead.len)
		return false;
	*code = found;
	return true;
}

bool utf8_valid(struct str s)
{
	uint32_t code;

	for (;;) {
		s = str_skip(s, utf8_ascii_len(s));
		if (s.len == 0)
			return true;
		while (s.len > 0 && (unsigned char)s.ptr[0] >= 0x80)
			if (!utf8_take(&s, &code))
				return false;
	}
}

void utf8_add(struct buf *buf, uint32_t code)
{
	char bytes[4];
	size_t len = 0;

	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		code = UTF8_REPLACEMENT;
	if (code < 0x80) {
		bytes[len++] = (char)code;
	} else if (code < 0x800) {
		bytes[len++] = (char)(0xc0 | code >> 6);
		bytes[len++] = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		bytes[len++] = (char)(0xe0 | code >> 12);
		bytes[len++] = (char)(0x80 | (code >> 6 & 0x3f));
		bytes[len++] = (char)(0x80 | (code & 0x3f));
	} else {
		bytes[len++] = (char)(0xf0 | code >> 18);
		bytes[len++] = (char)(0x80 | (code >> 12 & 0x3f));
		bytes[len++] = (char)(0x80 | (code >> 6 & 0x3f));
		bytes[len++] = (char)(0x80 | (code & 0x3f));
	}
	buf_add(buf, (struct str){bytes, len});
}

bool utf8_add_repaired(struct buf *buf, struct str s)
{
	bool whole = true;

	while (s.len > 0) {
		struct str run = s;
		uint32_t code;

		s = str_skip(s, utf8_ascii_len(s));
		while (s.len > 0) { /* the well-formed run, then what broke it */
			struct str before = s;

			if (utf8_take(&s, &code))
				continue;
			whole = false;
			run.len -= before.len;
			buf_add(buf, run);
			utf8_add(buf, UTF8_REPLACEMENT);
			run = s;
			break;
		}
		if (s.len == 0)
			buf_add(buf, run);
	}
	return whole;
}

struct str utf8_first(struct str s, size_t max)
{
	if (s.len <= max)
		return s;
	size_t len = max;

	while (len > 0 && max - len < 3 && ((unsigned char)s.ptr[len] & 0xc0) == 0x80)
		len--;
	return str_first(s, ((unsigned char)s.ptr[len] & 0xc0) == 0x80 ? max : len);
}

bool utf8_is_unseen(uint32_t code)
{
	return code < ' ' || (code >= 0x7f && code <= 0x9f) || code == 0x61c ||
	       (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

void utf8_add_shown(struct buf *buf, struct str s)
{
	while (s.len > 0) {
		struct str one = s;
		uint32_t code;
		bool is_shown = utf8_take(&s, &code) && !utf8_is_unseen(code);

		one.len -= s.len;
		if (is_shown)
			buf_add(buf, one);
		for (size_t i = 0; i < one.len && !is_shown; i++)
			buf_printf(buf, "\\x%02x", (unsigned char)one.ptr[i]);
	}
}
