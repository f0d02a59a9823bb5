#include "wire/auth/tls_report.h"

#include "base/utf8.h"

static void check_text(struct str text)
{
	ASSERT(text.len <= TLS_REPORT_TEXT_MAX && utf8_valid(text));
}

static void check_policy(const struct tls_report_policy *policy)
{
	check_text(policy->type);
	check_text(policy->domain);
	ASSERT(policy->line_count <= TLS_REPORT_LINES_MAX &&
	       policy->mx_count <= TLS_REPORT_LINES_MAX &&
	       policy->detail_count <= TLS_REPORT_DETAILS_MAX);
	for (size_t i = 0; i < policy->line_count; i++)
		check_text(policy->lines[i]);
	for (size_t i = 0; i < policy->mx_count; i++)
		check_text(policy->mx[i]);
	for (size_t i = 0; i < policy->detail_count; i++) {
		check_text(policy->details[i].type);
		check_text(policy->details[i].reason);
		check_text(policy->details[i].mx);
	}
}

/* All that is read is text within its bounds; a small arena changes nothing of that. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const size_t rooms[] = {1024 * 1024, 200};
	struct str input = {(const char *)data, len};
	struct tls_report report;
	int64_t at;

	for (size_t i = 0; i < COUNT_OF(rooms); i++) {
		SCOPED(arena_fini) struct arena arena;

		arena_init(&arena, rooms[i]);
		if (!tls_report_parse(input, &arena, &report))
			continue;
		check_text(report.organization);
		check_text(report.contact);
		check_text(report.id);
		ASSERT(report.count <= TLS_REPORT_POLICIES_MAX);
		for (size_t j = 0; j < report.count; j++)
			check_policy(&report.policies[j]);
	}
	(void)tls_report_time(input, &at); /* stays inside */
	return 0;
}
