#include "deliver/codec.h"

#include "base/test.h"

static const struct queue_recipient places[] = {
	{QUEUE_LOCAL, STR("ann@example.org"), STR("all@example.org"), 7,
	 STR("rfc822;all@example.org"), 2},
	{QUEUE_REMOTE, STR("bob@example.net"), STR("all@example.org"), 0,
	 STR("rfc822;all@example.org"), 2},
	{QUEUE_LOCAL, STR("eve@example.org"), STR("eve@example.org"), 8, STR(""), 0},
};
static const struct deliver_rcpt rcpts[] = {{STR("all@example.org"), 0, 2},
					    {STR("ann@example.org"), 2, 0},
					    {STR("eve@example.org"), 2, 1}};

static struct deliver_mail mail_to_send(void)
{
	return (struct deliver_mail){
		.source = DELIVER_PERSON,
		.session = 5,
		.peer = STR("192.0.2.1"),
		.client = STR("pc.example.org"),
		.is_host_valid = true,
		.protocol = STR("ESMTPSA"),
		.tls = STR("TLSv1.3 TLS_AES_256_GCM_SHA384"),
		.account = 7,
		.grant = STR("token"),
		.id = STR("0123456789abcdef"),
		.received_at = 1700000000,
		.sender = STR("ann@example.org"),
		.params = {.given = SMTP_PARAM_BODY | SMTP_PARAM_ENVID | SMTP_PARAM_BY,
			   .body = SMTP_BODY_8BITMIME,
			   .envid = STR("e1"),
			   .by_mode = SMTP_BY_RETURN,
			   .by_trace = true},
		.deliver_by = 1700000600,
		.rcpts = rcpts,
		.rcpt_count = COUNT_OF(rcpts),
		.places = places,
		.place_count = COUNT_OF(places),
		.text = STR("Subject: x\r\n\r\nhello\r\n"),
	};
}

TEST(mails_arrive_as_they_were_handed_over)
{
	SCOPED(buf_fini) struct buf body = BUF(10000);
	const struct deliver_mail sent = mail_to_send();
	struct deliver_mail got;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	deliver_encode_mail(&body, &sent);
	CHECK(deliver_decode_mail(buf_str(&body), sent.text, &arena, &got));
	CHECK(got.source == sent.source && got.session == 5 && got.account == 7);
	CHECK(got.is_host_valid && !got.is_again && !got.is_each);
	CHECK(got.received_at == sent.received_at && got.deliver_by == sent.deliver_by);
	CHECK(got.params.given == sent.params.given && got.params.by_trace &&
	      got.params.by_mode == SMTP_BY_RETURN);
	CHECK_STR(got.params.envid, sent.params.envid);
	CHECK_STR(got.grant, sent.grant);
	CHECK_STR(got.tls, sent.tls);
	CHECK_STR(got.text, sent.text);
	CHECK(got.rcpt_count == 3 && got.place_count == 3);
	CHECK(got.rcpts[1].count == 0 && got.rcpts[2].first == 2);
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		CHECK_STR(got.places[i].address, places[i].address);
		CHECK_STR(got.places[i].original, places[i].original);
		CHECK_STR(got.places[i].orcpt, places[i].orcpt);
		CHECK(got.places[i].kind == places[i].kind &&
		      got.places[i].account == places[i].account &&
		      got.places[i].notify == places[i].notify);
	}
	for (size_t i = 0; i < body.len; i++)
		CHECK(!deliver_decode_mail(str_first(buf_str(&body), i), STR(""), &arena,
					   &got));
	buf_add_byte(&body, 0);
	CHECK(!deliver_decode_mail(buf_str(&body), sent.text, &arena, &got));
	arena_fini(&arena);
}

TEST(only_a_person_sends_for_an_account)
{
	SCOPED(buf_fini) struct buf body = BUF(10000);
	struct deliver_mail mail = mail_to_send(), got;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	mail.source = DELIVER_STRANGER;
	deliver_encode_mail(&body, &mail);
	CHECK(!deliver_decode_mail(buf_str(&body), STR(""), &arena, &got));
	buf_reset(&body);
	mail.account = ACCOUNT_SYSTEM;
	deliver_encode_mail(&body, &mail);
	CHECK(deliver_decode_mail(buf_str(&body), STR(""), &arena, &got));
	buf_reset(&body);
	mail.is_each = true; /* then each recipient leads somewhere */
	deliver_encode_mail(&body, &mail);
	CHECK(!deliver_decode_mail(buf_str(&body), STR(""), &arena, &got));
	arena_fini(&arena);
}

TEST(reports_arrive_as_they_were_handed_over)
{
	SCOPED(buf_fini) struct buf body = BUF(10000);
	const struct deliver_refused refused[] = {{.original = STR("no@example.org"),
						   .orcpt = STR("rfc822;no"),
						   .notify = 4,
						   .status = {5, 1, 1},
						   .said = STR("550 5.1.1 No")}};
	const struct deliver_report sent = {.id = STR("0123456789abcdef"),
					    .received_at = 1,
					    .sender = STR("ann@example.org"),
					    .envid = STR("e"),
					    .body_kind = QUEUE_SMTPUTF8,
					    .refused = refused,
					    .count = 1,
					    .header = STR("Subject: x\r\n")};
	struct deliver_report got;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	deliver_encode_report(&body, &sent);
	for (size_t i = 0; i < body.len; i++)
		CHECK(!deliver_decode_report(str_first(buf_str(&body), i), sent.header,
					     &arena, &got));
	CHECK(deliver_decode_report(buf_str(&body), sent.header, &arena, &got));
	CHECK(got.count == 1 && got.refused[0].status.detail == 1 &&
	      got.refused[0].notify == 4 && got.body_kind == QUEUE_SMTPUTF8);
	CHECK_STR(got.refused[0].said, refused[0].said);
	CHECK_STR(got.header, sent.header);
	arena_fini(&arena);
}

TEST(answers_are_as_many_as_were_asked_for)
{
	SCOPED(buf_fini) struct buf body = BUF(10000);
	const struct deliver_answer sent[] = {{250, "2.0.0", STR("Accepted")},
					      {0, "", STR("")}};
	const struct deliver_answer bad = {99, "2.0.0", STR("")};
	struct deliver_answer got[3];
	struct arena arena;

	arena_init(&arena, 1 << 20);
	deliver_encode_answers(&body, sent, 2);
	CHECK(deliver_decode_answers(buf_str(&body), &arena, got, 2));
	CHECK(got[0].code == 250 && got[1].code == 0);
	CHECK_STR(got[0].text, sent[0].text);
	CHECK_STR(str_c(got[0].enhanced), STR("2.0.0"));
	CHECK(!deliver_decode_answers(buf_str(&body), &arena, got, 1));
	CHECK(!deliver_decode_answers(buf_str(&body), &arena, got, 3));
	buf_reset(&body);
	deliver_encode_answers(&body, &bad, 1);
	CHECK(!deliver_decode_answers(buf_str(&body), &arena, got, 1));
	arena_fini(&arena);
}
