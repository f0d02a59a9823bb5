#include "mailauth/arc_trust.h"

#include "base/test.h"

#define ANN "mx.example; dmarc=pass header.from=a.example"

struct sealed {
	const char *domain, *results;
};

struct trust_case {
	enum arc_result chain;
	const char *forwarders;
	struct sealed sets[3];
	enum arc_trust_result result;
	unsigned instance;
	const char *found;
};

static const struct trust_case cases[] = {
	/* One, trusted or not. */
	{ARC_PASS, "list.example", {{"list.example", ANN}}, ARC_TRUSTED, 1, "dmarc"},
	{ARC_PASS,
	 "x.example  LIST.example",
	 {{"List.Example.", ANN}},
	 ARC_TRUSTED,
	 1,
	 "dmarc"},
	{ARC_PASS, "", {{"list.example", ANN}}, ARC_UNTRUSTED, 0, ""},
	{ARC_PASS, "x.example", {{"list.example", ANN}}, ARC_UNTRUSTED, 0, ""},
	{ARC_PASS, "example", {{"list.example", ANN}}, ARC_UNTRUSTED, 0, ""},
	{ARC_PASS, "list.example", {{"below.list.example", ANN}}, ARC_UNTRUSTED, 0, ""},
	{ARC_PASS, "list.example", {{"", ANN}}, ARC_UNTRUSTED, 0, ""},
	/* A chain that is broken, absent, or not to be told. */
	{ARC_FAIL, "list.example", {{"list.example", ANN}}, ARC_UNTRUSTED, 0, ""},
	{ARC_NONE, "list.example", {{NULL, NULL}}, ARC_UNTRUSTED, 0, ""},
	{ARC_TEMPERROR, "list.example", {{"list.example", ""}}, ARC_UNSURE, 0, ""},
	{ARC_TEMPERROR, "list.example", {{"evil.example", ""}}, ARC_UNTRUSTED, 0, ""},
	{ARC_TEMPERROR,
	 "list.example",
	 {{"list.example", ""}, {"evil.example", ""}},
	 ARC_UNTRUSTED,
	 0,
	 ""},
	/* What it found. */
	{ARC_PASS,
	 "l.example",
	 {{"l.example", "mx; dmarc=fail header.from=a.example"}},
	 ARC_UNTRUSTED,
	 0,
	 ""},
	{ARC_PASS,
	 "l.example",
	 {{"l.example", "mx; dmarc=pass header.from=b.example"}},
	 ARC_UNTRUSTED,
	 0,
	 ""},
	{ARC_PASS, "l.example", {{"l.example", "mx; dmarc=pass"}}, ARC_UNTRUSTED, 0, ""},
	{ARC_PASS, "l.example", {{"l.example", "mx; none"}}, ARC_UNTRUSTED, 0, ""},
	{ARC_PASS, "l.example", {{"l.example", ""}}, ARC_UNTRUSTED, 0, ""},
	{ARC_PASS,
	 "l.example",
	 {{"l.example", "mx; arc=pass; spf=fail; dkim=pass "
			"header.d=A.example"}},
	 ARC_TRUSTED,
	 1,
	 "dkim"},
	{ARC_PASS,
	 "l.example",
	 {{"l.example", "mx; dkim=pass header.d=sub.a.example"}},
	 ARC_UNTRUSTED,
	 0,
	 ""},
	{ARC_PASS,
	 "l.example",
	 {{"l.example", "mx; dkim=fail header.d=a.example"}},
	 ARC_UNTRUSTED,
	 0,
	 ""},
	{ARC_PASS,
	 "l.example",
	 {{"l.example", "mx; spf=pass smtp.mailfrom=x@a.example"}},
	 ARC_TRUSTED,
	 1,
	 "spf"},
	{ARC_PASS,
	 "l.example",
	 {{"l.example", "mx; spf=pass smtp.mailfrom=a.example"}},
	 ARC_TRUSTED,
	 1,
	 "spf"},
	{ARC_PASS,
	 "l.example",
	 {{"l.example", "mx; spf=pass smtp.helo=a.example"}},
	 ARC_UNTRUSTED,
	 0,
	 ""},
	{ARC_PASS,
	 "l.example",
	 {{"l.example", "mx; arc=pass header.from=a.example"}},
	 ARC_UNTRUSTED,
	 0,
	 ""},
	{ARC_PASS,
	 "l.example",
	 {{"l.example", "mx; dkim=pass header.d=a.example; dmarc=pass "
			"header.from=a.example"}},
	 ARC_TRUSTED,
	 1,
	 "dmarc"},
	/* Several: everybody after the one that is believed must be trusted. */
	{ARC_PASS,
	 "l.example m.example",
	 {{"l.example", ANN}, {"m.example", "mx; dmarc=fail header.from=a.example"}},
	 ARC_TRUSTED,
	 1,
	 "dmarc"},
	{ARC_PASS,
	 "l.example",
	 {{"l.example", ANN}, {"evil.example", ANN}},
	 ARC_UNTRUSTED,
	 0,
	 ""},
	{ARC_PASS,
	 "l.example m.example",
	 {{"l.example", ANN}, {"evil.example", ANN}, {"m.example", "mx; none"}},
	 ARC_UNTRUSTED,
	 0,
	 ""},
	{ARC_PASS,
	 "l.example",
	 {{"evil.example", ANN}, {"l.example", "mx; dmarc=fail"}},
	 ARC_UNTRUSTED,
	 0,
	 ""},
	{ARC_PASS,
	 "l.example",
	 {{"other.example", "mx; none"}, {"l.example", ANN}},
	 ARC_TRUSTED,
	 2,
	 "dmarc"},
};

