#include "queue/bounce.h"

#include "base/test.h"
#include "queue/status.h"
#include "wire/mail/header.h"
#include "wire/mail/mime.h"

static const struct queue_row bob = {
	.id = STR("Q0"),
	.sender = STR("ann@example.org"),
	.envid = STR("envelope 7"),
	.received_at = 1700000000,
	.recipient = {.kind = QUEUE_REMOTE,
		      .address = STR("bob@hidden.example"),
		      .original = STR("bob@example.net"),
		      .orcpt = STR("rfc822;Bob@example.net")},
};

static const char original[] = "Received: by us\r\nFrom: Ann <ann@example.org>\r\n"
			       "Message-ID: <one@example.org>\r\nSubject: hi\r\n";

struct made {
	struct arena arena;
	struct buf text;
	uint8_t kind;
	struct mime mime;
	struct mime_part *words, *status, *third;
};

static void make(struct made *made, const struct bounce_recipient *recipients,
		 size_t count, struct str to, struct str given_back, bool is_whole)
{
	struct bounce bounce = {.hostname = STR("mx.example.org"),
				.domain = STR("example.org"),
				.to = to,
				.id = STR("R1"),
				.now = 1700100000,
				.recipients = recipients,
				.count = count,
				.original = given_back,
				.is_whole = is_whole};

	*made = (struct made){.text = BUF(BOUNCE_BYTES_MAX)};
	arena_init(&made->arena, 1 << 20);
	made->kind = bounce_write(&bounce, &made->text);
	made->mime = mime_parse(&made->arena, buf_str(&made->text));
	CHECK(buf_ok(&made->text) && made->mime.root->child_count == 3);
	made->words = made->mime.root->first;
	made->status = made->words->next;
	made->third = made->status->next;
}

static void unmake(struct made *made)
{
	buf_fini(&made->text);
	arena_fini(&made->arena);
}

static struct str body_of(const struct made *made, const struct mime_part *part)
{
	return (struct str){made->text.ptr + part->body_at, part->body_len};
}

static bool says(const struct made *made, const struct mime_part *part, const char *text)
{
	struct str body = body_of(made, part);

	return str_find(body, str_c(text)) < body.len;
}

static bool has_line(const struct made *made, const char *line)
{
	struct str text = buf_str(&made->text);

	return str_find(text, str_c(line)) < text.len;
}

TEST(a_failure_is_told_to_people_and_to_programs)
{
	struct bounce_recipient failed = {.row = &bob,
					  .status = {5, 1, 1},
					  .said = STR("550-5.1.1 No such\n550 user"),
					  .host = STR("mail.example.net"),
					  .tried_at = 1700000060};
	struct made made;

	make(&made, &failed, 1, STR("ann@example.org"), str_c(original), false);
	CHECK_STR(made.mime.root->subtype, STR("report"));
	CHECK(has_line(&made, "\r\nTo: <ann@example.org>\r\n"));
	CHECK(has_line(&made, "\r\nAuto-Submitted: auto-replied\r\n"));
	CHECK(has_line(&made, "\r\nIn-Reply-To: <one@example.org>\r\n"));
	CHECK(has_line(&made, "\r\nFrom: Mail Delivery <postmaster@example.org>\r\n"));
	CHECK(says(&made, made.words, "There is no such mailbox"));
	CHECK(says(&made, made.words, "    > 550-5.1.1 No such\r\n    > 550 user\r\n"));
	CHECK_STR(made.status->subtype, STR("delivery-status"));
	CHECK_STR(body_of(&made, made.status),
		  STR("Original-Envelope-Id: envelope 7\r\n"
		      "Reporting-MTA: dns; mx.example.org\r\n"
		      "Arrival-Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
		      "X-Postrider-Queue-ID: Q0\r\n"
		      "\r\n"
		      "Original-Recipient: rfc822; Bob@example.net\r\n"
		      "Final-Recipient: rfc822; bob@example.net\r\n"
		      "Action: failed\r\n"
		      "Status: 5.1.1\r\n"
		      "Remote-MTA: dns; mail.example.net\r\n"
		      "Diagnostic-Code: smtp; 550-5.1.1 No such\r\n 550 user\r\n"
		      "Last-Attempt-Date: Tue, 14 Nov 2023 22:14:20 +0000\r\n"));
	CHECK_STR(made.third->subtype, STR("rfc822-headers"));
	CHECK_STR(body_of(&made, made.third), str_c(original));
	CHECK(!has_line(&made, "hidden.example") && made.kind == QUEUE_7BIT);
	unmake(&made);
}

