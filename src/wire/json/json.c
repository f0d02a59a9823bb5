#include "wire/json/json.h"

#include "base/num.h"
#include "base/utf8.h"

enum { ESCAPE_U_DIGITS = 4 };

static void skip_space(struct cursor *c)
{
	while (c->at < c->end &&
	       (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
		c->at++;
}

/* ---- strings: RFC 8259 §7 ---------------------------------------------------------- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool take_hex(struct cursor *c, uint32_t *code)
{
	if (c->end - c->at < ESCAPE_U_DIGITS)
		return false;
	*code = 0;
	for (int i = 0; i < ESCAPE_U_DIGITS; i++) {
		int digit = hex_value(c->at[i]);

		if (digit < 0)
			return false;
		*code = *code * 16 + (uint32_t)digit;
	}
	c->at += ESCAPE_U_DIGITS;
	return true;
}

/* What is behind a backslash; *code is 0xd800 to 0xdfff for half a character. */
static bool take_escape(struct cursor *c, uint32_t *code)
{
	static const char letters[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";

	if (c->at == c->end)
		return false;
	const char *found = memchr(letters, *c->at, sizeof letters - 1);

	if (found) {
		*code = (unsigned char)means[found - letters];
		c->at++;
		return true;
	}
	return cur_byte(c, 'u') && take_hex(c, code);
}

static bool take_string(struct cursor *c)
{
	struct cursor at = *c;
	uint32_t code;

	if (!cur_byte(&at, '"'))
		return false;
	for (;;) {
		if (at.at == at.end || (unsigned char)*at.at < ' ')
			return false;
		if (cur_byte(&at, '"'))
			break;
		if (cur_byte(&at, '\\')) {
			if (!take_escape(&at, &code))
				return false;
			continue;
		}
		at.at++;
	}
	if (!utf8_valid(cur_since(*c, at)))
		return false;
	*c = at;
	return true;
}

/* ---- numbers and words: §6, §3 ----------------------------------------------------- */

static bool take_digits(struct cursor *c)
{
	const char *from = c->at;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
		c->at++;
	return c->at > from;
}

static bool take_number(struct cursor *c)
{
	struct cursor at = *c;

	(void)cur_byte(&at, '-'); /* may be missing */
	if (!cur_byte(&at, '0') && !take_digits(&at))
		return false;
	if (cur_byte(&at, '.') && !take_digits(&at))
		return false;
	if (cur_byte(&at, 'e') || cur_byte(&at, 'E')) {
		if (!cur_byte(&at, '+'))
			(void)cur_byte(&at, '-'); /* may be missing */
		if (!take_digits(&at))
			return false;
	}
	*c = at;
	return true;
}

static bool take_word(struct cursor *c)
{
	static const struct str words[] = {STR("true"), STR("false"), STR("null")};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (!str_starts((struct str){c->at, (size_t)(c->end - c->at)}, words[i]))
			continue;
		c->at += words[i].len;
		return true;
	}
	return false;
}

/* ---- values ------------------------------------------------------------------------ */

/* The open brackets: one bit each, 1 for an object. */
struct nest {
	uint64_t objects;
	unsigned depth;
};

static bool take_name(struct cursor *c)
{
	skip_space(c);
	if (!take_string(c))
		return false;
	skip_space(c);
	return cur_byte(c, ':');
}

/* A value that is no bracket, or an opening one and what must follow it.  *is_open: a
 * value must come next. */
static bool take_start(struct cursor *c, struct nest *nest, bool *is_open)
{
	skip_space(c);
	bool is_object = cur_sees(*c, '{');

	*is_open = false;
	if (!is_object && !cur_sees(*c, '['))
		return take_string(c) || take_number(c) || take_word(c);
	if (nest->depth == JSON_DEPTH_MAX)
		return false;
	c->at++;
	skip_space(c);
	if (cur_byte(c, is_object ? '}' : ']'))
		return true;
	nest->objects = nest->objects << 1 | is_object;
	nest->depth++;
	*is_open = true;
	return !is_object || take_name(c);
}

/* Closing brackets, up to a comma: then a value must come next. */
static bool take_ends(struct cursor *c, struct nest *nest, bool *is_open)
{
	*is_open = false;
	while (nest->depth > 0) {
		bool is_object = nest->objects & 1;

		skip_space(c);
		if (cur_byte(c, ',')) {
			*is_open = true;
			return !is_object || take_name(c);
		}
		if (!cur_byte(c, is_object ? '}' : ']'))
			return false;
		nest->objects >>= 1;
		nest->depth--;
	}
	return true;
}

bool js_take(struct cursor *c, struct str *value)
{
	struct nest nest = {0};
	struct cursor at = *c;
	bool is_open = true;

	skip_space(&at);
	struct cursor from = at;

	while (is_open) {
		if (!take_start(&at, &nest, &is_open))
			return false;
		if (!is_open && !take_ends(&at, &nest, &is_open))
			return false;
	}
	*value = cur_since(from, at);
	skip_space(&at);
	*c = at;
	return true;
}

/* ---- walking ----------------------------------------------------------------------- */

static bool open_items(struct str value, char bracket, struct js_items *items)
{
	struct cursor at = cur_over(value);

	if (!cur_byte(&at, bracket))
		return false;
	*items = (struct js_items){at, bracket == '{'};
	return true;
}

bool js_object(struct str value, struct js_items *items)
{
	return open_items(value, '{', items);
}

bool js_array(struct str value, struct js_items *items)
{
	return open_items(value, '[', items);
}

bool js_next(struct js_items *items, struct str *name, struct str *value)
{
	struct cursor *c = &items->at, from;

	skip_space(c);
	(void)cur_byte(c, ','); /* behind the one before */
	skip_space(c);
	from = *c;
	*name = STR("");
	if (items->is_object) {
		if (!take_string(c))
			return false;
		*name = cur_since(from, *c);
		skip_space(c);
		if (!cur_byte(c, ':'))
			return false;
	}
	return js_take(c, value);
}

bool js_is(struct str name, struct str word)
{
	return name.len == word.len + 2 &&
	       str_same(str_first(str_skip(name, 1), word.len), word);
}

static void add_escape(struct cursor *c, struct buf *out)
{
	uint32_t high, low;

	if (!take_escape(c, &high))
		return; /* it was looked at before */
	if (high < 0xd800 || high > 0xdfff) {
		utf8_add(out, high);
		return;
	}
	struct cursor next = *c;

	if (high < 0xdc00 && cur_byte(&next, '\\') && cur_byte(&next, 'u') &&
	    take_hex(&next, &low) && low >= 0xdc00 && low <= 0xdfff) {
		utf8_add(out, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
		*c = next;
	} else
		utf8_add(out, UTF8_REPLACEMENT);
}

bool js_text(struct str value, struct arena *arena, struct str *text)
{
	struct cursor c = cur_over(value);

	if (!take_string(&c) || !cur_done(c))
		return false;
	*text = str_first(str_skip(value, 1), value.len - 2);
	if (str_find_byte(*text, '\\') == text->len)
		return true;
	SCOPED(buf_fini) struct buf out = BUF(text->len); /* escapes are longer */

	for (c = cur_over(*text); !cur_done(c);) {
		if (cur_byte(&c, '\\'))
			add_escape(&c, &out);
		else
			buf_add_byte(&out, *c.at++);
	}
	return buf_ok(&out) && arena_copy(arena, buf_str(&out), text);
}

bool js_count(struct str value, uint64_t max, uint64_t *count)
{
	return num_parse(value, max, count);
}
