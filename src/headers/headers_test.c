#include "headers/headers.h"

#include "base/test.h"
#include "mailauth/fake_dns.h"

static const struct fake_record records[] = {
	{"bank.example", DNS_TXT, "v=spf1 ip4:192.0.2.10 -all"},
	{"_dmarc.bank.example", DNS_TXT, "v=DMARC1; p=reject"},
};

static const char mail[] =
	"Return-Path: <ann@bank.example>\r\n"
	"Received: by mx.reader.example (Filter) with LMTP id 2; "
	"Sun, 22 Nov 2026 08:00:06 +0000\r\n"
	"Received: from mail.bank.example ([192.0.2.10]) by mx.reader.example id 1; "
	"Sun, 22 Nov 2026 08:00:05 +0000\r\n"
	"Received: from pc ([203.0.113.5]) by mx.reader.example id 0; "
	"Sun, 22 Nov 2026 08:00:01 +0000\r\n"
	"From: Ann <ann@bank.example>\r\n"
	"Date: Sun, 22 Nov 2026 08:00:00 +0000\r\n\r\n";

/* Analyses the mail; trusted may be "". */
static void analyse(struct str trusted, struct arena *arena, struct headers *headers)
{
	static struct fake_dns dns = {records, COUNT_OF(records), 0, 0};
	static struct buf text = BUF(10000);
	struct dns_lookup lookup = fake_dns_lookup(&dns);
	struct headers_query query = {.trusted = &trusted,
				      .trusted_count = trusted.len > 0,
				      .lookup = &lookup,
				      .now_s = 1795334400};

	buf_reset(&text);
	mail_pasted_add(&text, str_c(mail), &query.pasted);
	query.text = buf_str(&text);
	headers_analyse(&query, arena, headers);
	buf_release(&text);
}

TEST(only_what_a_named_server_saw_makes_a_mail_genuine)
{
	struct headers headers;
	struct arena arena;

	arena_init(&arena, 10 * 1024 * 1024);
	analyse(STR("mx.reader.example"), &arena, &headers);
	CHECK(headers.word == HEADERS_GENUINE && headers.trust == HEADERS_TRUST_NAMED);
	CHECK_STR(headers.checks[HEADERS_SPF].result, STR("pass"));
	CHECK_STR(headers.checks[HEADERS_DMARC].result, STR("pass"));
	analyse(STR("reader.example"), &arena, &headers);
	CHECK(headers.word == HEADERS_GENUINE);
	analyse(STR(""), &arena, &headers);
	CHECK(headers.word == HEADERS_UNKNOWN && headers.trust == HEADERS_TRUST_ASSUMED);
	analyse(STR("other.example"), &arena, &headers);
	CHECK(headers.word == HEADERS_UNKNOWN && headers.trust == HEADERS_TRUST_ASSUMED);
	arena_fini(&arena);
}

TEST(what_is_below_the_step_from_outside_is_claimed)
{
	struct headers headers;
	struct arena arena;

	arena_init(&arena, 10 * 1024 * 1024);
	analyse(STR("mx.reader.example"), &arena, &headers);
	CHECK(headers.hop_count == 3 && headers.edge == 1);
	CHECK(!headers.hops[0].is_verified && headers.hops[1].is_verified &&
	      headers.hops[2].is_verified);
	CHECK(headers.has_total && headers.total_s == 5);
	CHECK(headers.has_origin && !headers.is_origin_verified);
	arena_fini(&arena);
}
