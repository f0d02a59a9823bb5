#include "wire/sieve/script.h"

#include "base/buf.h"
#include "base/utf8.h"

struct parser {
	struct sieve_tokens tokens;
	struct sieve_token token; /* the one that was not taken yet */
	size_t node_count, string_count;
	struct sieve_flaw flaw;
};

static bool wrong(struct parser *p, unsigned line, const char *sentence)
{
	p->flaw = (struct sieve_flaw){line, str_c(sentence)};
	return false;
}

PRINTF_LIKE(3, 4)
static bool wrong_about(struct parser *p, unsigned line, const char *format, ...)
{
	struct buf said = BUF(1024);
	va_list args;

	va_start(args, format);
	buf_vprintf(&said, format, args);
	va_end(args);
	p->flaw.line = line;
	if (!arena_copy(p->tokens.arena, buf_str(&said), &p->flaw.sentence))
		p->flaw.sentence = STR("The script is not right here.");
	buf_fini(&said);
	return false;
}

/* Goes on to the next token. */
static bool step(struct parser *p)
{
	if (sieve_token_next(&p->tokens, &p->token))
		return true;
	p->flaw = p->tokens.flaw;
	return false;
}

static bool sees(const struct parser *p, char mark)
{
	return p->token.kind == SIEVE_MARK && p->token.text.ptr[0] == mark;
}

static struct str shown(const struct parser *p)
{
	switch (p->token.kind) {
	case SIEVE_END:
		return STR("the end of the script");
	case SIEVE_NUMBER:
		return STR("a number");
	case SIEVE_STRING:
		return STR("a string");
	case SIEVE_TAG:
		return STR("a tag");
	case SIEVE_IDENTIFIER:
	case SIEVE_MARK:
		break;
	}
	return str_first(p->token.text, 100);
}

static bool expected(struct parser *p, const char *what)
{
	return wrong_about(p, p->token.line, "Here should be %s, but there is %s%.*s%s.",
			   what, p->token.kind == SIEVE_MARK ? "\"" : "",
			   STR_FMT(shown(p)), p->token.kind == SIEVE_MARK ? "\"" : "");
}

static bool no_room(struct parser *p)
{
	return wrong(p, p->token.line, "The script has more in it than can be kept.");
}

/* ---- arguments --------------------------------------------------------------------- */

/* string-list = "[" string *("," string) "]" / string; at a string. */
static bool string(struct parser *p, struct sieve_string ***end)
{
	if (p->token.kind != SIEVE_STRING)
		return expected(p, "a string");
	if (++p->string_count > SIEVE_STRINGS_MAX)
		return no_room(p);
	struct sieve_string *made = ARENA_NEW(p->tokens.arena, struct sieve_string);

	if (!made)
		return no_room(p);
	made->text = p->token.text;
	**end = made;
	*end = &made->next;
	return step(p);
}

static bool string_list(struct parser *p, struct sieve_argument *argument)
{
	struct sieve_string **end = &argument->strings;

	argument->kind = SIEVE_IS_STRINGS;
	argument->string_count = 1;
	if (!sees(p, '['))
		return string(p, &end);
	if (!step(p) || !string(p, &end))
		return false;
	while (sees(p, ',')) {
		argument->string_count++;
		if (!step(p) || !string(p, &end))
			return false;
	}
	return sees(p, ']') ? step(p) : expected(p, "\",\" or \"]\"");
}

static bool begins_argument(const struct parser *p)
{
	switch (p->token.kind) {
	case SIEVE_TAG:
	case SIEVE_NUMBER:
	case SIEVE_STRING:
		return true;
	case SIEVE_MARK:
		return sees(p, '[');
	case SIEVE_END:
	case SIEVE_IDENTIFIER:
		break;
	}
	return false;
}

/* argument = string-list / number / tag */
static bool argument(struct parser *p, struct sieve_argument ***end)
{
	struct sieve_argument *made = ARENA_NEW(p->tokens.arena, struct sieve_argument);

	if (!made || ++p->string_count > SIEVE_STRINGS_MAX)
		return no_room(p);
	**end = made;
	*end = &made->next;
	made->line = p->token.line;
	if (p->token.kind == SIEVE_NUMBER) {
		made->kind = SIEVE_IS_NUMBER;
		made->number = p->token.number;
		return step(p);
	}
	if (p->token.kind == SIEVE_TAG) {
		made->kind = SIEVE_IS_TAG;
		made->tag = p->token.text;
		return step(p);
	}
	return string_list(p, made);
}

