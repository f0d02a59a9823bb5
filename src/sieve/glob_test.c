#include "sieve/glob.h"

#include "base/arena.h"
#include "base/test.h"

/* What the wildcards stand for, each in brackets; "no" if it does not fit. */
static void check(const char *value, const char *pattern, const char *want)
{
	struct str wild[4], said = STR("");
	struct arena arena;
	struct glob glob = {.pattern = str_c(pattern),
			    .value = str_c(value),
			    .wild = wild,
			    .wild_max = 4,
			    .steps_max = 10000};

	arena_init(&arena, 1 << 16);
	if (!glob_matches(&glob))
		said = STR("no");
	for (size_t i = 0; !str_same(said, STR("no")) && i < glob.wild_count && i < 4;
	     i++)
		said = arena_printf(&arena, "%.*s[%.*s]", STR_FMT(said),
				    STR_FMT(wild[i]));
	test_check_str(__FILE__, __LINE__, pattern, said, str_c(want));
	arena_fini(&arena);
}

TEST(globs_match_all_of_a_value)
{
	check("", "", "");
	check("", "*", "[]");
	check("", "?", "no");
	check("abc", "abc", "");
	check("abc", "ab", "no");
	check("ab", "abc", "no");
	check("abc", "a?c", "[b]");
	check("abc", "*", "[abc]");
	check("abc", "a*", "[bc]");
	check("abc", "*c", "[ab]");
	check("abcabd", "*ab?", "[abc][d]");
	check("aXbXc", "*X*", "[a][bXc]");
	check("coyote@ACME.Example.COM", "coyote@**.COM", "[][ACME.Example]");
	check("[acme-users] [fwd] version", "[[]*", "no");
	check("[acme-users] [fwd] version", "[*] *", "[acme-users][[fwd] version]");
	check("aaab", "*a?b", "[a][a]");
	check("a1b2c3d4e5", "?1?2?3?4?5", "[a][b][c][d]");
}

TEST(globs_have_escapes)
{
	check("a*b", "a\\*b", "");
	check("axb", "a\\*b", "no");
	check("a?b", "a\\??", "[b]");
	check("a\\b", "a\\\\b", "");
	check("ab", "a\\b", "");
	check("a\\", "a\\", "");
	check("**", "*\\*", "[*]");
}

TEST(globs_give_up_in_time)
{
	struct glob glob = {.pattern = STR("*aaaab"),
			    .value = STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
			    .steps_max = 50};

	CHECK(!glob_matches(&glob));
	CHECK(glob.steps > glob.steps_max);
}
