#include "wire/auth/sasl.h"

#include "base/test.h"

TEST(reads_plain)
{
	struct sasl_plain p;

	CHECK(sasl_plain_parse(STR("\0ann\0secret"), &p));
	CHECK_STR(p.authzid, STR(""));
	CHECK_STR(p.authcid, STR("ann"));
	CHECK_STR(p.password, STR("secret"));
	CHECK(sasl_plain_parse(STR("bob\0j\xc3\xbcrg\0p w"), &p));
	CHECK_STR(p.authzid, STR("bob"));
	CHECK(!sasl_plain_parse(STR(""), &p));
	CHECK(!sasl_plain_parse(STR("ann\0secret"), &p));
	CHECK(!sasl_plain_parse(STR("\0\0secret"), &p));
	CHECK(!sasl_plain_parse(STR("\0ann\0"), &p));
	CHECK(!sasl_plain_parse(STR("\0ann\0sec\0ret"), &p));
	CHECK(!sasl_plain_parse(STR("\0ann\0\xff"), &p));
	CHECK(!sasl_plain_parse(STR("\xff\0ann\0secret"), &p));
	CHECK(!sasl_plain_parse(STR("\0\xff\0secret"), &p));
}

TEST(knows_mechanisms)
{
	CHECK(sasl_mechanism_find(STR("plain")) == SASL_PLAIN);
	CHECK(sasl_mechanism_find(STR("LOGIN")) == SASL_LOGIN);
	CHECK(sasl_mechanism_find(STR("CRAM-MD5")) == SASL_OTHER);
	CHECK(sasl_mechanism_find(STR("")) == SASL_OTHER);
}

TEST(reads_lines_of_the_exchange)
{
	struct buf out = BUF(100);

	CHECK(sasl_line_decode(STR("AGFubgBz"), &out) == SASL_LINE_DATA);
	CHECK_STR(buf_str(&out), STR("\0ann\0s"));
	CHECK(sasl_line_decode(STR("*"), &out) == SASL_LINE_CANCEL && out.len == 0);
	CHECK(sasl_line_decode(STR(""), &out) == SASL_LINE_DATA && out.len == 0);
	CHECK(sasl_line_decode(STR("="), &out) == SASL_LINE_BAD);
	CHECK(sasl_line_decode(STR("AGFub"), &out) == SASL_LINE_BAD);
	CHECK(sasl_initial_decode(STR("="), &out) == SASL_LINE_DATA && out.len == 0);
	CHECK(sasl_initial_decode(STR("YQ=="), &out) == SASL_LINE_DATA);
	CHECK_STR(buf_str(&out), STR("a"));
	CHECK(sasl_initial_decode(STR("*"), &out) == SASL_LINE_BAD);
	buf_fini(&out);
}

TEST(login_texts_are_utf8_without_nul)
{
	char text[SASL_NAME_MAX + 1];

	memset(text, 'a', sizeof text);
	CHECK(sasl_login_is_valid((struct str){text, SASL_NAME_MAX}));
	CHECK(!sasl_login_is_valid((struct str){text, SASL_NAME_MAX + 1}));
	CHECK(!sasl_login_is_valid(STR("")));
	CHECK(!sasl_login_is_valid(STR("a\0b")));
}
