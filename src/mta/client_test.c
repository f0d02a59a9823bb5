#include "mta/client.h"

#include "base/test.h"
#include "mta/transaction.h"

TEST(reads_what_a_server_offers)
{
	struct client_bounds b = {0};

	CHECK(client_offer_of(STR("pipelining"), &b) == OFFER_PIPELINING);
	CHECK(client_offer_of(STR("SIZE 1000"), &b) == OFFER_SIZE && b.size_max == 1000);
	CHECK(client_offer_of(STR("SIZE"), &b) == OFFER_SIZE && b.size_max == 0);
	CHECK(client_offer_of(STR("SIZE -1"), &b) == OFFER_SIZE && b.size_max == 0);
	CHECK(client_offer_of(STR("AUTH PLAIN LOGIN SCRAM-SHA-256"), &b) ==
	      (OFFER_AUTH | OFFER_AUTH_PLAIN | OFFER_AUTH_LOGIN | OFFER_AUTH_SCRAM));
	CHECK(client_offer_of(STR("AUTH SCRAM-SHA-256-PLUS"), &b) ==
	      (OFFER_AUTH | OFFER_AUTH_SCRAM_PLUS));
	CHECK(client_offer_of(STR("AUTH"), &b) == OFFER_AUTH);
	CHECK(client_offer_of(STR(""), &b) == 0);
	CHECK(client_offer_of(STR("LIMITS RCPTMAX=3 MAILMAX=2"), &b) == 0);
	CHECK(b.limits.rcpt_max == 3 && b.limits.mail_max == 2);
	CHECK(client_offer_of(STR("DELIVERBY"), &b) == OFFER_DELIVERBY);
	CHECK(b.by_min_s == 0);
	CHECK(client_offer_of(STR("deliverby 240"), &b) == OFFER_DELIVERBY);
	CHECK(b.by_min_s == 240);
	CHECK(client_offer_of(STR("X-STARTTLS"), &b) == 0);
}

TEST(writes_addresses_as_paths)
{
	static const struct {
		const char *address, *path;
	} cases[] = {
		{"ann@example.org", "ann@example.org"},
		{"", ""},
		{"a b@example.org", "\"a b\"@example.org"},
		{"\"a b\"@example.org", "\"a b\"@example.org"},
		{"a\"b@example.org", "\"a\\\"b\"@example.org"},
		{".a@example.org", "\".a\"@example.org"},
		{"a+b@b\xc3\xbc"
		 "cher.example",
		 "a+b@xn--bcher-kva.example"},
		{"j\xc3\xbc@example.org", "j\xc3\xbc@example.org"},
		{"a@b@example.org", "\"a@b\"@example.org"},

	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		SCOPED(buf_fini) struct buf out = BUF(1000);

		transaction_path_add(&out, str_c(cases[i].address));
		CHECK_STR(buf_str(&out), str_c(cases[i].path));
	}
}
