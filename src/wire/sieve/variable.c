#include "wire/sieve/variable.h"

#include "wire/cursor.h"

static bool is_letter(char c)
{
	return c == '_' || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

static bool is_digit(char c)
{
	return is_ascii_digit((unsigned char)c);
}

/* identifier */
static bool identifier(struct cursor *c, struct str *name)
{
	struct cursor from = *c;

	while (c->at < c->end &&
	       (is_letter(*c->at) || (c->at > from.at && is_digit(*c->at))))
		c->at++;
	*name = cur_since(from, *c);
	return name->len > 0;
}

/* num-variable = 1*DIGIT; "Extra leading zeroes are allowed and ignored." */
static bool num_variable(struct cursor *c, unsigned *number)
{
	struct cursor from = *c;

	*number = 0;
	while (c->at < c->end && is_digit(*c->at)) {
		*number = *number * 10 + (unsigned)(*c->at - '0');
		if (*number > SIEVE_MATCH_NUMBER_MAX)
			*number = SIEVE_MATCH_NUMBER_MAX;
		c->at++;
	}
	return c->at > from.at;
}

/* variable-ref = "${" [namespace] variable-name "}" */
static bool variable_ref(struct cursor *c, struct sieve_piece *piece)
{
	struct cursor at = *c, from;
	struct sieve_piece found = {.kind = SIEVE_PIECE_VARIABLE};

	if (!cur_byte(&at, '$') || !cur_byte(&at, '{'))
		return false;
	from = at;
	if (num_variable(&at, &found.number))
		found.kind = SIEVE_PIECE_MATCH;
	else if (!identifier(&at, &found.text))
		return false;
	while (found.kind != SIEVE_PIECE_MATCH && cur_byte(&at, '.')) {
		found.kind = SIEVE_PIECE_FOREIGN;
		if (!identifier(&at, &found.text) && !num_variable(&at, &found.number))
			return false;
		found.text = cur_since(from, at);
	}
	if (!cur_byte(&at, '}'))
		return false;
	*c = at;
	*piece = found;
	return true;
}

bool sieve_piece_next(struct str *text, struct sieve_piece *piece)
{
	struct cursor c = cur_over(*text);
	size_t plain = str_find(*text, STR("${"));

	if (text->len == 0)
		return false;
	if (plain == 0 && variable_ref(&c, piece)) {
		*text = (struct str){c.at, (size_t)(c.end - c.at)};
		return true;
	}
	if (plain == 0) /* no reference: only its dollar */
		plain = 1;
	*piece = (struct sieve_piece){SIEVE_PIECE_TEXT, str_first(*text, plain), 0};
	*text = str_skip(*text, plain);
	return true;
}

bool sieve_variable_name(struct str text)
{
	struct cursor c = cur_over(text);
	struct str name;

	return identifier(&c, &name) && cur_done(c);
}
