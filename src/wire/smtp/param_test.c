#include "wire/smtp/param.h"

#include "base/test.h"

static struct arena arena;

static enum smtp_fault mail(struct str text, struct smtp_mail_params *params)
{
	struct cursor c = cur_over(text);

	arena_fini(&arena);
	arena_init(&arena, 2000);
	return smtp_mail_params_parse(&c, &arena, params);
}

static enum smtp_fault rcpt(struct str text, struct smtp_rcpt_params *params)
{
	struct cursor c = cur_over(text);

	arena_fini(&arena);
	arena_init(&arena, 2000);
	return smtp_rcpt_params_parse(&c, &arena, params);
}

TEST(reads_mail_parameters)
{
	struct smtp_mail_params p;

	CHECK(mail(STR(""), &p) == SMTP_FAULT_NONE && p.given == 0);
	CHECK(mail(STR(" size=1000  body=8bitmime SMTPUTF8"), &p) == SMTP_FAULT_NONE);
	CHECK(p.size == 1000 && p.body == SMTP_BODY_8BITMIME);
	CHECK(p.given == (SMTP_PARAM_SIZE | SMTP_PARAM_BODY | SMTP_PARAM_SMTPUTF8));
	CHECK(mail(STR(" RET=HDRS ENVID=QQ+2B314 AUTH=a+3Db@example.org"), &p) ==
	      SMTP_FAULT_NONE);
	CHECK(p.ret == SMTP_RET_HDRS);
	CHECK_STR(p.envid, STR("QQ+314"));
	CHECK_STR(p.auth, STR("a=b@example.org"));
	CHECK(mail(STR(" RET=FULL AUTH=<> BODY=BINARYMIME REQUIRETLS"), &p) ==
	      SMTP_FAULT_NONE);
	CHECK_STR(p.auth, STR("<>"));
	CHECK(p.ret == SMTP_RET_FULL && p.body == SMTP_BODY_BINARYMIME);
	CHECK(mail(STR(" SIZE=99999999999999999999 BODY=7bit"), &p) == SMTP_FAULT_NONE);
	CHECK(p.size == UINT64_MAX);
	CHECK(mail(STR(" MT-PRIORITY=-9"), &p) == SMTP_FAULT_NONE && p.priority == -9);
	CHECK(mail(STR(" MT-PRIORITY=0"), &p) == SMTP_FAULT_NONE && p.priority == 0);
	CHECK(mail(STR(" BY=-20;NT"), &p) == SMTP_FAULT_NONE);
	CHECK(p.by_s == -20 && p.by_mode == SMTP_BY_NOTIFY && p.by_trace);
	CHECK(mail(STR(" BY=+120;r"), &p) == SMTP_FAULT_NONE);
	CHECK(p.by_s == 120 && p.by_mode == SMTP_BY_RETURN && !p.by_trace);
	CHECK(mail(STR(" HOLDFOR=86400"), &p) == SMTP_FAULT_NONE && p.hold_s == 86400);
	CHECK(mail(STR(" HOLDUNTIL=1970-01-02T00:00:01Z"), &p) == SMTP_FAULT_NONE);
	CHECK(p.hold_until == 86401);
	CHECK(mail(STR(" HOLDUNTIL=1970-01-02t00:00:01.25z"), &p) == SMTP_FAULT_NONE);
	CHECK(p.hold_until == 86401);
	arena_fini(&arena);
}

