#include "wire/smtp/srs.h"

#include "base/test.h"

enum { DAY_S = 86400 };

static const struct {
	struct str local;
	bool is_good;
	struct srs srs;
} table[] = {
	{STR("SRS0=hash=TT=example.org=ann"),
	 true,
	 {SRS_FIRST, STR("hash"), STR("TT"), STR("example.org"), STR("ann")}},
	{STR("srs0+HASH=tt=example.org=a=b=c"),
	 true,
	 {SRS_FIRST, STR("HASH"), STR("tt"), STR("example.org"), STR("a=b=c")}},
	{STR("SRS0-h=22=e=x"),
	 true,
	 {SRS_FIRST, STR("h"), STR("22"), STR("e"), STR("x")}},
	{STR("SRS1=h1=first.example==hash=TT=example.org=ann"),
	 true,
	 {SRS_NEXT, STR("h1"), STR(""), STR("first.example"),
	  STR("=hash=TT=example.org=ann")}},
	{STR("SRS1=h1=first.example=+hash=TT=example.org=ann"),
	 true,
	 {SRS_NEXT, STR("h1"), STR(""), STR("first.example"),
	  STR("+hash=TT=example.org=ann")}},
	{STR(""), false, {0}},
	{STR("SRS0"), false, {0}},
	{STR("SRS0="), false, {0}},
	{STR("SRS2=h=TT=e=x"), false, {0}},
	{STR("SRS0_h=TT=e=x"), false, {0}},
	{STR("SRS0==TT=e=x"), false, {0}},
	{STR("SRS0=h=T=e=x"), false, {0}},
	{STR("SRS0=h=TTT=e=x"), false, {0}},
	{STR("SRS0=h=TT==x"), false, {0}},
	{STR("SRS0=h=TT=e="), false, {0}},
	{STR("SRS0=h=TT=e"), false, {0}},
	{STR("SRS1=h=first=x"), false, {0}},
	{STR("SRS1=h=first=="), false, {0}},
	{STR("SRS1=h==x=y"), false, {0}},
	{STR("ann"), false, {0}},
};

TEST(reads_what_forwarders_write)
{
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct srs srs = {0};

		CHECK(srs_parse(table[i].local, &srs) == table[i].is_good);
		if (!table[i].is_good)
			continue;
		CHECK(srs_is_meant(table[i].local));
		CHECK(srs.kind == table[i].srs.kind);
		CHECK_STR(srs.hash, table[i].srs.hash);
		CHECK_STR(srs.day, table[i].srs.day);
		CHECK_STR(srs.domain, table[i].srs.domain);
		CHECK_STR(srs.rest, table[i].srs.rest);
	}
	CHECK(srs_is_meant(STR("SRS0=rubbish")) && !srs_is_meant(STR("SRS0")));
}

TEST(writes_the_usual_form)
{
	SCOPED(buf_fini) struct buf out = BUF(200);

	srs_add(&out, &table[1].srs);
	CHECK_STR(buf_str(&out), STR("SRS0=HASH=tt=example.org=a=b=c"));
	buf_reset(&out);
	srs_add(&out, &table[3].srs);
	CHECK_STR(buf_str(&out), table[3].local);
}

TEST(counts_days_in_two_letters)
{
	static const int ago[] = {0, 1, 21, 22, 1023};

	for (size_t i = 0; i < COUNT_OF(ago); i++) {
		SCOPED(buf_fini) struct buf day = BUF(2);
		int64_t now = 20000LL * DAY_S + 12345;

		srs_day_add(&day, now - (int64_t)ago[i] * DAY_S);
		CHECK(srs_days_since(buf_str(&day), now) == ago[i]);
		CHECK(srs_days_since(buf_str(&day), now + (int64_t)SRS_DAYS * DAY_S) ==
		      ago[i]);
	}
	CHECK(srs_days_since(STR("AB"), 0) == SRS_DAYS - 1);
	CHECK(srs_days_since(STR("ab"), 3 * DAY_S) == 2);
	CHECK(srs_days_since(STR("A1"), 0) < 0 && srs_days_since(STR("A"), 0) < 0 &&
	      srs_days_since(STR("ABC"), 0) < 0);
}
