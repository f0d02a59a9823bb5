#include "wire/sieve/token.h"

#include "base/test.h"

/* The tokens as one line each: kind letter, line, text. */
static struct str all(struct arena *arena, const char *script)
{
	static const char kinds[] = "EITNSM";
	struct sieve_tokens tokens = sieve_tokens_over(str_c(script), arena);
	struct sieve_token token;
	struct str said = STR("");

	for (;;) {
		if (!sieve_token_next(&tokens, &token))
			return arena_printf(arena, "%.*s!%u %.*s", STR_FMT(said),
					    tokens.flaw.line,
					    STR_FMT(tokens.flaw.sentence));
		if (token.kind == SIEVE_END)
			return said;
		if (token.kind == SIEVE_NUMBER)
			said = arena_printf(arena, "%.*sN%u %llu|", STR_FMT(said),
					    token.line, (unsigned long long)token.number);
		else
			said = arena_printf(arena, "%.*s%c%u %.*s|", STR_FMT(said),
					    kinds[token.kind], token.line,
					    STR_FMT(token.text));
	}
}

static void check(const char *script, const char *want)
{
	struct arena arena;

	arena_init(&arena, 1 << 20);
	test_check_str(__FILE__, __LINE__, script, all(&arena, script), str_c(want));
	arena_fini(&arena);
}

TEST(sieve_words_are_told_apart)
{
	check("", "");
	check("if _a1 :Tag 12;", "I1 if|I1 _a1|T1 Tag|N1 12|M1 ;|");
	check("[](){};,", "M1 [|M1 ]|M1 (|M1 )|M1 {|M1 }|M1 ;|M1 ,|");
	check("a\r\nb\r\n\tc", "I1 a|I2 b|I3 c|");
	check("text", "I1 text|");
	check("text ::text", "I1 text|!1 A colon stands without the name of a tag.");
	check(":text :a", "T1 text|T1 a|");
}

TEST(sieve_numbers_have_quantifiers_and_a_bound)
{
	check("0 7k 7K 2M 1g", "N1 0|N1 7168|N1 7168|N1 2097152|N1 1073741824|");
	check("2147483647 9223372036854775807", "N1 2147483647|N1 9223372036854775807|");
	check("9223372036854775808", "!1 The number is too big.");
	check("9007199254740992K", "!1 The number is too big.");
	check("99999999999999999999999", "!1 The number is too big.");
	check("1X", "!1 A number has other letters behind it than K, M or G.");
	check("1KK", "!1 A number has other letters behind it than K, M or G.");
	check("1K1", "!1 A number has other letters behind it than K, M or G.");
}

TEST(sieve_comments_are_passed_over)
{
	check("# a \" b\r\nx # end", "I2 x|");
	check("a/* b\r\n * / ** */c/**/d/***/e", "I1 a|I2 c|I2 d|I2 e|");
	check("a\r\n/* b\r\n", "I1 a|!2 A comment is not closed: \"*/\" is missing.");
	check("/*/", "!1 A comment is not closed: \"*/\" is missing.");
	check("a / b", "I1 a|!1 \"/\" means nothing here.");
	check("/*\r*/", "!1 A carriage return stands without its line feed.");
}

TEST(sieve_quoted_strings_mean_what_is_escaped)
{
	check("\"\"", "S1 |");
	check("\"a b\" \"c\"", "S1 a b|S1 c|");
	check("\"\\\"\\\\\\a\"", "S1 \"\\a|");
	check("\"a\r\nb\"c", "S1 a\r\nb|I2 c|");
	check("x\r\n\"a\r\nb", "I1 x|!2 A string is not closed: '\"' is missing.");
	check("\"a\\", "!1 A string is not closed: '\"' is missing.");
	check("\"a\\\"", "!1 A string is not closed: '\"' is missing.");
	check("\"a\\\r\n\"", "!1 A backslash in a string has no character behind it.");
	check("\"a\rb\"", "!1 A carriage return stands without its line feed.");
}

TEST(sieve_texts_end_at_a_dot)
{
	check("text:\r\na\r\n..b\r\n.c\r\n\r\n.\r\n;", "S1 a\r\n.b\r\n.c\r\n\r\n|M7 ;|");
	check("TEXT: \t# why\r\n.\r\n", "S1 |");
	check("text:\r\n...\r\n.", "S1 ..\r\n|");
	check("text: a\r\n.\r\n",
	      "!1 The text has to begin in the line behind \"text:\".");
	check("x\r\ntext:\r\na\r\n",
	      "I1 x|!2 A text is not closed: a line that is only \".\" is missing.");
	check("text:\r\na",
	      "!1 A text is not closed: a line that is only \".\" is missing.");
	check("text:\r\na\rb\r\n.\r\n",
	      "!2 A carriage return stands without its line feed.");
}

TEST(sieve_lines_may_end_in_lf_alone)
{
	check("a\nb # c\n/* \n */ d", "I1 a|I2 b|I4 d|");
	check("\"a\nb\r\n\nc\"", "S1 a\r\nb\r\n\r\nc|");
	check("text:\n.\nb", "S1 |I3 b|");
	check("text:\n..a\nb\n.\n", "S1 .a\r\nb\r\n|");
	check("\"\\\\\n\"", "S1 \\\r\n|");
}

TEST(sieve_other_characters_are_named)
{
	check("a\n=", "I1 a|!2 \"=\" means nothing here.");
	check("\xc3\xa4", "!1 \"\xc3\xa4\" means nothing here.");
	check("\x01", "!1 A character stands here that cannot be seen, and means "
		      "nothing in a script.");
	check("\r", "!1 A carriage return stands without its line feed.");

	struct arena arena;
	struct sieve_token token;

	arena_init(&arena, 1 << 10);
	struct sieve_tokens tokens = sieve_tokens_over(STR("\0"), &arena);

	CHECK(!sieve_token_next(&tokens, &token));
	CHECK_STR(tokens.flaw.sentence,
		  STR("An octet 0 stands here, which no script may hold."));
	arena_fini(&arena);
}

TEST(sieve_strings_are_bounded_by_the_arena)
{
	struct arena arena;
	struct sieve_token token;

	arena_init(&arena, 4);
	struct sieve_tokens tokens = sieve_tokens_over(STR("\"\\a\""), &arena);

	CHECK(!sieve_token_next(&tokens, &token));
	CHECK_STR(tokens.flaw.sentence, STR("The script is too big to be kept."));
	tokens = sieve_tokens_over(STR("text:\n.\n"), &arena);
	arena.max = 0;
	CHECK(!sieve_token_next(&tokens, &token));
	arena_fini(&arena);
}