static void find(const struct trust_case *c, const struct dmarc_authors *authors,
		 struct arena *arena, struct arc_trust *trust)
{
	struct arc_verdict_one sets[3] = {0};
	struct arc_verdict chain = {.result = c->chain, .sets = sets};

	for (; chain.count < 3 && c->sets[chain.count].domain; chain.count++)
		sets[chain.count] = (struct arc_verdict_one){
			.instance = (unsigned)chain.count + 1,
			.domain = str_c(c->sets[chain.count].domain),
			.results = str_c(c->sets[chain.count].results)};
	arc_trust_find(&chain, str_c(c->forwarders), authors, arena, trust);
}

TEST(a_chain_counts_as_far_as_all_its_sealers_are_trusted)
{
	struct dmarc_authors ann = {
		.from = DMARC_FROM_ONE, .domains = {STR("a.example")}, .count = 1};
	struct arc_trust trust;
	struct arena arena;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		arena_init(&arena, 1 << 20);
		find(&cases[i], &ann, &arena, &trust);
		if (trust.result != cases[i].result)
			test_failed(__FILE__, __LINE__,
				    arena_printf(&arena, "case %zu", i).ptr);
		CHECK(trust.instance == cases[i].instance);
		CHECK_STR(str_c(trust.found), str_c(cases[i].found));
		if (trust.result == ARC_TRUSTED)
			CHECK(trust.sealer.len > 0);
		arena_fini(&arena);
	}
}

TEST(nobody_can_speak_for_several_authors)
{
	struct dmarc_authors authors = {.from = DMARC_FROM_SEVERAL,
					.domains = {STR("a.example"), STR("b.example")},
					.count = 2};
	struct arc_trust trust;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	find(&cases[0], &authors, &arena, &trust);
	CHECK(trust.result == ARC_UNTRUSTED);
	authors = (struct dmarc_authors){
		.from = DMARC_FROM_REPEATED, .domains = {STR("a.example")}, .count = 1};
	find(&cases[0], &authors, &arena, &trust);
	CHECK(trust.result == ARC_UNTRUSTED);
	authors = (struct dmarc_authors){.from = DMARC_FROM_ABSENT};
	find(&cases[0], &authors, &arena, &trust);
	CHECK(trust.result == ARC_UNTRUSTED);
	arena_fini(&arena);
}
