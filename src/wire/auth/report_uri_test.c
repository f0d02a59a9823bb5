#include "wire/auth/report_uri.h"

#include "base/test.h"

TEST(reads_where_reports_shall_go)
{
	static const struct {
		const char *text, *target;
		enum report_uri_kind kind;
	} cases[] = {
		{"mailto:a@example.org", "a@example.org", REPORT_URI_MAILTO},
		{"MAILTO:a%2Bb@example.org?subject=x", "a+b@example.org",
		 REPORT_URI_MAILTO},
		{"https://example.org/x", "https://example.org/x", REPORT_URI_HTTPS},
		{"https://:1", "https://:1", REPORT_URI_OTHER},
		{"mailto:nobody", "mailto:nobody", REPORT_URI_OTHER},
		{"mailto:a%0d%0a@example.org", "mailto:a%0d%0a@example.org",
		 REPORT_URI_OTHER},
		{"mailto:a%4", "mailto:a%4", REPORT_URI_OTHER},
		{"ftp://x", "ftp://x", REPORT_URI_OTHER},
		{"", NULL, REPORT_URI_OTHER},
		{"mailto:a b@example.org", NULL, REPORT_URI_OTHER},
		{"mailto:a@example.org!10m", NULL, REPORT_URI_OTHER},
	};
	SCOPED(arena_fini) struct arena arena;
	struct report_uri uri;

	arena_init(&arena, 10000);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		bool is_uri = report_uri_parse(str_c(cases[i].text), &arena, &uri);

		CHECK(is_uri == (cases[i].target != NULL));
		if (!is_uri)
			continue;
		CHECK_STR(uri.target, str_c(cases[i].target));
		CHECK(uri.kind == cases[i].kind);
	}
	arena_fini(&arena);
	arena_init(&arena, 1);
	CHECK(report_uri_parse(STR("mailto:a@example.org"), &arena, &uri) &&
	      uri.kind == REPORT_URI_OTHER);
}

TEST(reads_how_long_a_report_may_be)
{
	static const struct {
		const char *text, *rest;
		uint64_t bytes;
	} cases[] = {
		{"x!10", "x", 10},
		{"x!10k", "x", 10240},
		{"x!1M", "x", 1 << 20},
		{"x!2g", "x", 2ull << 30},
		{"x!1t", "x", 1ull << 40},
		{"x", "x", UINT64_MAX},
		{"x!", "x", UINT64_MAX},
		{"x!k", "x", UINT64_MAX},
		{"x!99999999999999t", "x", UINT64_MAX},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t bytes;

		CHECK_STR(report_uri_cut_size(str_c(cases[i].text), &bytes),
			  str_c(cases[i].rest));
		CHECK(bytes == cases[i].bytes);
	}
}
