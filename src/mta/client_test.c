#include "mta/client.h"

#include "base/test.h"
#include "mta/transaction.h"

TEST(reads_what_a_server_offers)
{
	uint64_t size = 0;

	CHECK(client_offer_of(STR("pipelining"), &size) == OFFER_PIPELINING);
	CHECK(client_offer_of(STR("SIZE 1000"), &size) == OFFER_SIZE && size == 1000);
	CHECK(client_offer_of(STR("SIZE"), &size) == OFFER_SIZE && size == 0);
	CHECK(client_offer_of(STR("SIZE -1"), &size) == OFFER_SIZE && size == 0);
	CHECK(client_offer_of(STR("AUTH PLAIN LOGIN SCRAM-SHA-256"), &size) ==
	      (OFFER_AUTH | OFFER_AUTH_PLAIN | OFFER_AUTH_LOGIN));
	CHECK(client_offer_of(STR("AUTH"), &size) == OFFER_AUTH);
	CHECK(client_offer_of(STR(""), &size) == 0);
	CHECK(client_offer_of(STR("X-STARTTLS"), &size) == 0);
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
