#include "wire/auth/tls_record.h"

/* A value is part of the input, ends with its field, and stays the value when another
 * field is put behind it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len}, value, trimmed;

	if (!tls_record_find(input, STR("v=T"), STR("n"), &value))
		return 0;
	ASSERT(tls_record_is(input, STR("v=T")));
	ASSERT(value.len > 0 && value.ptr > input.ptr);
	ASSERT(value.ptr + value.len <= input.ptr + input.len);
	ASSERT(str_find_byte(value, ';') == value.len);
	trimmed = tls_trim_wsp(value);
	ASSERT(trimmed.ptr + trimmed.len == value.ptr + value.len);
	return 0;
}