TEST(refuses_malformed_mail_parameters)
{
	static const struct str bad[] = {
		STR(" SIZE"),
		STR(" SIZE="),
		STR(" SIZE=-1"),
		STR(" SIZE=1 SIZE=1"),
		STR(" SIZE=111111111111111111111"),
		STR(" BODY=9BIT"),
		STR(" SMTPUTF8=1"),
		STR(" REQUIRETLS="),
		STR(" AUTH="),
		STR(" AUTH=a\"b=c"),
		STR(" AUTH=a+3d+"),
		STR(" AUTH=a+0Ab"),
		STR(" AUTH=a+ZZ"),
		STR(" AUTH=a=b"),
		STR(" AUTH=+C3"),
		STR(" RET=SOME"),
		STR(" ENVID="),
		STR(" ENVID=a+C3+BC"),
		STR(" BY=1"),
		STR(" BY=0;R"),
		STR(" BY=5;X"),
		STR(" BY=5;NX"),
		STR(" BY=5;NTT"),
		STR(" BY=;N"),
		STR(" BY=1111111111;N"),
		STR(" MT-PRIORITY=10"),
		STR(" MT-PRIORITY=-0"),
		STR(" MT-PRIORITY=a"),
		STR(" HOLDFOR=0"),
		STR(" HOLDFOR=1111111111"),
		STR(" HOLDUNTIL=2026-01-02"),
		STR(" HOLDUNTIL=2026-02-30T00:00:00Z"),
		STR(" HOLDUNTIL=2026-01-02T00:00:00"),
		STR(" HOLDUNTIL=2026-01-02T00:00:00.Z"),
		STR(" HOLDUNTIL=2026-01-02T00:00:00.5"),
		STR(" HOLDUNTIL=2026-01-02T00:00:00Zx"),
		STR(" HOLDUNTIL=2026x01-02T00:00:00Z"),
		STR(" HOLDUNTIL=2026-01-02T00:00:00+01:00"),
		STR(" HOLDFOR=1 HOLDUNTIL=2026-01-02T00:00:00Z"),
	};
	struct smtp_mail_params p;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (mail(bad[i], &p) != SMTP_FAULT_PARAM)
			CHECK_STR(bad[i], STR("a malformed one"));
	CHECK(mail(STR("x"), &p) == SMTP_FAULT_ARGUMENTS);
	CHECK(mail(STR(" COLOUR=red"), &p) == SMTP_FAULT_PARAM_UNKNOWN);
	CHECK(mail(STR(" NOTIFY=NEVER"), &p) == SMTP_FAULT_PARAM_UNKNOWN);
	arena_fini(&arena);
}

TEST(reads_rcpt_parameters)
{
	struct smtp_rcpt_params p;

	CHECK(rcpt(STR(" NOTIFY=success,DELAY ORCPT=rfc822;ann+2Blee@example.org"), &p) ==
	      SMTP_FAULT_NONE);
	CHECK(p.notify == (SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_DELAY));
	CHECK_STR(p.orcpt_type, STR("rfc822"));
	CHECK_STR(p.orcpt, STR("ann+lee@example.org"));
	CHECK(rcpt(STR(" NOTIFY=NEVER"), &p) == SMTP_FAULT_NONE);
	CHECK(p.notify == SMTP_NOTIFY_NEVER);
	CHECK(rcpt(STR(" ORCPT=utf-8;j\xc3\xbcrg@example.org"), &p) == SMTP_FAULT_NONE);
	CHECK_STR(p.orcpt, STR("j\xc3\xbcrg@example.org"));
}

TEST(refuses_malformed_rcpt_parameters)
{
	static const struct str bad[] = {
		STR(" NOTIFY="),
		STR(" NOTIFY=NEVER,DELAY"),
		STR(" NOTIFY=DELAY,"),
		STR(" NOTIFY=SOON"),
		STR(" ORCPT=ann@example.org"),
		STR(" ORCPT=rfc822;"),
		STR(" ORCPT=;a"),
		STR(" ORCPT=r@c;a"),
		STR(" ORCPT=rfc822;a+0D+0Ab"),
		STR(" ORCPT=rfc822;j\xc3\xbcrg@example.org"),
		STR(" ORCPT=utf-8;\xc3@example.org"),
	};
	struct smtp_rcpt_params p;
	struct buf text = BUF(1000);

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (rcpt(bad[i], &p) != SMTP_FAULT_PARAM)
			CHECK_STR(bad[i], STR("a malformed one"));
	buf_add(&text, STR(" ORCPT=rfc822;"));
	for (int i = 0; i < 500; i++)
		buf_add_byte(&text, 'a');
	CHECK(rcpt(buf_str(&text), &p) == SMTP_FAULT_PARAM);
	buf_fini(&text);
	CHECK(rcpt(STR(" SIZE=1"), &p) == SMTP_FAULT_PARAM_UNKNOWN);
	struct cursor c = cur_over(STR(" ORCPT=rfc822;ann@example.org"));

	arena_fini(&arena);
	arena_init(&arena, 1);
	CHECK(smtp_rcpt_params_parse(&c, &arena, &p) == SMTP_FAULT_MEMORY);
	arena_fini(&arena);
}

TEST(xtext_goes_there_and_back)
{
	struct buf coded = BUF(100), plain = BUF(100);

	smtp_xtext_add(&coded, STR("a +=\xc3\xbc~"));
	CHECK_STR(buf_str(&coded), STR("a+20+2B+3D+C3+BC~"));
	CHECK(smtp_xtext_decode(buf_str(&coded), &plain));
	CHECK_STR(buf_str(&plain), STR("a +=\xc3\xbc~"));
	CHECK(smtp_xtext_decode(STR(""), &plain) && plain.len == 7);
	CHECK(!smtp_xtext_decode(STR("a+2"), &plain) && plain.len == 7);
	buf_fini(&coded);
	buf_fini(&plain);
}
