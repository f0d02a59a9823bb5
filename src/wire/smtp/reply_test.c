#include "wire/smtp/reply.h"

#include "base/test.h"

TEST(writes_replies)
{
	struct buf out = BUF(4000);

	smtp_reply_add(&out, 250, "2.0.0", STR("Fine"));
	smtp_reply_add(&out, 250, NULL, STR("mail.example.org\nPIPELINING\nSIZE 5"));
	smtp_reply_add(&out, 354, NULL, STR(""));
	smtp_reply_add(&out, 550, "5.1.1", STR("no\ragain"));
	CHECK_STR(buf_str(&out),
		  STR("250 2.0.0 Fine\r\n"
		      "250-mail.example.org\r\n250-PIPELINING\r\n250 SIZE 5\r\n"
		      "354 \r\n550 5.1.1 no?again\r\n"));
	buf_fini(&out);
}

TEST(cuts_long_reply_lines)
{
	struct buf text = BUF(2000), out = BUF(2000);

	for (int i = 0; i < 400; i++)
		buf_add(&text, STR("\xc3\xbc"));
	smtp_reply_add(&out, 550, "5.1.1", buf_str(&text));
	CHECK(out.len <= SMTP_REPLY_LINE_MAX && out.len > SMTP_REPLY_LINE_MAX - 2);
	CHECK(str_ends(buf_str(&out), STR("\xc3\xbc\r\n")));
	buf_fini(&text);
	buf_fini(&out);
}

TEST(knows_enhanced_codes)
{
	struct smtp_enhanced e = {0};

	CHECK(smtp_enhanced_parse(STR("5.1.10"), &e));
	CHECK(e.class == 5 && e.subject == 1 && e.detail == 10);
	CHECK(smtp_enhanced_parse(STR("2.0.0"), &e));
	CHECK(!smtp_enhanced_parse(STR("3.0.0"), &e));
	CHECK(!smtp_enhanced_parse(STR("5.01.1"), &e));
	CHECK(!smtp_enhanced_parse(STR("5.1"), &e));
	CHECK(!smtp_enhanced_parse(STR("5.1.1000"), &e));
	CHECK(!smtp_enhanced_parse(STR("5.1.1.1"), &e));
	CHECK(!smtp_enhanced_parse(STR(""), &e));
}

TEST(reads_replies_of_others)
{
	struct buf text = BUF(200);
	struct smtp_reply reply = {0};

	CHECK(smtp_reply_line(&reply, STR("550-5.7.1 Go"), &text) == SMTP_REPLY_OK);
	CHECK(!reply.is_whole);
	CHECK(smtp_reply_line(&reply, STR("550-"), &text) == SMTP_REPLY_OK);
	CHECK(smtp_reply_line(&reply, STR("550 5.7.2 away\x07"), &text) == SMTP_REPLY_OK);
	CHECK(reply.is_whole && reply.code == 550 && reply.lines == 3);
	CHECK(reply.enhanced.class == 5 && reply.enhanced.subject == 7 &&
	      reply.enhanced.detail == 1);
	CHECK_STR(buf_str(&text), STR("Go\n\naway?"));
	CHECK(smtp_reply_line(&reply, STR("550 more"), &text) == SMTP_REPLY_BAD);

	buf_reset(&text);
	reply = (struct smtp_reply){0};
	CHECK(smtp_reply_line(&reply, STR("250"), &text) == SMTP_REPLY_OK);
	CHECK(reply.is_whole && reply.code == 250 && text.len == 0);
	reply = (struct smtp_reply){0};
	CHECK(smtp_reply_line(&reply, STR("450 5.1.1 x"), &text) == SMTP_REPLY_OK);
	CHECK(reply.enhanced.class == 0); /* of another class than the code: just text */
	CHECK_STR(buf_str(&text), STR("5.1.1 x"));
	buf_fini(&text);
}

TEST(refuses_what_is_no_reply)
{
	static const struct str bad[] = {STR(""),      STR("25"),    STR("abc x"),
					 STR("250x"),  STR("150 x"), STR("600 x"),
					 STR("2500 x")};
	struct buf text = BUF(200);

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct smtp_reply reply = {0};

		CHECK(smtp_reply_line(&reply, bad[i], &text) == SMTP_REPLY_BAD);
	}
	struct smtp_reply reply = {0};

	CHECK(smtp_reply_line(&reply, STR("250-a"), &text) == SMTP_REPLY_OK);
	CHECK(smtp_reply_line(&reply, STR("550 b"), &text) == SMTP_REPLY_BAD);
	while (reply.lines < SMTP_REPLY_LINES_MAX)
		CHECK(smtp_reply_line(&reply, STR("250-a"), &text) == SMTP_REPLY_OK);
	CHECK(smtp_reply_line(&reply, STR("250 a"), &text) == SMTP_REPLY_LONG);
	buf_fini(&text);
}
