#include "wire/sieve/token.h"

#include "base/num.h"
#include "base/utf8.h"

struct sieve_tokens sieve_tokens_over(struct str script, struct arena *arena)
{
	return (struct sieve_tokens){.at = cur_over(script), .line = 1, .arena = arena};
}

static bool wrong(struct sieve_tokens *tokens, unsigned line, const char *sentence)
{
	tokens->flaw = (struct sieve_flaw){line, str_c(sentence)};
	return false;
}

static size_t left(const struct sieve_tokens *tokens)
{
	return (size_t)(tokens->at.end - tokens->at.at);
}

static char peek(const struct sieve_tokens *tokens, size_t ahead)
{
	return ahead < left(tokens) ? tokens->at.at[ahead] : '\0';
}

/* CRLF, or LF_ENDS_LINES. */
static bool line_end(struct sieve_tokens *tokens)
{
	size_t len = peek(tokens, 0) == '\r' && peek(tokens, 1) == '\n' ? 2
		     : peek(tokens, 0) == '\n'                          ? 1
									: 0;

	if (len == 0)
		return false;
	tokens->at.at += len;
	tokens->line++;
	return true;
}

/* octet-not-crlf: "a single octet other than NUL, CR, or LF". */
static bool is_text(const struct sieve_tokens *tokens)
{
	return left(tokens) > 0 && peek(tokens, 0) != '\0' && peek(tokens, 0) != '\r' &&
	       peek(tokens, 0) != '\n';
}

/* What stands where neither text nor a line end is. */
static bool wrong_octet(struct sieve_tokens *tokens)
{
	return wrong(tokens, tokens->line,
		     peek(tokens, 0) == '\r'
			     ? "A carriage return stands without its line feed."
			     : "An octet 0 stands here, which no script may hold.");
}

/* bracket-comment; the cursor is behind its beginning. */
static bool bracket_comment(struct sieve_tokens *tokens)
{
	unsigned line = tokens->line;

	while (left(tokens) > 0) {
		if (peek(tokens, 0) == '*' && peek(tokens, 1) == '/') {
			tokens->at.at += 2;
			return true;
		}
		if (is_text(tokens))
			tokens->at.at++;
		else if (!line_end(tokens))
			return wrong_octet(tokens);
	}
	return wrong(tokens, line, "A comment is not closed: \"*/\" is missing.");
}

/* hash-comment without its line end, which the end of the script may stand for. */
static void hash_comment(struct sieve_tokens *tokens)
{
	while (is_text(tokens))
		tokens->at.at++;
}

/* white-space; false at a comment that does not end. */
static bool white_space(struct sieve_tokens *tokens)
{
	for (;;) {
		if (peek(tokens, 0) == '#') {
			hash_comment(tokens);
		} else if (peek(tokens, 0) == '/' && peek(tokens, 1) == '*') {
			tokens->at.at += 2;
			if (!bracket_comment(tokens))
				return false;
		} else if (peek(tokens, 0) == ' ' || peek(tokens, 0) == '\t') {
			tokens->at.at++;
		} else if (!line_end(tokens)) {
			return true;
		}
	}
}

