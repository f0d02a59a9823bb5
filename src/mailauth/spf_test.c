#include "mailauth/spf.h"

#include "base/test.h"
#include "mailauth/fake_dns.h"
#include "mailauth/iprev.h"
#include "rt/clock.h"

static struct arena arena;

#define COUNTED(table) table, COUNT_OF(table)

static struct spf_verdict check_as(struct fake_dns *dns, const char *ip, const char *helo,
				   const char *sender, enum spf_identity identity)
{
	struct dns_lookup lookup = fake_dns_lookup(dns);
	struct spf_query query = {.helo = str_c(helo),
				  .sender = str_c(sender),
				  .receiver = STR("mx.receiver.example")};
	struct spf_verdict verdict;

	CHECK(ip_parse(str_c(ip), &query.ip));
	arena_reset(&arena);
	spf_check(&lookup, &query, identity, &arena, &verdict);
	return verdict;
}

static struct spf_verdict check(struct fake_dns *dns, const char *ip, const char *sender)
{
	return check_as(dns, ip, "helo.example.org", sender, SPF_MAIL_FROM);
}

static enum spf_result result(struct fake_dns *dns, const char *ip, const char *sender)
{
	return check(dns, ip, sender).result;
}

static const struct fake_record world[] = {
	{"example.org", DNS_TXT, "something else"},
	{"example.org", DNS_TXT, "v=spf1 mx a:www.example.org/24 -all exp=why.%{d}"},
	{"example.org", DNS_MX, "mx1.example.org"},
	{"example.org", DNS_MX, "mx2.example.org"},
	{"mx1.example.org", DNS_A, "192.0.2.1"},
	{"mx2.example.org", DNS_AAAA, "2001:db8::2"},
	{"www.example.org", DNS_A, "198.51.100.1"},
	{"why.example.org", DNS_TXT, "%{i} (%{h}) is none of %{d}'s, %{l}; %{r}"},
	{"moved.example", DNS_TXT, "v=spf1 exp=x.example redirect=example.org"},
	{"soft.example", DNS_TXT, "v=spf1 include:example.org ~all"},
	{"open.example", DNS_TXT, "v=spf1 ip4:192.0.2.0/24"},
	{"helo.example.org", DNS_TXT, "v=spf1 ip4:192.0.2.7 -all"},
	{"two.example", DNS_TXT, "v=spf1 -all"},
	{"two.example", DNS_TXT, "v=spf1 +all"},
	{"null.example", DNS_TXT, ""}, /* without a single string */
	{"null.example", DNS_TXT, "v=spf1 ip4:192.0.2.1"},
	{"bad.example", DNS_TXT, "v=spf1 a:111.222.33.44 -all"},
	{"inbad.example", DNS_TXT, "v=spf1 include:bad.example -all"},
	{"innone.example", DNS_TXT, "v=spf1 include:nothing.example -all"},
	{"renone.example", DNS_TXT, "v=spf1 redirect=nothing.example"},
	{"slow.example", DNS_TXT, NULL},
	{"bogus.example", DNS_TXT, "BOGUS"},
	{"inslow.example", DNS_TXT, "v=spf1 include:slow.example -all"},
	{"aslow.example", DNS_TXT, "v=spf1 a:h.slow.example -all"},
	{"abogus.example", DNS_TXT, "v=spf1 exists:h.bogus.example -all"},
	{"mxslow.example", DNS_TXT, "v=spf1 mx -all"},
	{"mxslow.example", DNS_MX, "h.slow.example"},
	{"h.slow.example", DNS_A, NULL},
	{"h.bogus.example", DNS_A, "BOGUS"},
	{"ptr.example", DNS_TXT, "v=spf1 ptr -all"},
	{"host.ptr.example", DNS_A, "192.0.2.50"},
	{"bad-ptr.example", DNS_A, "192.0.2.50"},
	{"50.2.0.192.in-addr.arpa", DNS_PTR, "h.slow.example"},
	{"50.2.0.192.in-addr.arpa", DNS_PTR, "liar.ptr.example"},
	{"50.2.0.192.in-addr.arpa", DNS_PTR, "bad-ptr.example"},
	{"50.2.0.192.in-addr.arpa", DNS_PTR, "host.ptr.example"},
	{"51.2.0.192.in-addr.arpa", DNS_PTR, NULL},
};

