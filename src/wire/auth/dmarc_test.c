#include "wire/auth/dmarc.h"

#include "base/buf.h"
#include "base/test.h"

static struct dmarc_record read(const char *text)
{
	struct dmarc_record record;

	CHECK(dmarc_record_parse(str_c(text), &record));
	return record;
}

TEST(records_of_others_are_passed_over)
{
	static const char *const others[] = {
		"",
		"v=DMARC1x",
		"v=dmarc1; p=none",
		"p=none; v=DMARC1",
		"v=DMARC2",
		" v=DMARC1",
		"v=",
		"v",
		"v DMARC1",
		"v=DMARC1 p=none",
		"x=DMARC1",
		"v=spf1 -all",
	};
	struct dmarc_record record;

	for (size_t i = 0; i < COUNT_OF(others); i++) {
		CHECK(!dmarc_is_record(str_c(others[i])));
		CHECK(!dmarc_record_parse(str_c(others[i]), &record));
	}
	CHECK(dmarc_is_record(STR("v=DMARC1")));
	CHECK(dmarc_is_record(STR("v = DMARC1 ; p=none")));
	CHECK(dmarc_is_record(STR("V\t=\tDMARC1;")));
}

static const struct {
	const char *text;
	enum dmarc_policies policies;
	enum dmarc_policy p, sp, np;
} policies[] = {
	{"v=DMARC1; p=none", DMARC_POLICIES_FINE, DMARC_POLICY_NONE, DMARC_POLICY_NONE,
	 DMARC_POLICY_NONE},
	{"v=DMARC1;p=Reject", DMARC_POLICIES_FINE, DMARC_POLICY_REJECT,
	 DMARC_POLICY_REJECT, DMARC_POLICY_REJECT},
	{"v=DMARC1; p=reject; sp=quarantine", DMARC_POLICIES_FINE, DMARC_POLICY_REJECT,
	 DMARC_POLICY_QUARANTINE, DMARC_POLICY_QUARANTINE},
	{"v=DMARC1; p=none; np=reject", DMARC_POLICIES_FINE, DMARC_POLICY_NONE,
	 DMARC_POLICY_NONE, DMARC_POLICY_REJECT},
	{"v=DMARC1; sp=none; p=reject; np = quarantine ;", DMARC_POLICIES_FINE,
	 DMARC_POLICY_REJECT, DMARC_POLICY_NONE, DMARC_POLICY_QUARANTINE},
	{"v=DMARC1; p=quarantine; pct=0; rf=afrf; ri=86400; x-new=1", DMARC_POLICIES_FINE,
	 DMARC_POLICY_QUARANTINE, DMARC_POLICY_QUARANTINE, DMARC_POLICY_QUARANTINE},
	/* wrong tags harm no other */
	{"v=DMARC1; rubbish; =; p=reject; \x01=\x02; p=none", DMARC_POLICIES_FINE,
	 DMARC_POLICY_REJECT, DMARC_POLICY_REJECT, DMARC_POLICY_REJECT},
	{"v=DMARC1", DMARC_POLICIES_UNUSABLE, DMARC_POLICY_NONE, DMARC_POLICY_NONE,
	 DMARC_POLICY_NONE},
	{"v=DMARC1; p=rejected", DMARC_POLICIES_UNUSABLE, DMARC_POLICY_NONE,
	 DMARC_POLICY_NONE, DMARC_POLICY_NONE},
	{"v=DMARC1; p=; rua=mailto:a@b.example", DMARC_POLICIES_AS_NONE,
	 DMARC_POLICY_NONE, DMARC_POLICY_NONE, DMARC_POLICY_NONE},
	{"v=DMARC1; rua=mailto:a@b.example", DMARC_POLICIES_AS_NONE, DMARC_POLICY_NONE,
	 DMARC_POLICY_NONE, DMARC_POLICY_NONE},
	{"v=DMARC1; p=reject; sp=no; rua=mailto:a@b.example", DMARC_POLICIES_AS_NONE,
	 DMARC_POLICY_NONE, DMARC_POLICY_NONE, DMARC_POLICY_NONE},
	{"v=DMARC1; p=reject; np=no", DMARC_POLICIES_UNUSABLE, DMARC_POLICY_NONE,
	 DMARC_POLICY_NONE, DMARC_POLICY_NONE},
	{"v=DMARC1; p=reject; np=no; rua=nonsense", DMARC_POLICIES_UNUSABLE,
	 DMARC_POLICY_NONE, DMARC_POLICY_NONE, DMARC_POLICY_NONE},
};

