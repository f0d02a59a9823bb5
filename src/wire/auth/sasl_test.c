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

static enum sasl_state play(enum sasl_mechanism mechanism, struct str initial,
			    struct str first, struct str second)
{
	struct sasl_exchange x;

	sasl_init(&x, mechanism);
	enum sasl_state state = sasl_first(&x, initial);

	if (state == SASL_ASK && first.len > 0)
		state = sasl_answer(&x, first);
	if (state == SASL_ASK && second.len > 0)
		state = sasl_answer(&x, second);
	if (state == SASL_READY) {
		CHECK_STR(x.name, STR("ann"));
		CHECK_STR(x.password, STR("secret"));
	}
	sasl_fini(&x);
	return state;
}

TEST(plays_the_exchanges)
{
	static const char plain[] = "AGFubgBzZWNyZXQ=", name[] = "YW5u",
			  word[] = "c2VjcmV0";
	const struct str none = STR("");

	CHECK(play(SASL_PLAIN, str_c(plain), none, none) == SASL_READY);
	CHECK(play(SASL_PLAIN, none, str_c(plain), none) == SASL_READY);
	CHECK(play(SASL_PLAIN, none, none, none) == SASL_ASK);
	CHECK(play(SASL_PLAIN, none, STR("*"), none) == SASL_CANCELED);
	CHECK(play(SASL_PLAIN, STR("!"), none, none) == SASL_NOT_BASE64);
	CHECK(play(SASL_PLAIN, STR("="), none, none) == SASL_MALFORMED);
	CHECK(play(SASL_PLAIN, STR("Ym9iAGFubgBzZWNyZXQ="), none, none) ==
	      SASL_FOR_OTHER);
	CHECK(play(SASL_PLAIN, STR("YW5uAGFubgBzZWNyZXQ="), none, none) == SASL_READY);
	CHECK(play(SASL_LOGIN, none, str_c(name), str_c(word)) == SASL_READY);
	CHECK(play(SASL_LOGIN, str_c(name), str_c(word), none) == SASL_READY);
	CHECK(play(SASL_LOGIN, none, str_c(name), STR("*")) == SASL_CANCELED);
	CHECK(play(SASL_LOGIN, none, str_c(name), STR("/w==")) == SASL_MALFORMED);
	CHECK(play(SASL_LOGIN, STR("="), none, none) == SASL_MALFORMED);
	CHECK(play(SASL_LOGIN, none, none, none) == SASL_ASK);
}