TEST(spf_says_who_may_send)
{
	static const struct {
		const char *ip, *sender;
		enum spf_result result;
		const char *mechanism, *sentence;
	} table[] = {
		{"192.0.2.1", "a@example.org", SPF_PASS, "mx",
		 "example.org lets 192.0.2.1 send its mail: \"mx\" matches."},
		{"::ffff:192.0.2.1", "a@example.org", SPF_PASS, "mx",
		 "example.org lets 192.0.2.1 send its mail: \"mx\" matches."},
		{"2001:db8::2", "a@Example.org.", SPF_PASS, "mx",
		 "Example.org lets 2001:db8::2 send its mail: \"mx\" matches."},
		{"198.51.100.200", "a@example.org", SPF_PASS, "a:www.example.org/24",
		 "example.org lets 198.51.100.200 send its mail: "
		 "\"a:www.example.org/24\" matches."},
		{"203.0.113.1", "a@example.org", SPF_FAIL, "-all",
		 "example.org does not let 203.0.113.1 send its mail: \"-all\" matches."},
		{"203.0.113.1", "a@moved.example", SPF_FAIL, "-all",
		 "moved.example does not let 203.0.113.1 send its mail: \"-all\" in the "
		 "record of example.org matches."},
		{"203.0.113.1", "a@soft.example", SPF_SOFTFAIL, "~all",
		 "soft.example probably does not let 203.0.113.1 send its mail: \"~all\" "
		 "matches."},
		{"192.0.2.1", "a@soft.example", SPF_PASS, "include:example.org",
		 "soft.example lets 192.0.2.1 send its mail: \"include:example.org\" "
		 "matches."},
		{"203.0.113.1", "a@open.example", SPF_NEUTRAL, "",
		 "open.example does not say whether 203.0.113.1 may send its mail: "
		 "nothing "
		 "matches."},
		{"203.0.113.1", "a@nothing.example", SPF_NONE, "",
		 "Nobody says whether 203.0.113.1 may send this mail: nothing.example "
		 "has "
		 "no SPF record."},
		{"203.0.113.1", "a@[203.0.113.1]", SPF_NONE, "",
		 "Nobody says whether 203.0.113.1 may send this mail: there is no domain "
		 "name to ask about."},
		{"192.0.2.1", "a@null.example", SPF_PASS, "ip4:192.0.2.1",
		 "null.example lets 192.0.2.1 send its mail: \"ip4:192.0.2.1\" matches."},
		{"192.0.2.1", "a@slow.example", SPF_TEMPERROR, "",
		 "Whether slow.example lets 192.0.2.1 send its mail cannot be told now: "
		 "the "
		 "DNS gave no answer for slow.example: nobody is there."},
		{"192.0.2.1", "a@inbad.example", SPF_PERMERROR, "",
		 "What inbad.example says about 192.0.2.1 cannot be understood: SPF has "
		 "no "
		 "such term as in the record of bad.example: \"a:111.222.33.44\"."},
	};
	struct fake_dns dns = {COUNTED(world)};

	arena_init(&arena, 64 * 1024);
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct spf_verdict verdict = check(&dns, table[i].ip, table[i].sender);

		CHECK(verdict.result == table[i].result);
		CHECK_STR(verdict.mechanism, str_c(table[i].mechanism));
		CHECK_STR(verdict.sentence, str_c(table[i].sentence));
	}
	arena_fini(&arena);
}

TEST(what_cannot_be_told_now_is_no_answer)
{
	static const struct {
		const char *sender;
		enum spf_result result;
	} table[] = {
		{"a@slow.example", SPF_TEMPERROR},   {"a@bogus.example", SPF_TEMPERROR},
		{"a@inslow.example", SPF_TEMPERROR}, {"a@aslow.example", SPF_TEMPERROR},
		{"a@abogus.example", SPF_TEMPERROR}, {"a@mxslow.example", SPF_TEMPERROR},
		{"a@two.example", SPF_PERMERROR},    {"a@bad.example", SPF_PERMERROR},
		{"a@innone.example", SPF_PERMERROR}, {"a@renone.example", SPF_PERMERROR},
		{"a@nothing.example", SPF_NONE},     {"a@localhost", SPF_NONE},
		{"a@a..example", SPF_NONE},          {"a@", SPF_NONE},
		{"a@b\\c.example", SPF_NONE},
	};
	struct fake_dns dns = {COUNTED(world)};

	arena_init(&arena, 64 * 1024);
	for (size_t i = 0; i < COUNT_OF(table); i++)
		CHECK(result(&dns, "203.0.113.1", table[i].sender) == table[i].result);
	arena_fini(&arena);
}

