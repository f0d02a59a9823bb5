#include "base/test.h"
#include "search/segment.h"
#include "text/casemap.h"

static struct terms *made(const char *mail)
{
	struct terms *terms = terms_new();

	CHECK(terms_add_message(terms, STR("Return-Path: <bob@example.net>\r\n"),
				str_c(mail)));
	return terms;
}

static struct str class_text(struct terms *terms, enum search_class class,
			     struct buf *buf)
{
	struct term_lists lists;

	buf_reset(buf);
	CHECK(terms_write(terms, buf));
	if (!terms_read(buf_str(buf), &lists)) {
		CHECK(false);
		return STR("");
	}
	return lists.text[class];
}

TEST(words_are_sorted_by_where_they_stand)
{
	SCOPED(buf_fini) struct buf buf = BUF(100000);
	struct terms *terms = made("Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= to you, you\r\n"
				   "From: Ann <ann@example.org>\r\nX-Note: n1\r\n"
				   "Content-Type: text/plain; charset=iso-8859-1\r\n\r\n"
				   "caf\xe9 b-a\r\n");

	CHECK_STR(class_text(terms, SEARCH_SUBJECT, &buf), STR("\0GRU\xcc\x88\xc3\x9f"
							       "E\0TO\0YOU\0"));
	CHECK_STR(class_text(terms, SEARCH_FROM, &buf), STR("\0ANN\0EXAMPLE\0ORG\0"));
	CHECK_STR(class_text(terms, SEARCH_BODY, &buf), STR("\0A\0B\0CAFE\xcc\x81\0"));
	CHECK_STR(class_text(terms, SEARCH_CC, &buf), STR(""));
	struct str fields = class_text(terms, SEARCH_FIELDS, &buf);

	CHECK(str_find(fields, STR("\0BOB\0")) < fields.len);
	CHECK(str_find(fields, STR("\0N1\0")) < fields.len);
	CHECK(str_find(fields, STR("\0SUBJECT\0")) < fields.len); /* the name */
	terms_free(&terms);
}

TEST(a_long_word_stands_in_pieces_that_overlap)
{
	SCOPED(buf_fini) struct buf buf = BUF(100000), text = BUF(1000);
	struct terms *terms = terms_new();

	for (unsigned i = 0; i < 150; i++)
		buf_add_byte(&text, (char)('A' + i % 26));
	terms_add(terms, SEARCH_BODY, buf_str(&text));
	struct str list = class_text(terms, SEARCH_BODY, &buf);

	for (size_t at = 0; at + TERM_PART_MAX <= text.len; at++) {
		struct str part = str_first(str_skip(buf_str(&text), at), TERM_PART_MAX);

		CHECK(str_find(list, part) < list.len);
	}
	terms_free(&terms);
}

TEST(a_mail_with_too_many_words_is_not_for_the_index)
{
	SCOPED(buf_fini) struct buf buf = BUF(1 << 20), text = BUF(4 << 20);
	struct terms *terms = terms_new();

	for (unsigned i = 0; i < 30000; i++)
		buf_printf(&text, "w%u ", i);
	terms_add(terms, SEARCH_BODY, buf_str(&text));
	CHECK(!terms_write(terms, &buf));
	terms_reset(terms);
	buf_reset(&buf);
	terms_add(terms, SEARCH_BODY, STR("a"));
	CHECK(terms_write(terms, &buf));
	terms_free(&terms);
	terms = terms_new();
	buf_reset(&text);
	for (unsigned i = 0; i < 70000; i++)
		buf_add_c(&text, "X-Field: a value\r\n");
	CHECK(!terms_add_message(terms, STR(""), buf_str(&text)));
	terms_free(&terms);
}

TEST(octets_that_are_no_words_are_refused)
{
	static const struct str bad[] = {
		STR(""),
		STR("\0\0\0\0\0"),
		STR("\3\0A\0\0\0\0\0\0x"),   /* more behind */
		STR("\3A\0\0\0\0\0\0"),      /* no NUL in front */
		STR("\2\0A\0\0\0\0\0"),      /* none at the end */
		STR("\5\0B\0A\0\0\0\0\0\0"), /* not in order */
		STR("\5\0A\0A\0\0\0\0\0\0"), /* a double */
		STR("\2\0\0\0\0\0\0\0"),     /* an empty one */
	};
	struct term_lists lists;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!terms_read(bad[i], &lists));
	CHECK(terms_read(STR("\5\0A\0B\0\0\0\0\0\0"), &lists));
}

TEST(a_needle_is_exact_if_it_is_part_of_one_word)
{
	static const struct {
		struct str text;
		size_t count;
		bool is_exact;
		struct str first;
	} cases[] = {
		{STR("WORD"), 1, true, STR("WORD")},
		{STR("WORD."), 1, false, STR("WORD\0")},
		{STR(" WORD"), 1, false, STR("\0WORD")},
		{STR(".WORD."), 1, false, STR("\0WORD\0")},
		{STR("ANN@EXAMPLE.ORG"), 3, false, STR("ANN\0")},
		{STR("--"), 0, false, STR("")},
		{STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), 1, true,
		 STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")},
		{STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), 1, false,
		 STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")},
		{STR("A B C D E F G H I J"), NEEDLE_PATTERNS_MAX, false, STR("A\0")},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct needle needle;

		needle_make(&needle, cases[i].text);
		CHECK(needle.count == cases[i].count);
		CHECK(needle.is_exact == cases[i].is_exact);
		if (needle.count > 0)
			CHECK_STR(needle.patterns[0], cases[i].first);
	}
}
