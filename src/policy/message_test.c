#include "policy/message.h"

#include "base/test.h"

TEST(drops_what_is_ours_to_write)
{
	static const struct {
		struct str text, kept;
	} cases[] = {
		{STR("A: 1\r\n\r\nb\r\n"), STR("A: 1\r\n\r\nb\r\n")},
		{STR("Return-Path: <x@y>\r\nA: 1\r\n\r\nb\r\n"),
		 STR("A: 1\r\n\r\nb\r\n")},
		{STR("A: 1\r\nreturn-path: <x@y>\r\n folded\r\nB: 2\r\nReturn-Path: "
		     "<>\r\n"
		     "\r\nReturn-Path: stays\r\n"),
		 STR("A: 1\r\nB: 2\r\n\r\nReturn-Path: stays\r\n")},
		{STR("Return-Path: <>\r\n"), STR("")},
		{STR("Authentication-Results: mx.test; spf=pass\r\nA: 1\r\n\r\n"),
		 STR("A: 1\r\n\r\n")},
		{STR("authentication-results:\r\n MX.test 1;\r\n none\r\nA: 1\r\n\r\n"),
		 STR("A: 1\r\n\r\n")},
		{STR("Authentication-Results: mx.test.example; spf=pass\r\n\r\n"),
		 STR("Authentication-Results: mx.test.example; spf=pass\r\n\r\n")},
		{STR(""), STR("")},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf text = BUF(1000);

		buf_add(&text, cases[i].text);
		CHECK_STR(message_drop_foreign(&text, STR("mx.test")), cases[i].kept);
		buf_fini(&text);
	}
}

TEST(sees_what_the_header_has)
{
	struct message_facts f = message_look(
		STR("Received: a\r\nReturn-Path: <>\r\nreceived: b\r\nFrom: ann\r\n"
		    "From: bob\r\nDate: now\r\n\r\nMessage-ID: no\r\n"),
		STR("mx.test"));

	CHECK(f.received_count == 2 && f.foreign_count == 1 && f.from_count == 2);
	CHECK(f.has_date && !f.has_message_id);
	CHECK_STR(str_trim(f.from), STR("ann"));
	f = message_look(STR("Message-Id: <a@b>\r\n\r\nx"), STR("mx.test"));
	CHECK(f.has_message_id && f.header_len == 21);
}

TEST(writes_trace_fields)
{
	struct buf out = BUF(4000);
	struct message_hop hop = {
		.client = STR("mail.example.org"),
		.is_host_valid = true,
		.peer = STR("192.0.2.1"),
		.hostname = STR("mx.example.net"),
		.protocol = STR("ESMTPS"),
		.tls = STR("TLSv1.3 TLS_AES_256_GCM_SHA384"),
		.id = STR("abc"),
		.rcpt = STR("ann@example.net"),
		.at = 0,
	};

	message_return_path_add(&out, STR("bob@example.org"));
	message_received_add(&out, &hop);
	CHECK_STR(
		buf_str(&out),
		STR("Return-Path: <bob@example.org>\r\n"
		    "Received: from mail.example.org ([192.0.2.1])\r\n"
		    "\tby mx.example.net with ESMTPS\r\n"
		    "\t(TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n\tid abc\r\n"
		    "\tfor <ann@example.net>;\r\n\tThu, 1 Jan 1970 00:00:00 +0000\r\n"));
	buf_reset(&out);
	hop.client = STR("(my pc)");
	hop.is_host_valid = false;
	hop.peer = STR("2001:db8::1");
	hop.rcpt = hop.tls = STR("");
	message_received_add(&out, &hop);
	CHECK_STR(buf_str(&out),
		  STR("Received: from [IPv6:2001:db8::1] (helo=?my pc?)\r\n"
		      "\tby mx.example.net with ESMTPS\r\n\tid abc;\r\n"
		      "\tThu, 1 Jan 1970 00:00:00 +0000\r\n"));
	buf_reset(&out);
	hop.peer = STR(""); /* by a Unix socket */
	message_received_add(&out, &hop);
	CHECK(str_starts(buf_str(&out),
			 STR("Received: from localhost (helo=?my pc?)\r\n")));
	buf_fini(&out);
}

TEST(tells_where_a_mail_has_been)
{
	struct str text = STR("Subject: x\r\ndelivered-to:  Ann@Example.org \r\n\r\n"
			      "Delivered-To: bob@example.org\r\n");

	CHECK(message_was_delivered_to(text, STR("ann@example.org")));
	CHECK(!message_was_delivered_to(text, STR("bob@example.org")));
	CHECK(!message_was_delivered_to(STR(""), STR("")));
}
