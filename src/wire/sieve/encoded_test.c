#include "wire/sieve/encoded.h"

#include "base/test.h"

static void check(const char *text, const char *want)
{
	struct arena arena;
	struct str decoded;

	arena_init(&arena, 1 << 16);
	err_t err = sieve_encoded_decode(str_c(text), &arena, &decoded);

	CHECK(err == (want ? OK : ERR_SYNTAX));
	if (want)
		test_check_str(__FILE__, __LINE__, text, decoded, str_c(want));
	arena_fini(&arena);
}

/* The examples of RFC 5228 §2.4.2.4, and what is around them. */
TEST(sieve_encoded_characters_are_decoded)
{
	check("", "");
	check("plain", "plain");
	check("$${hex:40}", "$@");
	check("${hex: 40 }", "@");
	check("${HEX: 40}", "@");
	check("${hex:40", "${hex:40");
	check("${hex:400}", "${hex:400}");
	check("${hex:4${hex:30}}", "${hex:40}");
	check("${unicode:40}", "@");
	check("${ unicode:40}", "${ unicode:40}");
	check("${UnICoDE:0000040}", "@");
	check("${Unicode:Cool}", "${Unicode:Cool}");
	check("${unicode:200000}", NULL);
	check("${Unicode:DF01}", NULL);
	check("${hex:24 24}a${hex:a}", "$$a\n");
	check("${hex:\r\n c3\t a4 }", "\xc3\xa4");
	check("${unicode:e4 20AC 1f600}", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	check("${unicode:110000 x}", "${unicode:110000 x}");
	check("${unicode:fffffffffffffff}", NULL);
	check("${hex:}${unicode:}${hex: }", "${hex:}${unicode:}${hex: }");
	check("${", "${");
	check("${x}", "${x}");
	check("${hex:41}${hex:4g}", "A${hex:4g}");
}

TEST(sieve_encoded_characters_may_be_an_octet_zero)
{
	struct arena arena;
	struct str decoded;

	arena_init(&arena, 4);
	CHECK(sieve_encoded_decode(STR("a${hex:0}b"), &arena, &decoded) == OK);
	CHECK_STR(decoded, STR("a\0b"));
	CHECK(sieve_encoded_decode(STR("a${hex:0}b"), &arena, &decoded) == ERR_LIMIT);
	arena_fini(&arena);
}
