#include "wire/sieve/script.h"

#include "base/buf.h"
#include "base/test.h"

/* The tree in one line, as it would be written. */
static void say_node(struct buf *out, const struct sieve_node *node);

static void say_tests(struct buf *out, const struct sieve_node *node)
{
	if (node->has_test_list)
		buf_add_byte(out, '(');
	for (const struct sieve_node *test = node->tests; test; test = test->next) {
		if (test != node->tests)
			buf_add_byte(out, ',');
		say_node(out, test);
	}
	if (node->has_test_list)
		buf_add_byte(out, ')');
}

static void say_argument(struct buf *out, const struct sieve_argument *argument)
{
	switch (argument->kind) {
	case SIEVE_IS_TAG:
		buf_printf(out, ":%.*s", STR_FMT(argument->tag));
		return;
	case SIEVE_IS_NUMBER:
		buf_add_u64(out, argument->number);
		return;
	case SIEVE_IS_STRINGS:
		break;
	}
	buf_printf(out, "%zu", argument->string_count);
	for (const struct sieve_string *s = argument->strings; s; s = s->next)
		buf_printf(out, "'%.*s'", STR_FMT(s->text));
}

static void say_node(struct buf *out, const struct sieve_node *node)
{
	buf_add(out, node->name);
	for (const struct sieve_argument *a = node->arguments; a; a = a->next) {
		buf_add_byte(out, ' ');
		say_argument(out, a);
	}
	if (node->tests)
		buf_add_byte(out, ' ');
	say_tests(out, node);
	if (!node->has_block)
		return;
	buf_add_byte(out, '{');
	for (const struct sieve_node *c = node->block; c; c = c->next) {
		say_node(out, c);
		buf_add_byte(out, ';');
	}
	buf_add_byte(out, '}');
}

static void check(const char *script, const char *want)
{
	struct buf out = BUF(1 << 20);
	struct sieve_node *first;
	struct sieve_flaw flaw;
	struct arena arena;

	arena_init(&arena, 1 << 24);
	if (sieve_script_parse(str_c(script), &arena, &first, &flaw)) {
		for (const struct sieve_node *c = first; c; c = c->next) {
			say_node(&out, c);
			buf_add_byte(&out, ';');
		}
	} else {
		buf_printf(&out, "%u: %.*s", flaw.line, STR_FMT(flaw.sentence));
	}
	test_check_str(__FILE__, __LINE__, script, buf_str(&out), str_c(want));
	arena_fini(&arena);
	buf_fini(&out);
}

TEST(sieve_scripts_become_trees)
{
	check("", "");
	check(" # only a comment", "");
	check("keep;", "keep;");
	check("require [\"a\", \"b\"] ; stop;", "require 2'a''b';stop;");
	check("fileinto \"x\";", "fileinto 1'x';");
	check("x :a 1K :b [\"c\"] \"d\";", "x :a 1024 :b 1'c' 1'd';");
	check("if true {} else { keep; stop ; }", "if true{};else{keep;stop;};");
	check("if anyof(not exists [\"a\"], allof (true, false)) {discard;}",
	      "if anyof (not exists 1'a',allof (true,false)){discard;};");
	check("if header :is \"a\" text:\r\nb\r\n.\r\n{}",
	      "if header :is 1'a' 1'b\r\n'{};");
}

