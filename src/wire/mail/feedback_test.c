#include "wire/mail/feedback.h"

#include "base/buf.h"
#include "base/test.h"

/* In the form of RFC 6591 Appendix B and RFC 9991 Appendix A. */
static const char example[] = "Feedback-Type: auth-failure\r\n"
			      "Version: 1\r\n"
			      "User-Agent: DMARC-Filter/1.2\r\n"
			      "Auth-Failure: dmarc\r\n"
			      "Authentication-Results: gen.example;\r\n"
			      "  dmarc=fail header.from=consumer.example\r\n"
			      "Identity-Alignment: dkim, spf\r\n"
			      "Original-Envelope-Id: 65E1A3F0A0\r\n"
			      "Original-Mail-From: author@gen.example\r\n"
			      "Original-Rcpt-To: one@gen.example\r\n"
			      "Original-Rcpt-To: two@gen.example\r\n"
			      "Arrival-Date: Tue, 19 Jul 2022 00:57:37 -0500\r\n"
			      "Source-IP: 192.0.2.2\r\n"
			      "Reported-Domain: consumer.example\r\n"
			      "Reported-Domain: other.example\r\n"
			      "Delivery-Result: policy\r\n"
			      "DKIM-Domain: consumer.example\r\n"
			      "DKIM-Identity: @consumer.example\r\n"
			      "DKIM-Selector: epsilon\r\n"
			      "SPF-DNS: txt : consumer.example : \"v=spf1 -all\"\r\n"
			      "Reporting-MTA: dns; mx.gen.example\r\n"
			      "Incidents: 7\r\n"
			      "Unknown: field\r\n";

static struct arena arena;
static struct feedback feedback;

static bool reads(struct str text)
{
	arena_fini(&arena);
	arena_init(&arena, 100000);
	return feedback_parse(text, &arena, &feedback);
}

TEST(reads_what_is_reported_of_one_mail)
{
	CHECK(reads(str_c(example)));
	CHECK_STR(feedback.type, STR("auth-failure"));
	CHECK_STR(feedback.auth_failure, STR("dmarc"));
	CHECK_STR(feedback.results,
		  STR("gen.example;  dmarc=fail header.from=consumer.example"));
	CHECK_STR(feedback.alignment, STR("dkim, spf"));
	CHECK_STR(feedback.domain, STR("consumer.example"));
	CHECK_STR(feedback.source_ip, STR("192.0.2.2"));
	CHECK_STR(feedback.dkim_selector, STR("epsilon"));
	CHECK_STR(feedback.delivery, STR("policy"));
	CHECK(feedback.rcpt_count == 2 && feedback.incidents == 7);
	CHECK_STR(feedback.rcpts[1], STR("two@gen.example"));
}

TEST(what_is_reported_of_one_mail_is_bounded)
{
	SCOPED(buf_fini) struct buf text = BUF(100000);

	CHECK(!reads(STR("")) && !reads(STR("Version: 1\r\n")));
	CHECK(reads(STR("feedback-type: abuse\n")) && feedback.incidents == 1);
	CHECK(reads(STR("Feedback-Type: abuse\r\nIncidents: many\r\n")) &&
	      feedback.incidents == 1);
	buf_add(&text, STR("Feedback-Type: abuse\r\nSource-IP: "));
	for (size_t i = 0; i < 2000; i++)
		buf_add_byte(&text, '1');
	buf_add(&text, STR("\r\n"));
	for (size_t i = 0; i < 300; i++)
		buf_add(&text, STR("Original-Rcpt-To: a@example.org\r\n"));
	buf_add(&text, STR("Auth-Failure: dmarc\r\n"));
	CHECK(reads(buf_str(&text)) && feedback.rcpt_count == FEEDBACK_RCPTS_MAX);
	CHECK(feedback.source_ip.len == FEEDBACK_TEXT_MAX);
	CHECK_STR(feedback.auth_failure, STR("")); /* beyond FEEDBACK_FIELDS_MAX */
	arena_fini(&arena);
	arena_init(&arena, 8);
	CHECK(!feedback_parse(STR("Feedback-Type: a\r\n b c d e f g\r\n"), &arena,
			      &feedback)); /* an arena without room */
	arena_fini(&arena);
}
