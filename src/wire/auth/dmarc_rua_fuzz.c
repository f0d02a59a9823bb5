#include "wire/auth/dmarc_rua.h"

/* No address can slip header fields in, and its host can be asked about. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;
	struct dmarc_rua rua;

	arena_init(&arena, 100000);
	if (!dmarc_rua_parse(input, len % 2 ? "rua" : "ruf", &arena, &rua))
		return 0;
	ASSERT(rua.count <= DMARC_RUA_MAX);
	for (size_t i = 0; i < rua.count; i++) {
		ASSERT(rua.uris[i].host.len > 0 &&
		       rua.uris[i].host.len <= DMARC_RUA_HOST_MAX);
		ASSERT(str_ends(rua.uris[i].address, rua.uris[i].host));
		for (size_t j = 0; j < rua.uris[i].address.len; j++)
			ASSERT(rua.uris[i].address.ptr[j] >= ' ');
	}
	return 0;
}