static bool is_name_start(char c)
{
	return c == '_' || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* identifier = (ALPHA / "_") *(ALPHA / DIGIT / "_") */
static struct str identifier(struct sieve_tokens *tokens)
{
	struct cursor from = tokens->at;

	while (is_name_start(peek(tokens, 0)) ||
	       (tokens->at.at > from.at &&
		is_ascii_digit((unsigned char)peek(tokens, 0))))
		tokens->at.at++;
	return cur_since(from, tokens->at);
}

static unsigned quantifier_bits(char c)
{
	switch (ascii_upper(c)) {
	case 'K':
		return 10;
	case 'M':
		return 20;
	case 'G':
		return 30;
	}
	return 0;
}

/* number = 1*DIGIT [ QUANTIFIER ] */
static bool number(struct sieve_tokens *tokens, struct sieve_token *token)
{
	struct cursor from = tokens->at;

	while (is_ascii_digit((unsigned char)peek(tokens, 0)))
		tokens->at.at++;
	bool fits =
		num_parse(cur_since(from, tokens->at), SIEVE_NUMBER_MAX, &token->number);
	unsigned bits = quantifier_bits(peek(tokens, 0));

	tokens->at.at += bits > 0;
	if (!fits || token->number > SIEVE_NUMBER_MAX >> bits)
		return wrong(tokens, token->line, "The number is too big.");
	if (is_name_start(peek(tokens, 0)) ||
	    is_ascii_digit((unsigned char)peek(tokens, 0)))
		return wrong(tokens, token->line,
			     "A number has other letters behind it than K, M or G.");
	token->number <<= bits;
	token->kind = SIEVE_NUMBER;
	return true;
}

/* ---- strings ----------------------------------------------------------------------- */

/* A string as it is meant, put together in the arena: one octet of the script makes at
 * most two, and only a line end does. */
struct meant {
	char *to;
	size_t len;
};

static void meant_add(struct meant *meant, struct str more)
{
	memcpy(meant->to + meant->len, more.ptr, more.len);
	meant->len += more.len;
}

static bool meant_begin(struct sieve_tokens *tokens, struct str written,
			struct meant *meant)
{
	*meant = (struct meant){ARENA_ARRAY(tokens->arena, char, 2 * written.len + 1), 0};
	return meant->to != NULL ||
	       wrong(tokens, tokens->line, "The script is too big to be kept.");
}

/* The octets up to the closing quote; counts lines. */
static bool quoted_extent(struct sieve_tokens *tokens, struct str *written,
			  bool *is_plain)
{
	struct cursor from = tokens->at;
	unsigned line = tokens->line;

	*is_plain = true;
	while (left(tokens) > 0 && peek(tokens, 0) != '"') {
		bool is_escape = peek(tokens, 0) == '\\';
		bool is_line_end = peek(tokens, 0) == '\n';

		tokens->at.at += is_escape;
		if (is_escape || is_line_end)
			*is_plain = false;
		if (is_text(tokens))
			tokens->at.at++;
		else if (is_escape && left(tokens) > 0)
			return wrong(tokens, tokens->line,
				     "A backslash in a string has no character behind "
				     "it.");
		else if (left(tokens) > 0 && !line_end(tokens))
			return wrong_octet(tokens);
	}
	*written = cur_since(from, tokens->at);
	if (!cur_byte(&tokens->at, '"'))
		return wrong(tokens, line, "A string is not closed: '\"' is missing.");
	return true;
}

/* quoted-string; the cursor is behind the opening quote. */
static bool quoted_string(struct sieve_tokens *tokens, struct sieve_token *token)
{
	struct meant meant;
	struct str written;
	bool is_plain;

	token->kind = SIEVE_STRING;
	if (!quoted_extent(tokens, &written, &is_plain))
		return false;
	token->text = written;
	if (is_plain)
		return true;
	if (!meant_begin(tokens, written, &meant))
		return false;
	for (size_t i = 0; i < written.len; i++) {
		/* quoted-special and quoted-other: the second octet is meant. */
		if (written.ptr[i] == '\\')
			i++;
		if (written.ptr[i] == '\n' && (i == 0 || written.ptr[i - 1] != '\r'))
			meant_add(&meant, STR("\r"));
		meant_add(&meant, (struct str){written.ptr + i, 1});
	}
	token->text = (struct str){meant.to, meant.len};
	return true;
}

/* One line, without its end, of the multi-line string that began in line begun. */
static bool text_line(struct sieve_tokens *tokens, unsigned begun, struct str *line)
{
	struct cursor from = tokens->at;

	while (is_text(tokens))
		tokens->at.at++;
	*line = cur_since(from, tokens->at);
	if (left(tokens) == 0) /* the last line needs no end if it is the dot */
		return str_same(*line, STR(".")) ||
		       wrong(tokens, begun,
			     "A text is not closed: a line that is only \".\" is "
			     "missing.");
	return line_end(tokens) || wrong_octet(tokens);
}

/* The cursor is behind "text:". */
static bool text_opening(struct sieve_tokens *tokens)
{
	while (peek(tokens, 0) == ' ' || peek(tokens, 0) == '\t')
		tokens->at.at++;
	if (peek(tokens, 0) == '#')
		hash_comment(tokens);
	return line_end(tokens) || wrong(tokens, tokens->line,
					 "The text has to begin in the line behind "
					 "\"text:\".");
}

/* multi-line */
static bool multi_line(struct sieve_tokens *tokens, struct sieve_token *token)
{
	struct sieve_tokens first;
	struct meant meant;
	struct str line;
	size_t total;

	if (!text_opening(tokens))
		return false;
	first = *tokens;
	do {
		if (!text_line(tokens, token->line, &line))
			return false;
	} while (!str_same(line, STR(".")));
	total = (size_t)(tokens->at.at - first.at.at);
	if (!meant_begin(tokens, (struct str){first.at.at, total}, &meant))
		return false;
	while (text_line(&first, token->line, &line) && !str_same(line, STR("."))) {
		/* "Remove a leading '.' if followed by another '.'." */
		meant_add(&meant, str_starts(line, STR("..")) ? str_skip(line, 1) : line);
		meant_add(&meant, STR("\r\n"));
	}
	token->kind = SIEVE_STRING;
	token->text = (struct str){meant.to, meant.len};
	return true;
}

/* ---- tokens ------------------------------------------------------------------------ */

static bool named(struct sieve_tokens *tokens, struct sieve_token *token)
{
	token->kind = SIEVE_IDENTIFIER;
	token->text = identifier(tokens);
	if (!str_same_nocase(token->text, STR("text")) || peek(tokens, 0) != ':')
		return true;
	tokens->at.at++;
	return multi_line(tokens, token);
}

static bool tag(struct sieve_tokens *tokens, struct sieve_token *token)
{
	token->kind = SIEVE_TAG;
	token->text = identifier(tokens);
	return token->text.len > 0 ||
	       wrong(tokens, token->line, "A colon stands without the name of a tag.");
}

static bool unknown(struct sieve_tokens *tokens)
{
	struct str rest = {tokens->at.at, left(tokens)};
	struct str after = rest;
	uint32_t code;

	if (rest.ptr[0] == '\0' || rest.ptr[0] == '\r')
		return wrong_octet(tokens);
	(void)utf8_take(&after, &code); /* what is broken is not shown */
	if (utf8_is_unseen(code) || code == UTF8_REPLACEMENT)
		return wrong(tokens, tokens->line,
			     "A character stands here that cannot be seen, and means "
			     "nothing in a script.");
	struct str said = arena_printf(tokens->arena, "\"%.*s\" means nothing here.",
				       STR_FMT(str_first(rest, rest.len - after.len)));

	tokens->flaw = (struct sieve_flaw){tokens->line, said};
	return false;
}

bool sieve_token_next(struct sieve_tokens *tokens, struct sieve_token *token)
{
	if (!white_space(tokens))
		return false;
	*token = (struct sieve_token){.kind = SIEVE_END, .line = tokens->line};
	if (left(tokens) == 0)
		return true;
	char first = peek(tokens, 0);

	if (is_name_start(first))
		return named(tokens, token);
	if (is_ascii_digit((unsigned char)first))
		return number(tokens, token);
	if (cur_byte(&tokens->at, ':'))
		return tag(tokens, token);
	if (cur_byte(&tokens->at, '"'))
		return quoted_string(tokens, token);
	if (str_find_byte(STR(";,()[]{}"), first) == STR(";,()[]{}").len)
		return unknown(tokens);
	token->kind = SIEVE_MARK;
	token->text = (struct str){tokens->at.at, 1};
	tokens->at.at++;
	return true;
}
