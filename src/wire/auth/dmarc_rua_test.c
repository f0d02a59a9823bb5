#include "wire/auth/dmarc_rua.h"

#include "base/test.h"

static struct arena arena;
static struct dmarc_rua rua;

static bool reads(const char *text)
{
	arena_fini(&arena);
	arena_init(&arena, 100000);
	return dmarc_rua_parse(str_c(text), "rua", &arena, &rua);
}

TEST(reads_who_wants_reports_of_dmarc)
{
	CHECK(reads(
		"v=DMARC1; p=none; rua=mailto:a@example.org!10m, mailto:b@x.example"));
	CHECK(rua.count == 2 && rua.uris[0].bytes_max == 10 << 20);
	CHECK_STR(rua.uris[0].address, STR("a@example.org"));
	CHECK_STR(rua.uris[0].host, STR("example.org"));
	CHECK(rua.uris[1].bytes_max == UINT64_MAX);
	CHECK(reads("v=DMARC1") && rua.count == 0);
	CHECK(reads("v=DMARC1; rua=https://example.org/,mailto:a@[192.0.2.1],x,"
		    "mailto:,mailto:c@example.org") &&
	      rua.count == 1);
	CHECK(reads("v=DMARC1; "
		    "rua=mailto:a@a.example,mailto:a@b.example,mailto:a@c.example,"
		    "mailto:a@d.example,mailto:a@e.example") &&
	      rua.count == DMARC_RUA_MAX);
	CHECK(dmarc_rua_parse(STR("v=DMARC1; ruf=mailto:f@example.org"), "ruf", &arena,
			      &rua) &&
	      rua.count == 1);
	CHECK(reads("v=DMARC1; ruf=mailto:f@example.org") && rua.count == 0);
	CHECK(!reads("") && !reads("v=spf1 -all") && !reads("p=none; v=DMARC1"));
	CHECK(!reads("v=DMARC1; ==") && !reads("v=dmarc1; p=none"));
	arena_fini(&arena);
}