TEST(both_identities_are_checked)
{
	struct fake_dns dns = {COUNTED(world)};
	struct spf_verdict verdict;

	arena_init(&arena, 64 * 1024);
	verdict = check_as(&dns, "192.0.2.7", "helo.example.org", "a@example.org",
			   SPF_HELO);
	CHECK(verdict.result == SPF_PASS);
	CHECK_STR(verdict.domain, STR("helo.example.org"));
	verdict = check_as(&dns, "192.0.2.7", "helo.example.org", "", SPF_MAIL_FROM);
	CHECK(verdict.result == SPF_PASS); /* RFC 7208 §2.4 */
	verdict = check_as(&dns, "192.0.2.8", "helo.example.org", "", SPF_MAIL_FROM);
	CHECK(verdict.result == SPF_FAIL && verdict.explanation.len == 0);
	CHECK(check_as(&dns, "192.0.2.7", "[192.0.2.7]", "", SPF_HELO).result ==
	      SPF_NONE);
	CHECK(check_as(&dns, "192.0.2.7", "", "", SPF_MAIL_FROM).result == SPF_NONE);
	CHECK(check_as(&dns, "192.0.2.7", "a@b.example", "", SPF_HELO).result ==
	      SPF_NONE);
	arena_fini(&arena);
}

TEST(explanations_are_plain_text)
{
	struct fake_dns dns = {COUNTED(world)};

	arena_init(&arena, 64 * 1024);
	CHECK_STR(check(&dns, "203.0.113.1", "ann@example.org").explanation,
		  STR("203.0.113.1 (helo.example.org) is none of example.org's, ann; "
		      "mx.receiver.example"));
	CHECK_STR(check(&dns, "203.0.113.1", "@example.org").explanation,
		  STR("203.0.113.1 (helo.example.org) is none of example.org's, "
		      "postmaster; mx.receiver.example"));
	CHECK_STR(check(&dns, "203.0.113.1", "ann@moved.example").explanation,
		  STR("203.0.113.1 (helo.example.org) is none of example.org's, ann; "
		      "mx.receiver.example"));
	CHECK(check(&dns, "203.0.113.1", "\303\244@example.org").explanation.len == 0);
	CHECK(check(&dns, "203.0.113.1", "a\r\nb@example.org").explanation.len == 0);
	CHECK(check(&dns, "192.0.2.1", "ann@example.org").explanation.len == 0);
	arena_fini(&arena);
}

TEST(ptr_goes_by_names_that_lead_back)
{
	struct fake_dns dns = {COUNTED(world)};

	arena_init(&arena, 64 * 1024);
	CHECK(result(&dns, "192.0.2.50", "a@ptr.example") == SPF_PASS);
	CHECK(result(&dns, "192.0.2.51", "a@ptr.example") == SPF_FAIL);
	CHECK(result(&dns, "192.0.2.52", "a@ptr.example") == SPF_FAIL);
	arena_fini(&arena);
}

TEST(the_terms_that_ask_are_bounded)
{
	static const struct fake_record loops[] = {
		{"re.example", DNS_TXT, "v=spf1 redirect=re.example"},
		{"in.example", DNS_TXT, "v=spf1 include:in.example -all"},
		{"ten.example", DNS_TXT, "v=spf1 a a a a a a a a a a -all"},
		{"ten.example", DNS_A, "192.0.2.1"},
		{"eleven.example", DNS_TXT, "v=spf1 a a a a a a a a a a a -all"},
		{"eleven.example", DNS_A, "192.0.2.1"},
		{"nine.example", DNS_TXT, "v=spf1 include:ten.example -all"},
		{"wide.example", DNS_TXT,
		 "v=spf1 include:w.example include:w.example include:w.example -all"},
		{"w.example", DNS_TXT, "v=spf1 include:w.example include:w.example"},
	};
	struct fake_dns dns = {COUNTED(loops)};

	arena_init(&arena, 64 * 1024);
	CHECK(result(&dns, "203.0.113.1", "a@re.example") == SPF_PERMERROR);
	CHECK(result(&dns, "203.0.113.1", "a@in.example") == SPF_PERMERROR);
	CHECK(result(&dns, "203.0.113.1", "a@ten.example") == SPF_FAIL);
	CHECK(result(&dns, "203.0.113.1", "a@eleven.example") == SPF_PERMERROR);
	CHECK(result(&dns, "203.0.113.1", "a@nine.example") == SPF_PERMERROR);
	dns.asked = 0;
	CHECK(result(&dns, "203.0.113.1", "a@wide.example") == SPF_PERMERROR);
	CHECK(dns.asked <= 1 + SPF_LOOKUP_TERMS_MAX);
	CHECK_STR(check(&dns, "203.0.113.1", "a@in.example").why,
		  STR("more than 10 of its terms ask the DNS, up to include:in.example"));
	arena_fini(&arena);
}