/* ---- tests and commands ------------------------------------------------------------ */

/* At the identifier that begins a command or a test. */
static bool node(struct parser *p, struct sieve_node **made)
{
	*made = ARENA_NEW(p->tokens.arena, struct sieve_node);
	if (!*made || ++p->node_count > SIEVE_NODES_MAX)
		return no_room(p);
	(*made)->name = p->token.text;
	(*made)->line = p->token.line;
	return step(p);
}

static bool arguments(struct parser *p, struct sieve_node *owner, unsigned depth);

/* test = identifier arguments */
static bool test(struct parser *p, struct sieve_node **made, unsigned depth)
{
	if (p->token.kind != SIEVE_IDENTIFIER)
		return expected(p, "a test");
	if (depth == 0)
		return wrong(p, p->token.line,
			     "Tests stand inside of tests more than 32 deep.");
	return node(p, made) && arguments(p, *made, depth - 1);
}

/* test-list = "(" test *("," test) ")"; at the parenthesis. */
static bool test_list(struct parser *p, struct sieve_node *owner, unsigned depth)
{
	struct sieve_node **end = &owner->tests;

	owner->has_test_list = true;
	do {
		if (!step(p) || !test(p, end, depth))
			return false;
		end = &(*end)->next;
		owner->test_count++;
	} while (sees(p, ','));
	return sees(p, ')') ? step(p) : expected(p, "\",\" or \")\"");
}

/* arguments = *argument [ test / test-list ] */
static bool arguments(struct parser *p, struct sieve_node *owner, unsigned depth)
{
	struct sieve_argument **end = &owner->arguments;

	while (begins_argument(p)) {
		if (!argument(p, &end))
			return false;
	}
	if (sees(p, '('))
		return test_list(p, owner, depth);
	if (p->token.kind != SIEVE_IDENTIFIER)
		return true;
	owner->test_count = 1;
	return test(p, &owner->tests, depth);
}

static bool commands(struct parser *p, struct sieve_node **first, unsigned depth);

/* block = "{" commands "}"; at the brace. */
static bool block(struct parser *p, struct sieve_node *owner, unsigned depth)
{
	unsigned line = p->token.line;

	owner->has_block = true;
	if (depth == 0)
		return wrong(p, line, "Blocks stand inside of blocks more than 32 deep.");
	if (!step(p) || !commands(p, &owner->block, depth - 1))
		return false;
	if (p->token.kind == SIEVE_END)
		return wrong(p, line, "A block is not closed: \"}\" is missing.");
	return sees(p, '}') ? step(p) : expected(p, "a command or \"}\"");
}

/* command = identifier arguments (";" / block) */
static bool command(struct parser *p, struct sieve_node **made, unsigned depth)
{
	if (!node(p, made) || !arguments(p, *made, SIEVE_DEPTH_MAX))
		return false;
	if (sees(p, '{'))
		return block(p, *made, depth);
	if (sees(p, ';'))
		return step(p);
	return wrong_about(
		p, (*made)->line,
		"The command \"%.*s\" has no end: \";\" or a block is missing.",
		STR_FMT(str_first((*made)->name, 100)));
}

static bool commands(struct parser *p, struct sieve_node **first, unsigned depth)
{
	while (p->token.kind == SIEVE_IDENTIFIER) {
		if (!command(p, first, depth))
			return false;
		first = &(*first)->next;
	}
	return true;
}

/* ---- the script -------------------------------------------------------------------- */

/* The line of the first octet that is no UTF-8. */
static unsigned broken_line(struct str script)
{
	unsigned line = 1;
	uint32_t code;

	while (script.len > 0 && utf8_take(&script, &code))
		line += code == '\n';
	return line;
}

bool sieve_script_parse(struct str script, struct arena *arena, struct sieve_node **first,
			struct sieve_flaw *flaw)
{
	struct parser p = {.tokens = sieve_tokens_over(script, arena)};
	bool is_good = false;

	*first = NULL;
	if (script.len > SIEVE_SCRIPT_BYTES_MAX)
		(void)wrong(&p, 1, "The script is too big: 256 KiB at most.");
	else if (!utf8_valid(script))
		(void)wrong(&p, broken_line(script), "Here is text that is no UTF-8.");
	else if (step(&p) && commands(&p, first, SIEVE_DEPTH_MAX))
		is_good = p.token.kind == SIEVE_END || expected(&p, "a command");
	*flaw = p.flaw;
	return is_good;
}
