#include "wire/auth/tls_rpt.h"

#include "wire/auth/report_uri.h"

/* What is named can be put into a header field or a request as it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(arena_fini) struct arena arena;
	struct str input = {(const char *)data, len};
	struct tls_rpt rpt;

	arena_init(&arena, 64 * 1024);
	if (!tls_rpt_parse(input, &arena, &rpt))
		return 0;
	ASSERT(tls_rpt_is_record(input));
	ASSERT(rpt.count > 0 && rpt.count <= TLS_RPT_URIS_MAX);
	for (size_t i = 0; i < rpt.count; i++) {
		struct str target = rpt.uris[i].target;

		ASSERT(target.len > 0 && target.len <= REPORT_URI_BYTES_MAX);
		ASSERT(rpt.uris[i].is_https || str_find_byte(target, '@') < target.len);
		for (size_t j = 0; j < target.len; j++)
			ASSERT(target.ptr[j] >= ' ' && target.ptr[j] < 127);
	}
	return 0;
}
