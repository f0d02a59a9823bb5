#include "wire/auth/received_spf.h"

#include "base/buf.h"
#include "base/test.h"

static const struct {
	struct str value, want;
} cases[] = {
	{STR(" pass (mybox.example.org: domain of myname@example.com designates "
	     "192.0.2.1 as "
	     "permitted sender) receiver=mybox.example.org; client-ip=192.0.2.1;\r\n "
	     "envelope-from=\"myname@example.com\"; helo=foo.example.com;"),
	 STR("pass|mybox.example.org|192.0.2.1|myname@example.com|foo.example.com")},
	{STR("Pass (protection.outlook.com: (x) y) receiver=protection.outlook.com; "
	     "client-ip=192.0.2.1; helo=a.example; pr=C"),
	 STR("Pass|protection.outlook.com|192.0.2.1||a.example")},
	{STR("softfail client-ip=192.0.2.1 envelope-from=<a@b.example> helo=c receiver=d "
	     "helo=e"),
	 STR("softfail|d|192.0.2.1|a@b.example|c")},
	{STR("none"), STR("none||||")},
	{STR("fail (never ends receiver=a"), STR("fail|a|||")},
	{STR("fail receiver=\"never ends"), STR("fail|never ends|||")},
};

TEST(received_spf_is_read)
{
	struct buf told = BUF(1000);
	struct received_spf spf;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buf_reset(&told);
		CHECK(received_spf_parse(cases[i].value, &spf));
		buf_printf(&told, "%.*s|%.*s|%.*s|%.*s|%.*s", STR_FMT(spf.result),
			   STR_FMT(spf.receiver), STR_FMT(spf.client_ip),
			   STR_FMT(spf.sender), STR_FMT(spf.helo));
		CHECK_STR(buf_str(&told), cases[i].want);
	}
	CHECK(!received_spf_parse(STR(" (pass)"), &spf));
	CHECK(!received_spf_parse(STR(""), &spf));
	buf_fini(&told);
}
