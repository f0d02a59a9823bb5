#include "wire/sieve/encoded.h"

#include "base/buf.h"
#include "base/num.h"
#include "base/utf8.h"
#include "wire/cursor.h"

enum { LAST_CHARACTER = 0x10ffff };

static bool is_blank(struct cursor c)
{
	return c.at < c.end &&
	       (*c.at == ' ' || *c.at == '\t' || *c.at == '\r' || *c.at == '\n');
}

static bool blanks(struct cursor *c)
{
	struct cursor from = *c;

	while (is_blank(*c))
		c->at++;
	return c->at > from.at;
}

/* 1*HEXDIG, of which at most digits_max count.  A number beyond the last character stays
 * beyond it. */
static bool hex_number(struct cursor *c, size_t digits_max, uint32_t *number)
{
	struct cursor from = *c;

	*number = 0;
	while (c->at < c->end && num_hex(*c->at) >= 0) {
		if (*number <= LAST_CHARACTER)
			*number = *number * 16 + (uint32_t)num_hex(*c->at);
		c->at++;
	}
	return c->at > from.at && (size_t)(c->at - from.at) <= digits_max;
}

static bool is_character(uint32_t number)
{
	return number <= LAST_CHARACTER && (number < 0xd800 || number > 0xdfff);
}

/* hex-pair-seq or unicode-hex-seq with its brace, appended as what it stands for.  False
 * if it does not follow the grammar; *is_character becomes false if a number is none. */
static bool sequence(struct cursor *c, bool is_unicode, struct buf *out, bool *is_good)
{
	uint32_t number;

	(void)blanks(c);
	do {
		if (!hex_number(c, is_unicode ? SIZE_MAX : 2, &number))
			return false;
		if (is_unicode && !is_character(number))
			*is_good = false;
		if (is_unicode)
			utf8_add(out, number);
		else
			buf_add_byte(out, (char)(unsigned char)number);
	} while (blanks(c) && !cur_sees(*c, '}'));
	return cur_byte(c, '}');
}

/* At "${"; appends what one encoding stands for, or only its dollar. */
static bool one(struct cursor *c, struct buf *out)
{
	struct str rest = {c->at, (size_t)(c->end - c->at)};
	bool is_hex = str_starts_nocase(rest, STR("${hex:"));
	bool is_unicode = str_starts_nocase(rest, STR("${unicode:"));
	struct cursor inner = cur_over(str_skip(rest, is_hex ? 6 : 10));
	size_t before = out->len;
	bool is_good = true;

	if ((is_hex || is_unicode) && sequence(&inner, is_unicode, out, &is_good)) {
		c->at = inner.at;
		return is_good;
	}
	buf_cut(out, before);
	buf_add_byte(out, '$');
	c->at++;
	return true;
}

static err_t decode_into(struct str text, struct buf *out)
{
	struct cursor c = cur_over(text);

	while (!cur_done(c)) {
		struct str rest = {c.at, (size_t)(c.end - c.at)};
		size_t plain = str_find(rest, STR("${"));

		buf_add(out, str_first(rest, plain));
		c.at += plain;
		if (!cur_done(c) && !one(&c, out))
			return ERR_SYNTAX;
	}
	return OK;
}

err_t sieve_encoded_decode(struct str text, struct arena *arena, struct str *decoded)
{
	/* utf8_add() writes at most as many octets as an encoding has. */
	SCOPED(buf_fini) struct buf out = BUF(text.len + 4);

	*decoded = text;
	if (str_find(text, STR("${")) == text.len)
		return OK;
	TRY(decode_into(text, &out));
	ASSERT(buf_ok(&out));
	return arena_copy(arena, buf_str(&out), decoded) ? OK : ERR_LIMIT;
}
