#include "wire/document/pdf_token.h"

enum { NUMBER_MAX = 32 /* octets */ };

/* §7.2.2, Table 1 */
static bool is_space(char c)
{
	return c == '\0' || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' ';
}

/* Table 2 */
static bool is_delimiter(char c)
{
	return c != '\0' && strchr("()<>[]{}/%", c) != NULL;
}

static size_t regular_len(struct str s)
{
	size_t len = 0;

	while (len < s.len && !is_space(s.ptr[len]) && !is_delimiter(s.ptr[len]))
		len++;
	return len;
}

/* White space and comments, §7.2.3. */
static struct str skip_space(struct str s)
{
	size_t at = 0;
	bool is_comment = false;

	for (; at < s.len; at++) {
		char c = s.ptr[at];

		if (is_comment)
			is_comment = c != '\n' && c != '\r';
		else if (c == '%')
			is_comment = true;
		else if (!is_space(c))
			break;
	}
	return str_skip(s, at);
}

/* §7.3.3 */
static bool is_number(struct str raw, double *number)
{
	double value = 0, unit = 0;
	size_t at = raw.ptr[0] == '-' || raw.ptr[0] == '+', digits = 0;

	if (raw.len > NUMBER_MAX)
		return false;
	for (; at < raw.len; at++) {
		char c = raw.ptr[at];

		if (c == '.' && unit <= 0) {
			unit = 1;
			continue;
		}
		if (!is_ascii_digit((unsigned char)c))
			return false;
		value = value * 10 + (c - '0');
		unit *= 10;
		digits++;
	}
	if (unit > 1)
		value /= unit;
	*number = raw.ptr[0] == '-' ? -value : value;
	return digits > 0;
}

/* §7.3.4.2: parentheses inside are balanced, or escaped.  How long it is between them. */
static size_t string_len(struct str s)
{
	size_t depth = 1, at = 0;

	for (; at < s.len; at++) {
		if (s.ptr[at] == '\\')
			at++;
		else if (s.ptr[at] == '(')
			depth++;
		else if (s.ptr[at] == ')' && --depth == 0)
			break;
	}
	return at < s.len ? at : s.len;
}

static void take_delimited(struct str s, struct pdf_token *token, size_t *taken)
{
	struct str inside = str_skip(s, 1);
	bool is_twice = inside.len > 0 && inside.ptr[0] == s.ptr[0];

	token->kind = PDF_WORD;
	token->raw = str_first(s, 1);
	*taken = 1;
	switch (s.ptr[0]) {
	case '(':
		token->kind = PDF_STRING;
		token->raw = str_first(inside, string_len(inside));
		*taken = token->raw.len + 2;
		break;
	case '<':
		token->kind = is_twice ? PDF_DICT_BEGIN : PDF_HEX;
		if (!is_twice)
			token->raw = str_first(inside, str_find_byte(inside, '>'));
		*taken = is_twice ? 2 : token->raw.len + 2;
		break;
	case '>':
		token->kind = is_twice ? PDF_DICT_END : PDF_WORD;
		*taken = is_twice ? 2 : 1;
		break;
	case '[':
		token->kind = PDF_ARRAY_BEGIN;
		break;
	case ']':
		token->kind = PDF_ARRAY_END;
		break;
	case '/':
		token->kind = PDF_NAME;
		token->raw = str_first(inside, regular_len(inside));
		*taken = token->raw.len + 1;
		break;
	default: /* an octet, no enum: it begins nothing */
		break;
	}
}

bool pdf_token_take(struct str *rest, struct pdf_token *token)
{
	struct str s = skip_space(*rest);
	size_t taken;

	*rest = s;
	if (s.len == 0)
		return false;
	*token = (struct pdf_token){.kind = PDF_WORD};
	if (is_delimiter(s.ptr[0])) {
		take_delimited(s, token, &taken);
	} else {
		taken = regular_len(s);
		token->raw = str_first(s, taken);
		if (is_number(token->raw, &token->number))
			token->kind = PDF_NUMBER;
	}
	*rest = str_skip(s, taken);
	return true;
}

/* ---- what they stand for ----------------------------------------------------------- */

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* §7.3.4.3: what is no digit is passed over; a last one alone is followed by 0. */
static void hex_add(struct buf *out, struct str raw)
{
	int high = -1;

	for (size_t i = 0; i < raw.len; i++) {
		int digit = hex_of(raw.ptr[i]);

		if (digit < 0)
			continue;
		if (high >= 0)
			buf_add_byte(out, (char)(high << 4 | digit));
		high = high < 0 ? digit : -1;
	}
	if (high >= 0)
		buf_add_byte(out, (char)(high << 4));
}

/* Up to three octal digits. */
static size_t octal_add(struct buf *out, struct str s)
{
	unsigned value = 0;
	size_t len = 0;

	while (len < 3 && len < s.len && s.ptr[len] >= '0' && s.ptr[len] <= '7')
		value = value * 8 + (unsigned)(s.ptr[len++] - '0');
	buf_add_byte(out, (char)(unsigned char)value);
	return len;
}

/* What stands behind a backslash, Table 3; how long that is. */
static size_t escape_add(struct buf *out, struct str s)
{
	static const char plain[] = "nrtbf", meant[] = "\n\r\t\b\f";

	if (s.len == 0)
		return 0;
	if (s.ptr[0] >= '0' && s.ptr[0] <= '7')
		return octal_add(out, s);
	if (s.ptr[0] == '\n')
		return 1;
	if (s.ptr[0] == '\r')
		return s.len > 1 && s.ptr[1] == '\n' ? 2 : 1;
	const char *found = s.ptr[0] != '\0' ? strchr(plain, s.ptr[0]) : NULL;

	buf_add_byte(out, found ? meant[found - plain] : s.ptr[0]);
	return 1;
}

void pdf_string_add(struct buf *out, const struct pdf_token *token)
{
	struct str rest = token->raw;

	if (token->kind == PDF_HEX) {
		hex_add(out, rest);
		return;
	}
	while (rest.len > 0) {
		size_t plain = str_find_byte(rest, '\\');

		buf_add(out, str_first(rest, plain));
		rest = str_skip(rest, plain);
		if (rest.len == 0)
			break;
		rest = str_skip(rest, 1);
		rest = str_skip(rest, escape_add(out, rest));
	}
}

void pdf_name_add(struct buf *out, struct str raw)
{
	for (size_t i = 0; i < raw.len; i++) {
		int high = -1, low = -1;

		if (raw.ptr[i] == '#' && raw.len - i > 2) {
			high = hex_of(raw.ptr[i + 1]);
			low = hex_of(raw.ptr[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			buf_add_byte(out, (char)(high << 4 | low));
			i += 2;
		} else {
			buf_add_byte(out, raw.ptr[i]);
		}
	}
}
