#include "wire/mail/envelope.h"

#include "base/test.h"

TEST(an_envelope_is_read_from_the_header)
{
	struct str text = STR("From: Ann <ann@x.test>\r\nTO: g: b@x.test, c@x.test;\r\n"
			      "Cc: d@x.test\r\nCc: second@x.test\r\n"
			      "Date: Fri, 21 Nov 1997 09:55:06 -0600\r\n"
			      "Subject: a\r\n b\r\nMessage-ID: <i@x>\r\n"
			      "In-Reply-To: <h@x>\r\nReferences: <g@x>\r\n <h@x>\r\n\r\n"
			      "Bcc: body@x.test\r\n");
	struct mail_envelope e;
	struct arena arena;

	arena_init(&arena, 10000);
	mail_envelope_parse(&arena, text, 100, &e);
	CHECK(e.has_date && e.date.unix_s == 880127706 && !e.is_cut);
	CHECK_STR(e.date_text, STR("Fri, 21 Nov 1997 09:55:06 -0600"));
	CHECK_STR(e.subject, STR("a b"));
	CHECK_STR(e.message_id, STR("<i@x>"));
	CHECK_STR(e.in_reply_to, STR("<h@x>"));
	CHECK_STR(e.references, STR("<g@x> <h@x>"));
	CHECK(e.lists[MAIL_FROM_LIST].count == 1 && e.lists[MAIL_TO_LIST].count == 4);
	CHECK(e.lists[MAIL_CC_LIST].count == 1 && e.lists[MAIL_BCC_LIST].count == 0);
	CHECK_STR(mail_first_mailbox(&e.lists[MAIL_TO_LIST])->local, STR("b"));
	CHECK(!mail_first_mailbox(&e.lists[MAIL_SENDER_LIST]));
	mail_envelope_parse(&arena, text, 2, &e);
	CHECK(e.is_cut);
	mail_envelope_parse(&arena, STR("Date: never\r\n\r\n"), 2, &e);
	CHECK(!e.has_date && !e.is_cut);
	CHECK_STR(e.date_text, STR("never"));
	arena_fini(&arena);
}