TEST(one_report_tells_of_several_recipients)
{
	struct queue_row eve = bob;

	eve.recipient.original = STR("eve@example.net");
	eve.recipient.orcpt = STR("");
	struct bounce_recipient two[] = {
		{.row = &bob,
		 .action = BOUNCE_DELAYED,
		 .status = {4, 4, 1},
		 .retry_until = 1700432000},
		{.row = &eve, .action = BOUNCE_FAILED, .status = {5, 2, 2}},
	};
	struct made made;

	make(&made, two, 2, STR("ann@example.org"), str_c(original), false);
	CHECK(says(&made, made.status,
		   "\r\n\r\nOriginal-Recipient: rfc822; Bob@example.net\r\n"));
	CHECK(says(&made, made.status,
		   "\r\n\r\nFinal-Recipient: rfc822; eve@example.net\r\n"));
	CHECK(says(&made, made.status,
		   "Will-Retry-Until: Sun, 19 Nov 2023 22:13:20 +0000\r\n"));
	CHECK(says(&made, made.words, "The mailbox is full"));
	CHECK(says(&made, made.words, "We keep trying until Sun, 19 Nov 2023"));
	CHECK(has_line(&made, "\r\nSubject: Your mail could not be delivered\r\n"));
	unmake(&made);
}

TEST(strangers_words_stay_in_their_place)
{
	struct queue_row evil = bob;

	evil.envid = STR("a\r\nAction: delivered");
	evil.recipient.original = STR("x\r\n\r\n--report-R1--@example.net");
	evil.recipient.orcpt = STR("rfc822;y\nStatus: 2.0.0");
	struct bounce_recipient failed = {
		.row = &evil,
		.said = STR("550 \r\x01\x1b[2J\xff\xe2\x80\xae\n\n \n--report-R1--\nz"),
		.host = STR("a\r\nb")};
	struct made made;

	make(&made, &failed, 1, STR("ann@example.org"),
	     STR("Message-ID: <a\r\nBcc: x@y>\r\nSubject: \r\n"), false);
	CHECK(!has_line(&made, "\r\nAction: delivered") &&
	      !has_line(&made, "\r\nStatus: 2") && !has_line(&made, "\x1b") &&
	      !has_line(&made, "\xff") && !has_line(&made, "\xe2\x80\xae"));
	CHECK(says(&made, made.status, "Remote-MTA: dns; a??b\r\n"));
	CHECK(str_find(buf_str(&made.text), STR("Bcc:")) > made.third->body_at);
	unmake(&made);
}

/* RFC 6533. */
TEST(utf8_is_told_in_utf8)
{
	struct queue_row row = bob;

	row.body_kind = QUEUE_8BITMIME | QUEUE_SMTPUTF8;
	row.recipient.original = STR("jürgen@example.net");
	row.recipient.orcpt = STR("utf-8;j\\x{FC}rgen@example.net");
	struct bounce_recipient failed = {.row = &row};
	struct str header = STR("Subject: grüße\r\n");
	struct made made;

	make(&made, &failed, 1, STR("josé@example.org"), header, false);
	CHECK_STR(made.status->subtype, STR("global-delivery-status"));
	CHECK(says(&made, made.status,
		   "Original-Recipient: utf-8; jürgen@example.net\r\n"));
	CHECK(says(&made, made.status, "Final-Recipient: utf-8; jürgen@example.net\r\n"));
	CHECK(made.kind == (QUEUE_8BITMIME | QUEUE_SMTPUTF8));
	CHECK_STR(made.third->subtype, STR("global-headers"));
	unmake(&made);
	/* To a sender in ASCII nothing needs an extension. */
	make(&made, &failed, 1, STR("ann@example.org"), header, false);
	CHECK(made.kind == QUEUE_7BIT);
	CHECK(made.third->transfer == MAIL_TRANSFER_QP);
	unmake(&made);
	row.body_kind = QUEUE_8BITMIME;
	make(&made, &failed, 1, STR("ann@example.org"), header, false);
	CHECK_STR(made.status->subtype, STR("delivery-status"));
	CHECK(says(&made, made.status,
		   "Final-Recipient: utf-8; j\\x{FC}rgen@example.net\r\n"));
	unmake(&made);
}

