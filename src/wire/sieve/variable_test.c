#include "wire/sieve/variable.h"

#include "base/arena.h"
#include "base/test.h"

static void check(const char *text, const char *want)
{
	static const char kinds[] = "TVMF";
	struct str rest = str_c(text), said = STR("");
	struct sieve_piece piece;
	struct arena arena;

	arena_init(&arena, 1 << 16);
	while (sieve_piece_next(&rest, &piece)) {
		if (piece.kind == SIEVE_PIECE_MATCH)
			said = arena_printf(&arena, "%.*sM%u|", STR_FMT(said),
					    piece.number);
		else
			said = arena_printf(&arena, "%.*s%c%.*s|", STR_FMT(said),
					    kinds[piece.kind], STR_FMT(piece.text));
	}
	test_check_str(__FILE__, __LINE__, text, said, str_c(want));
	arena_fini(&arena);
}

/* The examples of RFC 5229 §3, and what is around them. */
TEST(sieve_variables_are_found_in_strings)
{
	check("", "");
	check("plain", "Tplain|");
	check("&%${}!", "T&%|T$|T{}!|");
	check("${doh!}", "T$|T{doh!}|");
	check("${full}", "Vfull|");
	check("a${B_1}c", "Ta|VB_1|Tc|");
	check("${BAD${Company}", "T$|T{BAD|VCompany|");
	check("${President, ${Company} Inc.}", "T$|T{President, |VCompany|T Inc.}|");
	check("${0}${1}${0012}", "M0|M1|M12|");
	check("${99999999999999}", "M1000|");
	check("${1a}", "T$|T{1a}|");
	check("${1.a}", "T$|T{1.a}|");
	check("${a.b}${a.b.3}", "Fa.b|Fa.b.3|");
	check("${a.}${a..b}${.a}", "T$|T{a.}|T$|T{a..b}|T$|T{.a}|");
	check("${a", "T$|T{a|");
	check("$", "T$|");
	check("$$${a}", "T$$|Va|");
}

TEST(sieve_variables_have_names_of_letters_and_digits)
{
	CHECK(sieve_variable_name(STR("a")));
	CHECK(sieve_variable_name(STR("_A9")));
	CHECK(!sieve_variable_name(STR("")));
	CHECK(!sieve_variable_name(STR("9")));
	CHECK(!sieve_variable_name(STR("a.b")));
	CHECK(!sieve_variable_name(STR("a b")));
	CHECK(!sieve_variable_name(STR("\xc3\xa4")));
}
