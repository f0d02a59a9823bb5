#include "wire/auth/tls_rpt.h"

#include "base/test.h"

TEST(reads_who_wants_reports_of_tls)
{
	static const struct {
		const char *text;
		size_t count; /* 0: refused */
		bool is_https;
		const char *target;
	} cases[] = {
		{"v=TLSRPTv1;rua=mailto:reports@example.com", 1, false,
		 "reports@example.com"}, /* RFC 8460 §3.1.1 */
		{"v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt", 1, true,
		 "https://reporting.example.com/v1/tlsrpt"}, /* §3.1.2 */
		{"v=TLSRPTv1; rua=mailto:a@example.com , HTTPS://b.example/ ;", 2, false,
		 "a@example.com"},
		{"v=TLSRPTv1;x=y;rua=mailto:a%40example.com?subject=x", 1, false,
		 "a@example.com"},
		{"v=TLSRPTv1;rua=ftp://a.example/,mailto:a@b.example", 1, false,
		 "a@b.example"},
		{"v=TLSRPTv1;rua=mailto:a@b.example;rua=mailto:c@d.example", 1, false,
		 "a@b.example"},
		{"v=TLSRPTv1;rua=mailto:a@1,mailto:a@2,mailto:a@3,mailto:a@4,mailto:a@5",
		 TLS_RPT_URIS_MAX, false, "a@1"},
		{"v=TLSRPTv1;rua=ftp://a.example/", 0, false, ""},
		{"v=TLSRPTv1;rua=mailto:a", 0, false, ""},
		{"v=TLSRPTv1;rua=mailto:a%0d%0aBcc:x@b.example", 0, false, ""},
		{"v=TLSRPTv1;rua=mailto:%", 0, false, ""},
		{"v=TLSRPTv1;rua=mailto:a@b.exampl%4", 0, false, ""},
		{"v=TLSRPTv1;rua=mailto:a@b.example!10m", 0, false, ""},
		{"v=TLSRPTv1;rua=mailto:a@b.example,", 1, false, "a@b.example"},
		{"v=TLSRPTv1;rua=mailto:a@b.example,,mailto:c@d", 0, false, ""},
		{"v=TLSRPTv1;rua=https://", 0, false, ""},
		{"v=TLSRPTv1;rua=https:///x", 0, false, ""},
		{"v=TLSRPTv1;rua=http://a.example/", 0, false, ""},
		{"v=TLSRPTv1;rua=", 0, false, ""},
		{"v=TLSRPTv1;", 0, false, ""},
		{"v=TLSRPTv2;rua=mailto:a@b.example", 0, false, ""},
		{"", 0, false, ""},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct tls_rpt rpt = {.count = 0};

		arena_init(&arena, 4096);
		CHECK(tls_rpt_parse(str_c(cases[i].text), &arena, &rpt) ==
		      (cases[i].count > 0));
		CHECK(rpt.count == cases[i].count);
		if (rpt.count == 0)
			continue;
		CHECK(rpt.uris[0].is_https == cases[i].is_https);
		CHECK_STR(rpt.uris[0].target, str_c(cases[i].target));
	}
	CHECK(tls_rpt_is_record(STR("v=TLSRPTv1; rubbish")));
	CHECK(!tls_rpt_is_record(STR("v=STSv1; id=1")));
}
