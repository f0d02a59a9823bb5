#include "wire/mail/redact.h"

#include "base/mem.h"
#include "base/test.h"

static const struct hash_key key = {{1, 2}};

static void check(struct str header, struct str want)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf out = BUF(1 << 16);

	arena_init(&arena, 1 << 20);
	mail_redact(header, key, &arena, &out);
	CHECK(buf_ok(&out));
	CHECK_STR(buf_str(&out), want);
}

/* The letters of "joe" and "ann" with that key: SipHash, five bits each. */
#define JOE "dqlo4bjnpm"
#define ANN "4dvj44afqw"

TEST(who_wrote_what_to_whom_is_taken_out)
{
	check(STR("From: Joe Doe <joe@x.example>\r\nTo: JOE@x.example, (Ann) "
		  "ann@y.example\r\nSubject: the price is 5\r\nX-Joe: joe\r\n"
		  "Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: "
		  "<1.joe@x.example>\r\n"
		  "Content-Type: text/plain; name=\"joe.txt\"\r\n\r\nbody joe@x\r\n"),
	      STR("From: <" JOE "@x.example>\r\nTo: <" JOE "@x.example>, <" ANN
		  "@y.example>\r\nSubject: -\r\nX-Joe: -\r\n"
		  "Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: "
		  "<1.joe@x.example>\r\n"
		  "Content-Type: text/plain\r\n"));
	check(STR("From: joe\r\nCc:\r\nReply-To: friends: joe@x.example;\r\nSender: "
		  "a\xff "
		  "b\r\nReturn-Path: <>\r\n"),
	      STR("From: <" JOE ">\r\nCc: -\r\nReply-To: <" JOE
		  "@x.example>\r\nSender: -\r\nReturn-Path: -\r\n"));
}

TEST(the_way_of_a_mail_stays)
{
	check(STR("Received: from a.example (a.example [192.0.2.1])\r\n\tby b.example "
		  "for "
		  "<joe@x.example>; Mon, 1 Jan 2024 00:00:00 +0000\r\n"),
	      STR("Received: from a.example (a.example [192.0.2.1]) by b.example for\r\n "
		  "<" JOE "@x.example>; Mon, 1 Jan 2024 00:00:00 +0000\r\n"));
	check(STR("Received: from a (Authenticated sender: joe) by b\r\n"),
	      STR("Received: -\r\n"));
	check(STR("Authentication-Results: b; spf=pass smtp.mailfrom=joe@x.example;\r\n "
		  "dkim=pass header.i=@x.example\r\n"),
	      STR("Authentication-Results: b; spf=pass smtp.mailfrom=" JOE
		  "@x.example;\r\n dkim=pass header.i=@x.example\r\n"));
	check(STR("DKIM-Signature: v=1; i=joe@x.example; d=x.example\r\n"),
	      STR("DKIM-Signature: v=1; i=" JOE "@x.example; d=x.example\r\n"));
	check(STR("List-Id: \"joe\"@x \"a \\b\" joe@@joe@x\r\n"),
	      STR("List-Id: " JOE "@x \"a \\b\" " JOE "@@" JOE "@x\r\n"));
}

/* Senders of lists and forwarders hide a second address in the first one. */
TEST(addresses_in_addresses_are_taken_out)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf out = BUF(1 << 16);

	arena_init(&arena, 1 << 20);
	mail_redact(STR("Authentication-Results: b; spf=pass "
			"smtp.mailfrom=bounce+joe=x.example@y.example\r\n"
			"Received: by b; (joe%x.example@y.example)\r\n"),
		    key, &arena, &out);
	CHECK(str_find(buf_str(&out), STR("joe")) == out.len);
	CHECK(str_find(buf_str(&out), STR("smtp.mailfrom=")) < out.len);
	buf_reset(&out);
	mail_redact_address(STR("joe@x.example"), key, &out);
	buf_add_byte(&out, ' ');
	mail_redact_address(STR(""), key, &out);
	buf_add_byte(&out, ' ');
	mail_redact_address(STR("joe"), key, &out);
	CHECK_STR(buf_str(&out), STR(JOE "@x.example  " JOE));
}

TEST(huge_headers_are_shown_in_part)
{
	static const char *const pieces[] = {"@",    "a@",          "\"@",
					     "a b@", "To: a@b\r\n", "\r\n "};
	size_t len = 1 << 20;
	char *text = mem_zeroed(len, 1);
	struct buf out = BUF(16 * 1024);

	for (size_t p = 0; p < COUNT_OF(pieces); p++) {
		SCOPED(arena_fini) struct arena arena;
		struct str piece = str_c(pieces[p]), start = STR("To: x\r\nReceived: ");

		arena_init(&arena, 1 << 20);
		for (size_t i = 0; i < len; i++)
			text[i] = i < start.len ? start.ptr[i]
						: piece.ptr[(i - start.len) % piece.len];
		buf_reset(&out);
		mail_redact((struct str){text, len}, key, &arena, &out);
		CHECK(buf_ok(&out) && out.len < 16 * 1024);
	}
	buf_fini(&out);
	mem_free(text);
}