TEST(sieve_flaws_say_where_and_what)
{
	check("keep", "1: The command \"keep\" has no end: \";\" or a block is missing.");
	check("keep\n}", "1: The command \"keep\" has no end: \";\" or a block is "
			 "missing.");
	check("keep;\n}", "2: Here should be a command, but there is \"}\".");
	check("\"a\"", "1: Here should be a command, but there is a string.");
	check("12", "1: Here should be a command, but there is a number.");
	check(":a", "1: Here should be a command, but there is a tag.");
	check("if true {\nkeep;\n", "1: A block is not closed: \"}\" is missing.");
	check("if true {\n;}",
	      "2: Here should be a command or \"}\", but there is \";\".");
	check("a [];", "1: Here should be a string, but there is \"]\".");
	check("a [\"b\",];", "1: Here should be a string, but there is \"]\".");
	check("a [\"b\" \"c\"];",
	      "1: Here should be \",\" or \"]\", but there is a string.");
	check("a [\"b\"", "1: Here should be \",\" or \"]\", but there is the end of the "
			  "script.");
	check("a (b {", "1: Here should be \",\" or \")\", but there is \"{\".");
	check("a ();", "1: Here should be a test, but there is \")\".");
	check("a (b,);", "1: Here should be a test, but there is \")\".");
	check("keep;\n\"", "2: A string is not closed: '\"' is missing.");
	check("keep;\n# \xff", "2: Here is text that is no UTF-8.");
}

/* n times a, then b, then n times c; a NUL follows. */
static struct str nested(struct arena *arena, size_t n, const char *a, const char *b,
			 const char *c)
{
	struct buf out = BUF(1 << 24);
	struct str made;

	for (size_t i = 0; i < n; i++)
		buf_add_c(&out, a);
	buf_add_c(&out, b);
	for (size_t i = 0; i < n; i++)
		buf_add_c(&out, c);
	buf_add_byte(&out, '\0');
	CHECK(arena_copy(arena, buf_str(&out), &made));
	made.len--;
	buf_fini(&out);
	return made;
}

static void check_flaw(struct arena *arena, struct str script, const char *want)
{
	struct sieve_node *first;
	struct sieve_flaw flaw = {0};

	CHECK(sieve_script_parse(script, arena, &first, &flaw) == (want == NULL));
	CHECK_STR(flaw.sentence, str_c(want));
}

TEST(sieve_nesting_is_bounded)
{
	struct arena arena;

	arena_init(&arena, 1 << 26);
	check_flaw(&arena, nested(&arena, 32, "if a{", "", "}"), NULL);
	check_flaw(&arena, nested(&arena, 33, "if a{", "", "}"),
		   "Blocks stand inside of blocks more than 32 deep.");
	check_flaw(&arena,
		   nested(&arena, 1, "if", nested(&arena, 31, "(a", "", ")").ptr, "{}"),
		   NULL);
	check_flaw(&arena, nested(&arena, 33, " not", " a", ""),
		   "Tests stand inside of tests more than 32 deep.");
	arena_fini(&arena);
}

TEST(sieve_scripts_are_bounded)
{
	static const char *const much = "The script has more in it than can be kept.";
	struct arena arena;

	arena_init(&arena, 1 << 26);
	check_flaw(&arena, nested(&arena, 10000, "a;", "", ""), NULL);
	check_flaw(&arena, nested(&arena, 10001, "a;", "", ""), much);
	check_flaw(&arena, nested(&arena, 30000, "1 ", "", ""),
		   "Here should be a "
		   "command, but there is a number.");
	check_flaw(&arena,
		   nested(&arena, 1, "a ", nested(&arena, 30001, "1 ", "", "").ptr, ";"),
		   much);
	check_flaw(&arena,
		   nested(&arena, 1, "a [", nested(&arena, 30000, "\"\",", "", "").ptr,
			  "\"\"];"),
		   much);
	check_flaw(&arena, nested(&arena, 131072, " ", "", " "), NULL);
	check_flaw(&arena, nested(&arena, 131072, " ", " ", " "),
		   "The script is too big: 256 KiB at most.");
	arena_fini(&arena);
}

TEST(sieve_scripts_stay_in_their_arena)
{
	static const char script[] = "if a :b [\"\\c\", \"d\"] (e) { text 1; }\n=";

	for (size_t max = 0; max < 2000; max += 8) {
		struct sieve_node *first;
		struct sieve_flaw flaw;
		struct arena arena;

		arena_init(&arena, max);
		CHECK(!sieve_script_parse(str_c(script), &arena, &first, &flaw));
		CHECK(flaw.line > 0);
		arena_fini(&arena);
	}
}
