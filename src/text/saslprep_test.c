#include "text/saslprep.h"

#include "base/test.h"

/* RFC 4013 §3, and what people type. */
TEST(names_and_passwords_are_mapped_as_rfc_4013_says)
{
	static const struct {
		struct str text, want; /* "": refused */
	} cases[] = {
		{STR("I\xc2\xadX"), STR("IX")}, /* SOFT HYPHEN maps to nothing */
		{STR("user"), STR("user")},
		{STR("USER"), STR("USER")}, /* case is kept */
		{STR("\xc2\xaa"), STR("a")},
		{STR("\xe2\x85\xa8"), STR("IX")}, /* ROMAN NUMERAL NINE */
		{STR("\xd8\xa7\x31"), STR("")},   /* RFC 3454 §6 */
		{STR("caf\xc3\xa9"), STR("caf\xc3\xa9")},
		{STR("cafe\xcc\x81"), STR("caf\xc3\xa9")},     /* composed elsewhere */
		{STR("a\xc2\xa0\xc3\xa4"), STR("a \xc3\xa4")}, /* NO-BREAK SPACE */
		{STR("\xf0\x9f\x94\x91"), STR("\xf0\x9f\x94\x91")}, /* a key */
		{STR("\xc3\xa4\x07"), STR("")},                     /* control */
		{STR("\xee\x80\x80"), STR("")},                     /* private use */
		{STR("\xc2\xad"), STR("")},                         /* nothing is left */
		{STR("\xc3"), STR("")},                             /* no UTF-8 */
		{STR(""), STR("")},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		SCOPED(buf_fini) struct buf out = BUF(100);
		bool is_good = saslprep_add(&out, cases[i].text);

		CHECK(is_good == (cases[i].want.len > 0));
		if (is_good)
			CHECK_STR(buf_str(&out), cases[i].want);
	}
}

TEST(long_names_and_small_buffers_are_refused)
{
	SCOPED(buf_fini) struct buf text = BUF(4000), out = BUF(4000), small = BUF(2);

	for (int i = 0; i < 512; i++)
		buf_add(&text, STR("\xc3\xa4"));
	CHECK(saslprep_add(&out, buf_str(&text)) && out.len == 1024);
	buf_add(&text, STR("\xc3\xa4"));
	CHECK(!saslprep_add(&out, buf_str(&text)));
	CHECK(!saslprep_add(&small, STR("\xc3\xa4\xc3\xa4")));
	CHECK(!saslprep_add(&small, STR("abc")));
}
