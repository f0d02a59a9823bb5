/* A borrowed run of bytes.  Never NUL-terminated; lives as long as what it points into.
 * A null ptr is allowed only with len 0.  Nothing here allocates.
 */
#pragma once

#include <string.h>

#include "base/base.h"

struct str {
	const char *ptr;
	size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_FMT(s)   (int)(s).len, (s).ptr /* for "%.*s" */

/* A C string's bytes; for the edge of libc and foreign libraries.  NULL gives "". */
struct str str_c(const char *text);
static inline bool str_same(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
/* Equal when ASCII letters are compared without case. */
bool str_same_nocase(struct str a, struct str b);
/* <0, 0, >0 by octets, shorter first. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Where byte or part first stands, or s.len if nowhere. */
size_t str_find_byte(struct str s, char byte);
size_t str_find(struct str s, struct str part);
/* The last place of byte, or s.len if nowhere. */
size_t str_rfind_byte(struct str s, char byte);
/* Without the first n octets / only the first n octets; n beyond the end is the end. */
static inline struct str str_skip(struct str s, size_t n)
{
	if (n >= s.len)
		return s.len ? (struct str){s.ptr + s.len, 0} : s;
	return (struct str){s.ptr + n, s.len - n};
}
static inline struct str str_first(struct str s, size_t n)
{
	return (struct str){s.ptr, n < s.len ? n : s.len};
}
/* Without spaces, tabs, CR and LF at both ends. */
struct str str_trim(struct str s);
/* The part before the first sep; *s becomes what follows it (empty if there is no sep).
 */
struct str str_cut(struct str *s, char sep);
/* Copies into a NUL-terminated array for libc; false (and "") if it does not fit or holds
 * a NUL. */
bool str_to_c(struct str s, char *array, size_t size);
/* Compares in time that depends on len only; for secrets of equal length. */
bool str_same_secret(struct str a, struct str b);

static inline bool is_ascii_upper(unsigned char b)
{
	return b >= 'A' && b <= 'Z';
}
static inline bool is_ascii_digit(unsigned char b)
{
	return b >= '0' && b <= '9';
}
static inline char ascii_lower(char c)
{
	return is_ascii_upper((unsigned char)c) ? (char)(c + 32) : c;
}
static inline char ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}
