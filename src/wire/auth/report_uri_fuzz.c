#include "wire/auth/report_uri.h"

/* Stays inside; a target is one line of printable octets. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;
	struct report_uri uri;
	uint64_t bytes;
	struct str rest = report_uri_cut_size(input, &bytes);

	ASSERT(rest.len <= len && (rest.len < len || bytes == UINT64_MAX));
	arena_init(&arena, 10000);
	if (!report_uri_parse(rest, &arena, &uri))
		return 0;
	ASSERT(uri.target.len > 0 && uri.target.len <= REPORT_URI_BYTES_MAX);
	for (size_t i = 0; i < uri.target.len; i++)
		ASSERT(uri.target.ptr[i] >= ' ' && uri.target.ptr[i] < 127);
	return 0;
}
