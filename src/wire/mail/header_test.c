#include "wire/mail/header.h"

#include "base/mem.h"
#include "base/test.h"

static const struct {
	struct str text;
	size_t count, len;
} cases[] = {
	{STR(""), 0, 0},
	{STR("\r\nbody"), 0, 2},
	{STR("A: b\r\n\r\nbody"), 1, 8},
	{STR("A: b\r\nC:d\r\n e\r\n\tf\r\n\r\n"), 2, 21},
	{STR("A: b\r\n \r\n c\r\n\r\nbody"), 1, 15}, /* a fold of spaces only */
	{STR("A: b\nC: d\n\nbody"), 2, 11},          /* LF_ENDS_LINES */
	{STR("A: b\r\nno field\r\n\r\n"), 1, 6},     /* NO_BLANK_LINE */
	{STR("A: b"), 1, 4},
	{STR("A: b\r\n : c\r\n\r\n"), 1, 14},
	{STR(" A: b\r\n\r\n"), 0, 0},
	{STR(": b\r\n\r\n"), 0, 0},
	{STR("A\xc3\xa4: b\r\n\r\n"), 0, 0},
	{STR("Subject \t: b\r\n\r\n"), 1, 16},             /* SPACE_BEFORE_COLON */
	{STR("From a Mon Jan 1\r\nA: b\r\n\r\nx"), 1, 26}, /* MBOX_FROM_LINE */
	{STR(">From a Mon Jan 1\r\nA: b\r\n\r\nx"), 1, 27},
};

TEST(a_header_is_split_into_its_fields)
{
	struct arena arena;

	arena_init(&arena, 10000);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mail_header h = mail_header_split(&arena, cases[i].text, 100);

		CHECK(h.count == cases[i].count && h.len == cases[i].len && !h.is_cut);
	}
	arena_fini(&arena);
}

TEST(a_field_is_name_and_raw_value)
{
	struct arena arena;
	struct str line;

	arena_init(&arena, 10000);
	struct mail_header h = mail_header_split(
		&arena, STR("X-A : 1\r\nTo: a,\r\n\tb\r\ntO: c\n\r\n"), 100);
	const struct mail_field *to = mail_header_find(&h, STR("TO"));

	CHECK(h.count == 3);
	CHECK_STR(h.fields[0].name, STR("X-A"));
	CHECK_STR(h.fields[0].value, STR(" 1"));
	CHECK(to == &h.fields[1] && to->at == 9 && to->len == 12);
	CHECK_STR(to->value, STR(" a,\r\n\tb"));
	CHECK_STR(h.fields[2].value, STR(" c"));
	CHECK(!mail_header_find(&h, STR("Cc")));
	CHECK(mail_unfold(&arena, to->value, &line));
	CHECK_STR(line, STR("a,\tb"));
	h = mail_header_split(&arena, STR("A: 1\r\nB: 2\r\n\r\n"), 1);
	CHECK(h.is_cut && h.count == 1 && h.len == 14);
	arena_fini(&arena);
}

TEST(unfolding_makes_one_line)
{
	struct arena arena;
	struct str line;

	arena_init(&arena, 20);
	CHECK(mail_unfold(&arena, STR("  a \r\n"), &line));
	CHECK_STR(line, STR("a"));
	CHECK(mail_unfold(&arena, STR(" a\r\n\r\n b\rc\nd"), &line));
	CHECK_STR(line, STR("a b c d"));
	CHECK(!mail_unfold(&arena, STR("a\r\n long enough for that"), &line));
	CHECK(line.len == 0);
	arena_fini(&arena);
}

TEST(a_megabyte_of_header_is_split_in_one_pass)
{
	size_t len = 1 << 20;
	char *text = mem_zeroed(len, 1);
	struct arena arena;

	arena_init(&arena, 100000);
	for (size_t i = 0; i + 8 <= len; i += 8)
		memcpy(text + i, i == 0 ? "A: bcd\r\n" : " :A bc\r\n", 8);
	struct mail_header h = mail_header_split(&arena, (struct str){text, len}, 10);

	CHECK(h.count == 1 && h.len == len);
	memset(text, 'a', len);
	h = mail_header_split(&arena, (struct str){text, len}, 10);
	CHECK(h.count == 0 && h.len == 0);
	arena_fini(&arena);
	mem_free(text);
}
