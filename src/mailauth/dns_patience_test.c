#include "mailauth/dns_patience.h"

#include "base/test.h"
#include "mailauth/fake_dns.h"
#include "rt/clock.h"

static const struct fake_record world[] = {
	{"silent.example.org", DNS_TXT, NULL},
	{"there.example.org", DNS_TXT, "here"},
};

/* Asks for the text of each of the names, space between; which the last outcome was. */
static struct dns_answer ask_all(struct dns_lookup lookup, struct str names)
{
	struct dns_answer answer = {.outcome = DNS_UNKNOWN};
	struct arena arena;

	arena_init(&arena, DNS_SCRATCH_BYTES);
	while (names.len > 0) {
		arena_reset(&arena);
		lookup.ask(lookup.context, str_cut(&names, ' '), DNS_TXT, &arena,
			   &answer);
	}
	arena_fini(&arena);
	return answer; /* its records are gone */
}

#define SILENT "silent.example.org"
#define THERE  "there.example.org"

TEST(asks_no_more_when_nobody_answers)
{
	static const struct {
		const char *names;
		uint64_t takes_ms;
		unsigned asked;
		enum dns_outcome last;
	} table[] = {
		{SILENT " " THERE, DNS_PATIENCE_MS, 2, DNS_FOUND},
		{SILENT " " SILENT " " THERE, DNS_PATIENCE_MS, 2, DNS_UNKNOWN},
		{SILENT " " SILENT " " THERE " gone.test", 60000, 2, DNS_UNKNOWN},
		/* servers that say at once that they cannot tell are there */
		{SILENT " " SILENT " " THERE, DNS_PATIENCE_MS - 1, 3, DNS_FOUND},
		/* slow answers are answers, and not in a row is not dead */
		{THERE " " THERE " " THERE, 10000, 3, DNS_FOUND},
		{"gone.test gone.test " THERE, 10000, 3, DNS_FOUND},
		{SILENT " " THERE " " SILENT " " THERE, 10000, 4, DNS_FOUND},
	};

	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct fake_dns dns = {world, COUNT_OF(world), 0, table[i].takes_ms};
		struct dns_patience patience = {.lookup = fake_dns_lookup(&dns)};

		clock_test_start(1700000000000000);
		struct dns_answer last =
			ask_all(dns_patience_lookup(&patience), str_c(table[i].names));
		clock_test_stop();

		CHECK(last.outcome == table[i].last);
		CHECK(dns.asked == table[i].asked);
	}
}

TEST(says_that_no_name_server_answers)
{
	struct fake_dns dns = {world, COUNT_OF(world), 0, DNS_PATIENCE_MS};
	struct dns_patience patience = {.lookup = fake_dns_lookup(&dns)};

	clock_test_start(1700000000000000);
	struct dns_answer last =
		ask_all(dns_patience_lookup(&patience), STR(SILENT " " SILENT " " THERE));
	clock_test_stop();
	CHECK(str_same(last.why, STR("no name server answers")));
	CHECK(last.count == 0);
}
