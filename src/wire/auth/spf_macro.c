#include "wire/auth/spf_macro.h"

#include "base/num.h"

enum { PARTS_MAX = 10000 }; /* more than any value has */

/* macro-expand */
struct macro {
	char letter; /* in lower case; or '%', '_', '-' */
	bool is_escaped, is_reversed, is_split;
	size_t parts; /* right-hand ones to keep; 0: all */
	struct str delimiters;
};

enum letters { TERM_LETTERS, ALL_LETTERS };

/* ---- reading ----------------------------------------------------------------------- */

static bool is_letter(char letter, enum letters which)
{
	return letter && (strchr("slodiphv", letter) ||
			  (which == ALL_LETTERS && strchr("crt", letter)));
}

/* transformers = *DIGIT [ "r" ].  A number MUST be nonzero.  RFC 7208 §7.3. */
static bool take_transformers(struct str *rest, struct macro *macro)
{
	bool has_digits = false;

	for (; rest->len > 0 && is_ascii_digit((unsigned char)rest->ptr[0]);
	     *rest = str_skip(*rest, 1)) {
		size_t digit = (size_t)(rest->ptr[0] - '0');

		has_digits = true;
		macro->parts = num_min(macro->parts * 10 + digit, PARTS_MAX);
	}
	if (rest->len > 0 && ascii_lower(rest->ptr[0]) == 'r') {
		macro->is_reversed = true;
		*rest = str_skip(*rest, 1);
	}
	macro->is_split = has_digits || macro->is_reversed;
	return !has_digits || macro->parts > 0;
}

static void take_delimiters(struct str *rest, struct macro *macro)
{
	size_t len = 0;

	while (len < rest->len && rest->ptr[len] && strchr(".-+,/_=", rest->ptr[len]))
		len++;
	macro->delimiters = len > 0 ? str_first(*rest, len) : STR(".");
	macro->is_split |= len > 0;
	*rest = str_skip(*rest, len);
}

/* macro-expand, which begins with "%".  RFC 7208 §7.1. */
static bool take_macro(struct str *text, enum letters which, struct macro *macro)
{
	struct str rest = str_skip(*text, 1);

	*macro = (struct macro){.letter = rest.len > 0 ? rest.ptr[0] : '\0'};
	rest = str_skip(rest, 1);
	if (macro->letter == '{') {
		char letter = rest.len > 0 ? rest.ptr[0] : '\0';

		macro->letter = ascii_lower(letter);
		macro->is_escaped = macro->letter != letter;
		rest = str_skip(rest, 1);
		if (!is_letter(macro->letter, which) || !take_transformers(&rest, macro))
			return false;
		take_delimiters(&rest, macro);
		if (rest.len == 0 || rest.ptr[0] != '}')
			return false;
		rest = str_skip(rest, 1);
	} else if (!macro->letter || !strchr("%_-", macro->letter)) {
		return false;
	}
	*text = rest;
	return true;
}

/* *( macro-expand / macro-literal ), and spaces if they may be there.  *tail becomes what
 * follows the last macro. */
static bool is_macro_string(struct str text, enum letters which, char lowest,
			    struct str *tail)
{
	struct macro macro;

	*tail = text;
	while (text.len > 0) {
		if (text.ptr[0] == '%') {
			if (!take_macro(&text, which, &macro))
				return false;
			*tail = text;
			continue;
		}
		if (text.ptr[0] < lowest || text.ptr[0] > '~')
			return false; /* octets beyond ASCII are negative, or too high */
		text = str_skip(text, 1);
	}
	return true;
}

/* toplabel: letters, digits and hyphens within; not digits alone. */
static bool is_toplabel(struct str label)
{
	bool has_more = false;

	if (label.len == 0 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		char c = ascii_lower(label.ptr[i]);
		bool is_digit = is_ascii_digit((unsigned char)c);

		if (!is_digit && c != '-' && (c < 'a' || c > 'z'))
			return false;
		has_more |= !is_digit;
	}
	return has_more;
}

bool spf_macro_string_is_valid(struct str text)
{
	struct str tail;

	return is_macro_string(text, ALL_LETTERS, '!', &tail);
}

/* domain-end = ( "." toplabel [ "." ] ) / macro-expand */
bool spf_domain_spec_is_valid(struct str text)
{
	struct str tail;

	if (text.len == 0 || !is_macro_string(text, TERM_LETTERS, '!', &tail))
		return false;
	if (tail.len == 0)
		return true;
	if (tail.ptr[tail.len - 1] == '.')
		tail.len--;
	size_t dot = str_rfind_byte(tail, '.');

	return dot < tail.len && is_toplabel(str_skip(tail, dot + 1));
}

bool spf_explain_string_is_valid(struct str text)
{
	struct str tail;

	return is_macro_string(text, ALL_LETTERS, ' ', &tail);
}

