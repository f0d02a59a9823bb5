#include "wire/auth/received_spf.h"

static void is_within(struct str slice, struct str value)
{
	ASSERT(slice.len == 0 || (slice.ptr >= value.ptr &&
				  slice.ptr + slice.len <= value.ptr + value.len));
}

/* All slices lie in the value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str value = {(const char *)data, len};
	struct received_spf spf;

	if (!received_spf_parse(value, &spf))
		return 0;
	ASSERT(spf.result.len > 0);
	is_within(spf.result, value);
	is_within(spf.receiver, value);
	is_within(spf.client_ip, value);
	is_within(spf.sender, value);
	is_within(spf.helo, value);
	return 0;
}
