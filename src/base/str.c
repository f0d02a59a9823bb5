#include "base/str.h"

struct str str_c(const char *text)
{
	return text ? (struct str){text, strlen(text)} : STR("");
}

bool str_same_nocase(struct str a, struct str b)
{
	return a.len == b.len && str_starts_nocase(a, b);
}

int str_cmp(struct str a, struct str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

bool str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
	       (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool str_starts_nocase(struct str s, struct str prefix)
{
	if (s.len < prefix.len)
		return false;
	for (size_t i = 0; i < prefix.len; i++)
		if (ascii_lower(s.ptr[i]) != ascii_lower(prefix.ptr[i]))
			return false;
	return true;
}

bool str_ends(struct str s, struct str suffix)
{
	return s.len >= suffix.len && str_same(str_skip(s, s.len - suffix.len), suffix);
}

size_t str_find_byte(struct str s, char byte)
{
	const char *at = s.len ? memchr(s.ptr, byte, s.len) : NULL;

	return at ? (size_t)(at - s.ptr) : s.len;
}

size_t str_find(struct str s, struct str part)
{
	if (part.len == 0)
		return 0;
	const char *at = s.len ? memmem(s.ptr, s.len, part.ptr, part.len) : NULL;

	return at ? (size_t)(at - s.ptr) : s.len;
}

size_t str_rfind_byte(struct str s, char byte)
{
	const char *at = s.len ? memrchr(s.ptr, byte, s.len) : NULL;

	return at ? (size_t)(at - s.ptr) : s.len;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.len > 0 && is_space(s.ptr[0]))
		s = str_skip(s, 1);
	while (s.len > 0 && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

struct str str_cut(struct str *s, char sep)
{
	size_t at = str_find_byte(*s, sep);
	struct str before = str_first(*s, at);

	*s = str_skip(*s, at < s->len ? at + 1 : at);
	return before;
}

bool str_to_c(struct str s, char *array, size_t size)
{
	ASSERT(size > 0);
	array[0] = '\0';
	if (s.len >= size || (s.len > 0 && memchr(s.ptr, 0, s.len)))
		return false;
	if (s.len > 0)
		memcpy(array, s.ptr, s.len);
	array[s.len] = '\0';
	return true;
}

bool str_same_secret(struct str a, struct str b)
{
	volatile unsigned char differs = a.len != b.len;

	for (size_t i = 0; i < a.len && i < b.len; i++)
		differs = (unsigned char)(differs | (a.ptr[i] ^ b.ptr[i]));
	return differs == 0;
}