TEST(a_whole_mail_comes_back_inside)
{
	struct bounce_recipient failed = {.row = &bob};
	struct str whole = STR("Subject: x\r\n\r\nBody, 8bit: \xc3\xa9\r\n");
	struct made made;

	make(&made, &failed, 1, STR("ann@example.org"), whole, true);
	CHECK_STR(made.third->subtype, STR("rfc822"));
	CHECK_STR(body_of(&made, made.third), whole);
	CHECK(made.kind == QUEUE_8BITMIME && made.third->transfer == MAIL_TRANSFER_8BIT);
	unmake(&made);
}

TEST(deliver_by_and_hold_are_told)
{
	struct queue_row row = bob;
	struct bounce_recipient late = {
		.row = &row, .action = BOUNCE_DELAYED, .status = {4, 4, 7}};
	struct made made;

	row.timing = (struct queue_timing){.deliver_by = 1700000120,
					   .hold_until = 1700000060,
					   .modes = QUEUE_BY_NOTIFY | QUEUE_HOLD_FOR};
	make(&made, &late, 1, STR("ann@example.org"), STR(""), false);
	CHECK(says(&made, made.status,
		   "Deliver-By-Date: Tue, 14 Nov 2023 22:15:20 +0000\r\n"
		   "Future-Release-Request: for;60\r\n"));
	unmake(&made);
	row.timing.modes = 0;
	make(&made, &late, 1, STR("ann@example.org"), STR(""), false);
	CHECK(says(&made, made.status,
		   "Future-Release-Request: until;2023-11-14T22:14:20Z\r\n"));
	CHECK(!says(&made, made.status, "Deliver-By"));
	unmake(&made);
}

/* RFC 3461 §4.1, RFC 2852 §4.1.4. */
TEST(senders_hear_of_what_they_asked_for)
{
	static const struct {
		uint8_t notify, modes;
		const char *wanted; /* failed delayed delivered relayed */
	} cases[] = {
		{0, 0, "11.."},
		{1, 0, "...."},
		{2, 0, "..11"},
		{4, 0, "1..."},
		{8, 0, ".1.."},
		{14, 0, "1111"},
		{0, QUEUE_BY_TRACE, "11.1"},
		{1, QUEUE_BY_TRACE, "...."},
		{4, QUEUE_BY_NOTIFY, "1..1"},
		{0, QUEUE_BY_RETURN, "11.."},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct queue_row row = bob;

		row.recipient.notify = cases[i].notify;
		row.timing.modes = cases[i].modes;
		for (int action = BOUNCE_FAILED; action <= BOUNCE_RELAYED; action++)
			CHECK(bounce_is_wanted(&row, (enum bounce_action)action) ==
			      (cases[i].wanted[action] == '1'));
	}
}

TEST(every_status_has_words)
{
	for (uint16_t subject = 0; subject < 10; subject++)
		for (uint16_t detail = 0; detail < 40; detail++) {
			struct status_words words =
				status_words((struct smtp_enhanced){5, subject, detail});

			CHECK(words.what[0] != '\0' && words.advice);
		}
	CHECK_STR(str_c(status_words((struct smtp_enhanced){5, 2, 99}).what),
		  str_c(status_words((struct smtp_enhanced){4, 2, 0}).what));
}