bool spf_macro_has(struct str text, char letter)
{
	struct macro macro;

	for (text = str_skip(text, str_find_byte(text, '%')); text.len > 0;
	     text = str_skip(text, str_find_byte(text, '%')))
		if (!take_macro(&text, ALL_LETTERS, &macro))
			return false;
		else if (macro.letter == letter)
			return true;
	return false;
}

/* ---- expanding --------------------------------------------------------------------- */

static bool is_delimiter(const struct macro *macro, char c)
{
	return str_find_byte(macro->delimiters, c) < macro->delimiters.len;
}

static size_t count_parts(struct str value, const struct macro *macro)
{
	size_t count = 1;

	for (size_t i = 0; i < value.len; i++)
		count += is_delimiter(macro, value.ptr[i]);
	return count;
}

/* Parts may be empty: nothing is done about delimiters at the ends or in a row. */
static struct str part(struct str value, const struct macro *macro, size_t place)
{
	size_t from = 0, end;

	for (; place > 0; from++)
		place -= is_delimiter(macro, value.ptr[from]);
	for (end = from; end < value.len && !is_delimiter(macro, value.ptr[end]);)
		end++;
	return str_first(str_skip(value, from), end - from);
}

/* RFC 3986 §2.3, unreserved. */
static bool is_unreserved(char c)
{
	char lower = ascii_lower(c);

	return (lower >= 'a' && lower <= 'z') || is_ascii_digit((unsigned char)c) ||
	       (c && strchr("-._~", c));
}

static void add_text(struct str text, const struct macro *macro, struct buf *out)
{
	if (!macro->is_escaped) {
		buf_add(out, text);
		return;
	}
	for (size_t i = 0; i < text.len; i++)
		if (is_unreserved(text.ptr[i]))
			buf_add_byte(out, text.ptr[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)text.ptr[i]);
}

/* Split, reversed, without parts at the left, and put together with dots.  RFC 7208
 * §7.3. */
static void add_value(struct str value, const struct macro *macro, struct buf *out)
{
	if (!macro->is_split) {
		add_text(value, macro, out);
		return;
	}
	size_t all = count_parts(value, macro);
	size_t kept = macro->parts > 0 ? num_min(macro->parts, all) : all;

	for (size_t i = 0; i < kept && buf_ok(out); i++) {
		size_t place = macro->is_reversed ? kept - 1 - i : all - kept + i;

		if (i > 0)
			buf_add_byte(out, '.');
		add_text(part(value, macro, place), macro, out);
	}
}

static void add_macro(const struct macro *macro, const struct spf_macros *macros,
		      struct buf *out)
{
	char text[IP_NIBBLES_BYTES];
	SCOPED(buf_fini) struct buf now = BUF(32);

	switch (macro->letter) {
	case '%':
		buf_add_byte(out, '%');
		return;
	case '_':
		buf_add_byte(out, ' ');
		return;
	case '-':
		buf_add_c(out, "%20");
		return;
	case 's':
		add_value(macros->sender, macro, out);
		return;
	case 'l':
		add_value(macros->local, macro, out);
		return;
	case 'o':
		add_value(macros->sender_domain, macro, out);
		return;
	case 'd':
		add_value(macros->domain, macro, out);
		return;
	case 'i':
		add_value(ip_dotted(&macros->ip, text), macro, out);
		return;
	case 'c':
		add_value(ip_text(&macros->ip, text), macro, out);
		return;
	case 'v':
		add_value(macros->ip.len == IP4_BYTES ? STR("in-addr") : STR("ip6"),
			  macro, out);
		return;
	case 'p':
		add_value(macros->validated, macro, out);
		return;
	case 'h':
		add_value(macros->helo, macro, out);
		return;
	case 'r':
		add_value(macros->receiver, macro, out);
		return;
	case 't':
		buf_printf(&now, "%lld", (long long)macros->now_s);
		add_value(buf_str(&now), macro, out);
		return;
	}
}

void spf_macro_expand(struct str text, const struct spf_macros *macros, struct buf *out)
{
	struct macro macro;

	while (text.len > 0 && buf_ok(out)) {
		size_t literal = str_find_byte(text, '%');

		buf_add(out, str_first(text, literal));
		text = str_skip(text, literal);
		if (text.len == 0)
			return;
		bool is_valid = take_macro(&text, ALL_LETTERS, &macro);

		ASSERT(is_valid); /* the caller has looked */
		add_macro(&macro, macros, out);
	}
}

struct str spf_fit_name(struct str name)
{
	if (name.len > 0 && name.ptr[name.len - 1] == '.')
		name.len--;
	while (name.len > SPF_NAME_MAX) {
		size_t dot = str_find_byte(name, '.');

		name = str_skip(name, dot + 1);
	}
	return name;
}
