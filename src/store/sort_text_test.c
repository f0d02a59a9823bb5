#include "store/sort_text.h"

#include "base/test.h"
#include "base/utf8.h"

static struct arena arena;

static struct mail_envelope envelope_of(const char *header)
{
	struct mail_envelope e;

	arena_fini(&arena);
	arena_init(&arena, 1 << 20);
	mail_envelope_parse(&arena, str_c(header), 100, &e);
	return e;
}

static const struct {
	const char *header;
	enum sort_text which;
	struct str text;
} texts[] = {
	{"Subject: Re: [x] =?utf-8?q?gr=C3=BCn?= (fwd)\r\n", SORT_SUBJECT,
	 STR("GRU\xcc\x88N")},
	{"Subject: \r\n", SORT_SUBJECT, STR("")},
	{"From: \"Ann Lee\" <ann@X.test>, b@x.test\r\n", SORT_FROM, STR("ANN")},
	{"From: \"Ann Lee\" <ann@X.test>, b@x.test\r\n", SORT_DISPLAY_FROM,
	 STR("ANN LEE")},
	{"From: =?utf-8?q?J=C3=BCrg?= <j@x.test>\r\n", SORT_DISPLAY_FROM,
	 STR("JU\xcc\x88RG")},
	{"From: <ann@X.test>\r\n", SORT_DISPLAY_FROM, STR("ANN@X.TEST")},
	{"From: =?utf-8?q?"
	 "?= <ann@X.test>\r\n",
	 SORT_DISPLAY_FROM, STR("ANN@X.TEST")},
	/* a group comes as an address without a host, RFC 9051 §7.5.2 */
	{"To: some people: b@x.test;, c@x.test\r\n", SORT_TO, STR("SOME PEOPLE")},
	{"To: undisclosed-recipients:;\r\n", SORT_DISPLAY_TO,
	 STR("UNDISCLOSED-RECIPIENTS")},
	{"Cc: x@y, z@y\r\n", SORT_CC, STR("X")},
	{"To: x@y\r\n", SORT_CC, STR("")},
	{"From: x@y\r\n", SORT_DISPLAY_TO, STR("")},
};

TEST(texts_are_compared_in_this_form)
{
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		SCOPED(buf_fini) struct buf out = BUF(1000);
		struct mail_envelope e = envelope_of(texts[i].header);

		(void)sort_text_add(&out, &e, texts[i].which, 100); /* see below */
		CHECK_STR(buf_str(&out), texts[i].text);
	}
}

TEST(replies_and_forwards_are_known_by_their_subjects)
{
	SCOPED(buf_fini) struct buf out = BUF(1000);
	struct mail_envelope reply = envelope_of("Subject: Re: x\r\n");

	CHECK(sort_text_add(&out, &reply, SORT_SUBJECT, 100));
	CHECK(!sort_text_add(&out, &reply, SORT_FROM, 100));
	struct mail_envelope fresh = envelope_of("Subject: Reply: x\r\n");

	CHECK(!sort_text_add(&out, &fresh, SORT_SUBJECT, 100));
}

TEST(long_texts_are_cut_between_characters)
{
	SCOPED(buf_fini) struct buf header = BUF(100000), out = BUF(1000);

	buf_add_c(&header, "Subject: ");
	for (int i = 0; i < 20000; i++) /* fullwidth letters, which become ASCII ones */
		buf_add_c(&header, i == 1 ? "\xe2\x82\xac" : "\xef\xbd\x81");
	buf_add(&header, STR("\r\n\0"));
	struct mail_envelope e = envelope_of(header.ptr);

	CHECK(!sort_text_add(&out, &e, SORT_SUBJECT, 128));
	CHECK(out.len == 128 && utf8_valid(buf_str(&out)));
	CHECK_STR(str_first(buf_str(&out), 5), STR("A\xe2\x82\xac\x41"));
	buf_reset(&out);
	CHECK(!sort_text_add(&out, &e, SORT_SUBJECT, 3));
	CHECK_STR(buf_str(&out), STR("A"));
}
