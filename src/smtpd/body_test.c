#include "smtpd/body.h"

#include "base/test.h"

TEST(a_text_has_a_time_limit_as_a_whole)
{
	struct body body = {.until = 10 * 1000 * 1000};

	CHECK(body_wait_s(&body, 0) == BODY_WAIT_S);
	CHECK(body_wait_s(&body, body.until - 7000) == 7);
	CHECK(body_wait_s(&body, body.until - 999) == 0);
	CHECK(body_wait_s(&body, body.until + 1) == 0);
}

TEST(only_a_binary_text_may_hold_nul_and_bare_line_ends)
{
	static const struct {
		enum smtp_line_ends ends;
		struct str text;
		bool is_bad;
	} cases[] = {
		{SMTP_LINES_KEEP, STR("a\r\n"), false},
		{SMTP_LINES_KEEP, STR("a\n"), true},
		{SMTP_LINES_KEEP, STR("a\rb\r\n"), true},
		{SMTP_LINES_KEEP, STR("a\0b\r\n"), true},
		{SMTP_LINES_REPAIR, STR("a\n"), false},
		{SMTP_LINES_REPAIR, STR("a\0b\r\n"), true},
		{SMTP_LINES_BINARY, STR("a\0\n\r"), false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct body body = {.text = BUF(100)};

		smtp_chunks_init(&body.data, cases[i].ends, 100);
		CHECK(body_take(&body, cases[i].text) == cases[i].text.len);
		CHECK((body_fault(&body) != NULL) == cases[i].is_bad);
		body_fini(&body);
	}
}

TEST(what_is_too_big_is_not_kept)
{
	struct body body = {.text = BUF(4)};

	smtp_chunks_init(&body.data, SMTP_LINES_BINARY, 4);
	CHECK(body_take(&body, STR("abc")) == 3 && body.text.len == 3);
	CHECK(body_take(&body, STR("de")) == 2);
	CHECK(body.data.is_too_big && !body.is_crowded && body.text.room == 0);
	CHECK(body.data.bytes == 5);
	body_fini(&body);
}