TEST(policies_are_read)
{
	for (size_t i = 0; i < COUNT_OF(policies); i++) {
		struct dmarc_record record = read(policies[i].text);

		CHECK(record.policies == policies[i].policies);
		CHECK(record.p == policies[i].p && record.sp == policies[i].sp &&
		      record.np == policies[i].np);
	}
}

TEST(testing_is_one_level_below)
{
	CHECK(dmarc_policy_milder(DMARC_POLICY_REJECT) == DMARC_POLICY_QUARANTINE);
	CHECK(dmarc_policy_milder(DMARC_POLICY_QUARANTINE) == DMARC_POLICY_NONE);
	CHECK(dmarc_policy_milder(DMARC_POLICY_NONE) == DMARC_POLICY_NONE);
}

TEST(flags_have_defaults)
{
	struct dmarc_record record = read("v=DMARC1; p=none");

	CHECK(record.psd == DMARC_PSD_UNKNOWN && !record.is_testing &&
	      !record.is_dkim_strict && !record.is_spf_strict &&
	      record.failure_options == DMARC_FO_ALL);
	record = read("v=DMARC1; p=none; psd=Y; t=y; adkim=s; aspf=S; fo=1:d:s");
	CHECK(record.psd == DMARC_PSD_YES && record.is_testing && record.is_dkim_strict &&
	      record.is_spf_strict);
	CHECK(record.failure_options == (DMARC_FO_ANY | DMARC_FO_DKIM | DMARC_FO_SPF));
	record = read("v=DMARC1; p=none; psd=n; t=yes; adkim=r; aspf=x; fo=0:1");
	CHECK(record.psd == DMARC_PSD_NO && !record.is_testing &&
	      !record.is_dkim_strict && !record.is_spf_strict &&
	      record.failure_options == DMARC_FO_ALL);
	CHECK(read("v=DMARC1; psd=u").psd == DMARC_PSD_UNKNOWN);
	CHECK(read("v=DMARC1; fo=d:d").failure_options == DMARC_FO_ALL);
	CHECK(read("v=DMARC1; fo=x").failure_options == DMARC_FO_ALL);
	CHECK(read("v=DMARC1; fo=d").failure_options == DMARC_FO_DKIM);
}

TEST(reports_go_to_what_is_a_uri)
{
	struct dmarc_record record =
		read("v=DMARC1; rua=mailto:a@b.example!10m , https://c.example/?x=y!5, "
		     "nonsense, :x, a b:c, ma_il:x, x:, mailto:d@e.example!k; "
		     "ruf=mailto:f@g.example");

	CHECK(record.rua.count == 2 && record.ruf.count == 1);
	CHECK_STR(record.rua.items[0], STR("mailto:a@b.example"));
	CHECK_STR(record.rua.items[1], STR("https://c.example/?x=y"));
	CHECK_STR(record.ruf.items[0], STR("mailto:f@g.example"));
}

TEST(a_dmarc_record_has_bounds)
{
	struct buf text = BUF(DMARC_RECORD_BYTES_MAX + 100);
	struct dmarc_record record;

	buf_add_c(&text, "v=DMARC1; p=none; rua=mailto:a@b.example");
	for (size_t i = 0; i < 40; i++)
		buf_add_c(&text, ",mailto:a@b.example");
	buf_add_c(&text, "; ruf=mailto:");
	for (size_t i = 0; i < DMARC_URI_BYTES_MAX; i++)
		buf_add_byte(&text, 'a');
	CHECK(dmarc_record_parse(buf_str(&text), &record));
	CHECK(record.rua.count == DMARC_URIS_MAX && record.ruf.count == 0);
	while (text.len <= DMARC_RECORD_BYTES_MAX)
		buf_add_byte(&text, ';');
	CHECK(!dmarc_record_parse(buf_str(&text), &record));
	buf_fini(&text);
}
