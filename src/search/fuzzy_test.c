#include "search/fuzzy.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/test.h"
#include "base/utf8.h"
#include "text/casemap.h"

enum { ALL = (1 << SEARCH_CLASSES) - 1, BODY = 1 << SEARCH_BODY };

static struct str mapped(struct buf *to, const char *text)
{
	*to = BUF(10000);
	casemap_add(to, str_c(text));
	return buf_str(to);
}

/* What a text in the body is worth to one that is looked for there. */
static unsigned score(const char *wanted, const char *text)
{
	struct buf a, b;
	struct fuzzy fuzzy;
	struct fuzzy_fit fit = {0};

	fuzzy_make(&fuzzy, mapped(&a, wanted), BODY);
	fuzzy_text(&fuzzy, SEARCH_BODY, mapped(&b, text), &fit);
	unsigned found = fuzzy_score(&fuzzy, &fit);

	buf_fini(&a);
	buf_fini(&b);
	return found;
}

static const struct {
	const char *wanted, *text;
	unsigned score;
} scores[] = {
	{"invoice", "the Invoice of May", 100},
	{"invoi", "invoice", 72},
	{"invoice", "invoices", 82},
	{"in", "international", 39},
	{"oic", "invoice", 17},
	{"invoise", "invoice", 60},
	{"invocie", "invoice", 60},
	{"nvoice", "invoice", 50}, /* another first letter */
	{"inwice", "invoice", 0},
	{"inwocie", "invoice", 0},
	{"accomodatoin", "accommodation", 40},
	{"bccomodatoin", "accommodation", 0},
	{"acomodatoin", "accommodation", 0},
	{"bill", "ball", 60},
	{"bill", "mill", 50},
	{"bil", "bal", 0},
	{"cats", "cat", 60},
	{"helo", "hello", 60},
	{"2024", "2025", 0},
	{"a4b5c6d7", "a4b5c6d8", 0},
	{"2024", "20245", 78},
	/* Accents, and letters that have none. */
	{"resume", "R\xc3\xa9sum\xc3\xa9", 100},
	{"r\xc3\xa9sum\xc3\xa9", "resume", 100},
	{"strasse",
	 "Stra\xc3\x9f"
	 "e",
	 100},
	{"STRASSE",
	 "die Stra\xc3\x9f"
	 "en",
	 82},
	{"smorrebrod",
	 "sm\xc3\xb8rrebr\xc3\xb8"
	 "d",
	 100},
	{"aether", "\xc3\x86ther", 100},
	{"lodz",
	 "\xc5\x81\xc3\xb3"
	 "d\xc5\xba",
	 100},
	{"Mueller", "M\xc3\xbcller", 60},
	{"\xd0\xb5\xd0\xbb\xd0\xba\xd0\xb0", "\xd1\x91\xd0\xbb\xd0\xba\xd0\xb0", 100},
	{"\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82",
	 "\xd0\xbf\xd1\x80\xd0\xb5\xd0\xb2\xd0\xb5\xd1\x82", 60},
	/* Signs between words that the index takes for letters. */
	{"Rechnung",
	 "\xe2\x80\x9cRechnung\xe2\x80\x9d\xe2\x80\x94"
	 "bezahlt",
	 100},
	{"\xe2\x80\x9cRechnung\xe2\x80\x9d", "rechnung", 100},
	{"dont", "don\xe2\x80\x99t", 60},
	{"in\xc2\xadvoice", "invoice", 100},
	/* Where there are no spaces. */
	{"\xe6\x97\xa5\xe6\x9c\xac", "\xe5\x9c\xa8\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
	 90},
	{"\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe4\xba\xac", 0},
	/* Every word, in any order. */
	{"IMAP break", "breaks of IMAP", 90},
	{"broken imap", "IMAP is broken", 100},
	{"imap broken", "IMAP is fine", 0},
	{"imap imap", "imap", 100},
	/* Long runs, which are looked at in pieces. */
	{"qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq",
	 "aqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
	 "z",
	 70},
};

TEST(words_are_found_as_people_mean_them)
{
	for (size_t i = 0; i < COUNT_OF(scores); i++) {
		unsigned found = score(scores[i].wanted, scores[i].text);

		if (found != scores[i].score)
			(void)fprintf(stderr, "%s in %s: %u\n", scores[i].wanted,
				      scores[i].text, found);
		CHECK(found == scores[i].score);
	}
}

TEST(the_order_of_what_is_found_makes_sense)
{
	static const char *const best_first[] = {
		"an invoice", "invoices", "invoicefile",
		"my invoise", "unvoice",  "xinvoicex",
	};

	for (size_t i = 1; i < COUNT_OF(best_first); i++)
		CHECK(score("invoice", best_first[i - 1]) >
		      score("invoice", best_first[i]));
	CHECK(score("invoice", "xinvoicex") > 0);
}

