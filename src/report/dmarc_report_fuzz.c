#include "report/dmarc_report.h"

#include "base/utf8.h"

static void check(struct str text)
{
	ASSERT(text.len <= DMARC_REPORT_TEXT_MAX && utf8_valid(text));
}

static void check_auth(const struct dmarc_report_auth *auth)
{
	size_t count = 0;

	for (; auth; auth = auth->next) {
		check(auth->domain);
		check(auth->result);
		check(auth->human);
		count++;
	}
	ASSERT(count <= DMARC_REPORT_SIGNATURES_MAX);
}

/* All that is read is text within its bounds; a small arena changes nothing of that. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const size_t rooms[] = {1024 * 1024, 500};
	struct str input = {(const char *)data, len};
	struct dmarc_report report;

	for (size_t i = 0; i < COUNT_OF(rooms); i++) {
		SCOPED(arena_fini) struct arena arena;
		size_t count = 0;

		arena_init(&arena, rooms[i]);
		if (dmarc_report_parse(input, &arena, &report) != DMARC_REPORT_FINE)
			continue;
		ASSERT(str_find(input, STR("<!DOCTYPE")) == input.len ||
		       str_find(input, STR("<!--")) < input.len ||
		       str_find(input, STR("<![CDATA[")) < input.len ||
		       str_find(input, STR("<?")) < input.len || input.ptr[0] == 0);
		check(report.organization);
		check(report.id);
		check(report.domain);
		for (const struct dmarc_report_row *row = report.rows; row;
		     row = row->next) {
			check(row->source_ip);
			check(row->header_from);
			check_auth(row->dkim_results);
			check_auth(row->spf_results);
			count++;
		}
		ASSERT(count == report.row_count && count <= DMARC_REPORT_ROWS_MAX);
	}
	return 0;
}
