#include "search/text.h"

#include "base/test.h"

/* A field as it comes, and the texts that are looked into. */
static const struct {
	struct str field, texts;
} cases[] = {
	{STR("From: Ann Doe <ann@x.test>\r\n"), STR("ANN DOE <ANN@X.TEST>|")},
	{STR("From: \"Doe, A.\" <ann@x.test>\r\n"), STR("\"DOE, A.\" <ANN@X.TEST>|")},
	/* Comments go, and the last one is a name where there is none. */
	{STR("From: ann@x.test (Ann Doe)\r\n"),
	 STR("ANN@X.TEST (ANN DOE)|ANN DOE <ANN@X.TEST>|")},
	{STR("From: (a) ann@(b)x.test (Ann Doe)\r\n"),
	 STR("(A) ANN@(B)X.TEST (ANN DOE)|ANN DOE <ANN@X.TEST>|")},
	{STR("To: <user-to (comment)@ (comment) do.test>\r\n"),
	 STR("<USER-TO (COMMENT)@ (COMMENT) DO.TEST>|USER-TO@DO.TEST|")},
	{STR("CC: Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>\r\n"),
	 STR("PETE(A NICE \\) CHAP) <PETE(HIS ACCOUNT)@SILLY.TEST(HIS HOST)>|"
	     "PETE <PETE@SILLY.TEST>|")},
	{STR("Bcc: ann@ex(a)ample.test\r\n"),
	 STR("ANN@EX(A)AMPLE.TEST|A <ANN@EXAMPLE.TEST>|")},
	/* Quoted forms of what needs no quotes. */
	{STR("Sender: \"an\\n\"@x.test\r\n"), STR("\"AN\\N\"@X.TEST|ANN@X.TEST|")},
	{STR("Reply-To: \"O\\\"Neil\" <o@x.test>\r\n"),
	 STR("\"O\\\"NEIL\" <O@X.TEST>|O\"NEIL <O@X.TEST>|")},
	/* RFC 5322 §4.4 */
	{STR("From: ann . doe@x.test\r\n"), STR("ANN . DOE@X.TEST|ANN.DOE@X.TEST|")},
	{STR("From: ann @ x. test\r\n"), STR("ANN @ X. TEST|ANN@X.TEST|")},
	{STR("From: Q. Doe <ann@x.test>, J. Doe <j@x.test>\r\n"),
	 STR("Q. DOE <ANN@X.TEST>, J. DOE <J@X.TEST>|")},
	/* Groups and encoded words. */
	{STR("To: g(c): a@x.test, =?utf-8?q?Bj=C3=B6rn?= <b@x.test>;, joe\r\n"),
	 STR("G(C): A@X.TEST, BJO\xcc\x88RN <B@X.TEST>;, JOE|"
	     "G:, A@X.TEST, BJO\xcc\x88RN <B@X.TEST>, , JOE|")},
	/* No addresses. */
	{STR("X-Note: a(b)c\r\n"), STR("A(B)C|")},
	{STR("Subject: a (b) \\c @ d\r\n"), STR("A (B) \\C @ D|")},
};

static bool gather(void *arg, struct str field, struct str mapped)
{
	struct buf *texts = arg;

	CHECK(field.len > 0);
	buf_add(texts, mapped);
	buf_add_byte(texts, '|');
	return false;
}

static bool enough(void *arg, struct str field, struct str mapped)
{
	size_t *left = arg;

	(void)field;
	(void)mapped;
	return --*left == 0;
}

TEST(fields_are_searched_as_written_and_as_the_envelope_has_them)
{
	SCOPED(buf_fini) struct buf texts = BUF(10000);
	struct search_text scratch;

	search_text_init(&scratch);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str name =
			str_first(cases[i].field, str_find_byte(cases[i].field, ':'));

		buf_reset(&texts);
		CHECK(!search_fields(&scratch, cases[i].field, name, gather, &texts));
		CHECK_STR(buf_str(&texts), cases[i].texts);
	}
	size_t left = 2;

	CHECK(search_fields(&scratch, STR("From: a@x.test (b)\r\n"), STR("from"), enough,
			    &left));
	CHECK(left == 0);
	search_text_fini(&scratch);
}

TEST(an_endless_list_of_addresses_is_searched_in_bounds)
{
	SCOPED(buf_fini) struct buf field = BUF(8 << 20), texts = BUF(64 << 20);
	struct search_text scratch;

	search_text_init(&scratch);
	buf_add_c(&field, "To: (c)");
	for (unsigned i = 0; i < 100000; i++)
		buf_add_c(&field, "a@x.test (b),\r\n ");
	buf_add_c(&field, "z@x.test\r\n");
	CHECK(buf_ok(&field));
	CHECK(!search_fields(&scratch, buf_str(&field), STR("To"), gather, &texts));
	struct str all = buf_str(&texts),
		   last = str_skip(all, str_find_byte(all, '|') + 1);

	CHECK(str_find(all, STR("Z@X.TEST|")) < all.len);
	CHECK(str_starts(last, STR("B <A@X.TEST>, B <A@X.TEST>")));
	CHECK(last.len < 100000 && str_find(last, STR("Z@")) == last.len);
	search_text_fini(&scratch);
}