static unsigned score_in(unsigned classes, enum search_class class)
{
	struct fuzzy fuzzy;
	struct fuzzy_fit fit = {0};

	fuzzy_make(&fuzzy, STR("INVOICE"), classes);
	(void)fuzzy_term(&fuzzy, class, STR("INVOICE"), &fit);
	return fuzzy_score(&fuzzy, &fit);
}

TEST(where_a_word_stands_counts_unless_one_place_was_asked_about)
{
	static const enum search_class best_first[] = {SEARCH_SUBJECT, SEARCH_FROM,
						       SEARCH_TO,      SEARCH_CC,
						       SEARCH_BODY,    SEARCH_FIELDS};

	CHECK(score_in(ALL, SEARCH_SUBJECT) == 100);
	for (size_t i = 0; i < COUNT_OF(best_first); i++) {
		unsigned only = 1u << best_first[i];

		if (i > 0)
			CHECK(score_in(ALL, best_first[i - 1]) >
			      score_in(ALL, best_first[i]));
		CHECK(score_in(only, best_first[i]) == 100);
		CHECK(score_in(ALL & ~only, best_first[i]) == 0);
	}
}

TEST(rare_words_weigh_more)
{
	struct fuzzy fuzzy;
	struct fuzzy_fit common_exact = {{100, 60}}, rare_exact = {{60, 100}};

	fuzzy_make(&fuzzy, STR("THE INVOICE"), BODY);
	CHECK(fuzzy.count == 2);
	CHECK(fuzzy_score(&fuzzy, &common_exact) == fuzzy_score(&fuzzy, &rare_exact));
	fuzzy_weigh(&fuzzy.words[0], 900, 1000);
	fuzzy_weigh(&fuzzy.words[1], 5, 1000);
	CHECK(fuzzy.words[0].weight == 1 && fuzzy.words[1].weight == 8);
	CHECK(fuzzy_score(&fuzzy, &common_exact) < fuzzy_score(&fuzzy, &rare_exact));
	fuzzy_weigh(&fuzzy.words[0], 0, 0);
	CHECK(fuzzy.words[0].weight >= 1 && fuzzy.words[0].weight <= FUZZY_WEIGHT_MAX);
}

TEST(texts_are_bounded)
{
	SCOPED(buf_fini) struct buf text = BUF(100000);
	struct fuzzy fuzzy;
	struct fuzzy_fit fit = {0};

	for (unsigned i = 0; i < 100; i++)
		buf_printf(&text, "W%uX ", i);
	fuzzy_make(&fuzzy, buf_str(&text), BODY);
	CHECK(fuzzy.count == FUZZY_WORDS_MAX);
	buf_reset(&text);
	for (unsigned i = 0; i < 1000; i++)
		buf_add_c(&text, "\xc3\x89");
	fuzzy_make(&fuzzy, buf_str(&text), BODY);
	CHECK(fuzzy.count == 1 && fuzzy.words[0].len == TERM_PART_MAX);
	fuzzy_text(&fuzzy, SEARCH_BODY, buf_str(&text), &fit);
	CHECK(fuzzy_score(&fuzzy, &fit) > 0);
	fuzzy_make(&fuzzy, STR("-- +\xe2\x80\x94\xcc\x81"), BODY);
	CHECK(fuzzy.count == 0);
	CHECK(fuzzy_score(&fuzzy, &fit) == 0);
}

static unsigned below(uint64_t *state, unsigned n)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(*state >> 33) % n;
}

/* Of letters with and without marks, signs, and octets that are none. */
static void make_text(uint64_t *state, struct buf *text, unsigned len)
{
	static const char *const letters[] = {
		"A",
		"B",
		"C",
		"AB",
		"A",
		"\xc3\x89",
		"E\xcc\x81",
		"\xc3\x9f",
		"SS",
		"\xc3\x86",
		"\xc5\x81",
		"L",
		"E",
		"\xe2\x80\x94",
		" ",
		"-",
		"\xe6\x97\xa5",
		"\xe6\x9c\xac",
		"\xff",
	};

	*text = BUF(10000);
	while (text->len < len)
		buf_add_c(text, letters[below(state, COUNT_OF(letters))]);
}

