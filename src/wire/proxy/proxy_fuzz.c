#include "wire/proxy/proxy.h"

/* A verdict stands, whatever follows; a header lies within what was given and within its
 * bound; all that is a header's front asks for more. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	enum proxy_result before = PROXY_MORE;
	struct proxy_header first = {0}, h;

	for (size_t i = 0; i <= len && i <= PROXY_HEADER_MAX; i++) {
		enum proxy_result result = proxy_parse(str_first(input, i), &h);

		ASSERT(before == PROXY_MORE || before == result);
		if (result == PROXY_WHOLE && before == PROXY_MORE) {
			ASSERT(h.len == i);
			first = h;
		}
		ASSERT(result != PROXY_WHOLE || h.len == first.len);
		before = result;
	}
	ASSERT(len < PROXY_HEADER_MAX || before != PROXY_MORE);
	ASSERT(first.len <= PROXY_HEADER_MAX);
	return 0;
}