TEST(terms_that_find_nothing_are_bounded)
{
	static const struct fake_record voids[] = {
		{"two.example", DNS_TXT, "v=spf1 a:no.example exists:no.example -all"},
		{"three.example", DNS_TXT, "v=spf1 a:no.example mx:no.example ptr -all"},
		{"six.example", DNS_TXT, "v=spf1 a mx ptr -all"},
		{"six.example", DNS_A, "192.0.2.1"},
		{"six.example", DNS_MX, "six.example"},
		{"null.example", DNS_TXT,
		 "v=spf1 mx a:no.example exists:no.example -all"},
		{"null.example", DNS_MX, ""},
		{"odd.example", DNS_TXT, "v=spf1 a:a..b a:a..b a:a..b -all"},
	};
	struct fake_dns dns = {COUNTED(voids)};

	arena_init(&arena, 64 * 1024);
	CHECK(result(&dns, "203.0.113.1", "a@two.example") == SPF_FAIL);
	CHECK(result(&dns, "203.0.113.1", "a@three.example") == SPF_PERMERROR);
	CHECK(result(&dns, "203.0.113.1", "a@six.example") == SPF_FAIL);
	CHECK(result(&dns, "2001:db8::1", "a@six.example") == SPF_PERMERROR);
	CHECK(result(&dns, "203.0.113.1", "a@null.example") == SPF_FAIL);
	CHECK(result(&dns, "203.0.113.1", "a@odd.example") == SPF_FAIL);
	arena_fini(&arena);
}

TEST(mail_hosts_and_names_are_bounded)
{
	static struct fake_record many[30];
	size_t count = 0;

	many[count++] = (struct fake_record){"mx.example", DNS_TXT, "v=spf1 mx -all"};
	for (int i = 0; i < SPF_HOSTS_MAX; i++)
		many[count++] = (struct fake_record){"mx.example", DNS_MX, "h.example"};
	many[count++] = (struct fake_record){"h.example", DNS_A, "192.0.2.1"};
	many[count++] = (struct fake_record){"ptr.example", DNS_TXT, "v=spf1 ptr -all"};
	for (int i = 0; i < IPREV_NAMES_MAX; i++)
		many[count++] = (struct fake_record){"9.2.0.192.in-addr.arpa", DNS_PTR,
						     "h.example"};
	many[count++] =
		(struct fake_record){"9.2.0.192.in-addr.arpa", DNS_PTR, "ptr.example"};
	many[count++] = (struct fake_record){"ptr.example", DNS_A, "192.0.2.9"};
	struct fake_dns dns = {many, count};

	arena_init(&arena, 64 * 1024);
	CHECK(result(&dns, "192.0.2.1", "a@mx.example") == SPF_PASS);
	CHECK(result(&dns, "192.0.2.2", "a@mx.example") == SPF_FAIL);
	many[count++] = (struct fake_record){"mx.example", DNS_MX, "h.example"};
	dns.count = count;
	dns.asked = 0;
	CHECK(result(&dns, "192.0.2.1", "a@mx.example") == SPF_PERMERROR);
	CHECK(dns.asked == 2);
	dns.asked = 0;
	CHECK(result(&dns, "192.0.2.9", "a@ptr.example") == SPF_FAIL); /* the 11th */
	CHECK(dns.asked == 2 + IPREV_NAMES_MAX);
	arena_fini(&arena);
}

TEST(a_check_ends_in_time)
{
	static const struct fake_record slow[] = {
		{"a.example", DNS_TXT, "v=spf1 a mx a mx a mx a mx -all"},
		{"a.example", DNS_A, "192.0.2.1"},
		{"a.example", DNS_MX, "a.example"},
	};
	struct fake_dns dns = {COUNTED(slow), .takes_ms = 4000};

	arena_init(&arena, 64 * 1024);
	clock_test_start(0);
	CHECK(result(&dns, "203.0.113.1", "a@a.example") == SPF_TEMPERROR);
	CHECK(dns.asked == SPF_SECONDS / 4);
	clock_test_stop();
	arena_fini(&arena);
}

TEST(a_record_of_any_size_is_answered)
{
	static char text[60000];
	const struct fake_record records[] = {{"big.example", DNS_TXT, text}};
	struct fake_dns dns = {COUNTED(records)};
	struct buf grown = BUF(sizeof text);

	arena_init(&arena, 64 * 1024);
	buf_add_c(&grown, "v=spf1");
	for (int i = 0; i < 900; i++)
		buf_printf(&grown, " ip4:192.0.%d.%d", i / 200, i % 200);
	buf_add_c(&grown, " -all");
	CHECK(str_to_c(buf_str(&grown), text, sizeof text));
	CHECK(result(&dns, "192.0.4.99", "a@big.example") == SPF_PASS);
	CHECK(result(&dns, "192.0.5.99", "a@big.example") == SPF_FAIL);
	for (int i = 0; i < 200; i++)
		buf_add_c(&grown, " ip4:192.0.2.1");
	CHECK(str_to_c(buf_str(&grown), text, sizeof text));
	CHECK(result(&dns, "192.0.4.99", "a@big.example") == SPF_PERMERROR);
	buf_fini(&grown);
	arena_fini(&arena);
}