/* Whoever asks for a text that is there finds it without FUZZY and with it. */
TEST(what_holds_a_text_exactly_holds_it_fuzzily)
{
	uint64_t state = 7;
	unsigned checked = 0;

	for (unsigned i = 0; i < 20000; i++) {
		SCOPED(buf_fini) struct buf raw, text = BUF(100000);
		struct fuzzy fuzzy;
		struct fuzzy_fit fit = {0};

		make_text(&state, &raw, 1 + below(&state, 300));
		casemap_add(&text, buf_str(&raw));
		size_t at = below(&state, (unsigned)text.len);
		struct str part =
			str_first(str_skip(buf_str(&text), at),
				  1 + below(&state, below(&state, 9) ? 20 : 90));

		/* Texts that come from people are of whole letters. */
		while (part.len > 0 && (part.ptr[0] & 0xc0) == 0x80)
			part = str_skip(part, 1);
		while (part.len > 0 && part.ptr + part.len < text.ptr + text.len &&
		       (part.ptr[part.len] & 0xc0) == 0x80)
			part.len--;
		if (!utf8_valid(part))
			continue;
		fuzzy_make(&fuzzy, part, BODY);
		if (fuzzy.count == 0)
			continue;
		fuzzy_text(&fuzzy, SEARCH_BODY, buf_str(&text), &fit);
		CHECK(fuzzy_score(&fuzzy, &fit) > 0);
		checked++;
	}
	CHECK(checked > 10000);
}

/* What rules words out by their letters rules out none that fits. */
TEST(a_run_over_a_list_finds_each_word_that_fits)
{
	uint64_t state = 5;
	unsigned fitting = 0;

	for (unsigned i = 0; i < 3000; i++) {
		SCOPED(buf_fini) struct buf wanted, text, list = BUF(10000);
		struct fuzzy fuzzy;
		struct fuzzy_fit fit, by_itself = {0};
		struct str rest, term, each;

		make_text(&state, &wanted, 1 + below(&state, 12));
		make_text(&state, &text, 1 + below(&state, 100));
		fuzzy_make(&fuzzy, buf_str(&wanted), BODY);
		for (rest = buf_str(&text); term_take(&rest, &term);) {
			buf_add(&list, term);
			buf_add_byte(&list, '\0');
		}
		struct str run = buf_str(&list);

		for (rest = buf_str(&text); term_take(&rest, &each);) {
			by_itself = (struct fuzzy_fit){0};
			if (!fuzzy_term(&fuzzy, SEARCH_BODY, each, &by_itself))
				continue;
			fitting++;
			CHECK(fuzzy_next(&fuzzy, SEARCH_BODY, &run, &term, &fit));
			CHECK(str_same(term, each));
			CHECK(memcmp(&fit, &by_itself, sizeof fit) == 0);
		}
		CHECK(!fuzzy_next(&fuzzy, SEARCH_BODY, &run, &term, &fit));
	}
	CHECK(fitting > 1000);
}

/* The plainest way there is to count them. */
static unsigned plain_edits(const char *a, size_t a_len, const char *b, size_t b_len)
{
	if (a_len == 0 || b_len == 0)
		return (unsigned)(a_len + b_len);
	unsigned best = plain_edits(a + 1, a_len - 1, b + 1, b_len - 1) + (a[0] != b[0]);
	unsigned other = plain_edits(a + 1, a_len - 1, b, b_len) + 1;

	best = other < best ? other : best;
	other = plain_edits(a, a_len, b + 1, b_len - 1) + 1;
	best = other < best ? other : best;
	if (a_len > 1 && b_len > 1 && a[0] == b[1] && a[1] == b[0]) {
		other = plain_edits(a + 2, a_len - 2, b + 2, b_len - 2) + 1;
		best = other < best ? other : best;
	}
	return best;
}

TEST(typing_errors_are_counted_right)
{
	uint64_t state = 3;
	unsigned near = 0;

	for (unsigned i = 0; i < 3000; i++) {
		char a[9], b[9];
		struct fuzzy fuzzy;
		struct fuzzy_fit fit = {0};
		size_t a_len = 4 + below(&state, i % 20 == 0 ? 6 : 4);
		size_t b_len = 1 + below(&state, i % 20 == 0 ? 9 : 7);

		for (size_t at = 0; at < 9; at++) {
			a[at] = "ABCD"[below(&state, 4)];
			b[at] = below(&state, 4) ? a[at] : "ABCD"[below(&state, 4)];
		}
		struct str wanted = {a, a_len}, there = {b, b_len};
		unsigned max = a_len < 8 ? 1 : 2;
		bool is_near = plain_edits(a, a_len, b, b_len) <= max;
		bool is_part = str_find(there, wanted) < there.len;

		fuzzy_make(&fuzzy, wanted, BODY);
		CHECK(fuzzy_term(&fuzzy, SEARCH_BODY, there, &fit) ==
		      (is_near || is_part));
		near += is_near;
	}
	CHECK(near > 200);
}
