#include "wire/mail/received.h"

static void is_within(struct str slice, struct str value)
{
	ASSERT(slice.len == 0 || (slice.ptr >= value.ptr &&
				  slice.ptr + slice.len <= value.ptr + value.len));
}

/* All slices lie in the value; what stands behind the bound changes nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str value = {(const char *)data, len};
	struct mail_received first, second;
	bool is_understood = mail_received_parse(value, &first);
	const struct str slices[] = {first.from,   first.helo, first.reverse, first.by,
				     first.via,    first.with, first.id,      first.rcpt,
				     first.sender, first.tls};

	for (size_t i = 0; i < COUNT_OF(slices); i++)
		is_within(slices[i], value);
	ASSERT(!is_understood || first.has_date);
	ASSERT(!first.has_ip || first.ip.len == IP4_BYTES || first.ip.len == IP6_BYTES);
	ASSERT(mail_received_parse(str_first(value, MAIL_RECEIVED_BYTES_MAX), &second) ==
	       is_understood);
	ASSERT(str_same(first.by, second.by) && str_same(first.helo, second.helo));
	ASSERT(first.has_ip == second.has_ip && first.has_date == second.has_date);
	return 0;
}
