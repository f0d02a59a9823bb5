#include "wire/smtp/limits.h"

#include "base/buf.h"

/* Any octets are read; what was understood is within its bounds and reads the same when
 * written again, with another limit behind it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(buf_fini) struct buf out = BUF(len + 100);
	struct smtp_limits limits, again;

	ASSERT(smtp_by_min_parse(input) <= 999999999);
	smtp_limits_parse(input, &limits);
	ASSERT(limits.mail_max <= 999999 && limits.rcpt_max <= 999999);
	ASSERT(limits.domain_max <= 999999);
	buf_printf(&out, "MAILMAX=%u RCPTMAX=%u RCPTDOMAINMAX=%u X", limits.mail_max,
		   limits.rcpt_max, limits.domain_max);
	smtp_limits_parse(buf_str(&out), &again);
	ASSERT(again.mail_max == limits.mail_max && again.rcpt_max == limits.rcpt_max);
	ASSERT(again.domain_max == limits.domain_max);
	if (limits.mail_max == 0)
		return 0;
	/* The same text with a fault in it says nothing. */
	buf_reset(&out);
	buf_add(&out, input);
	buf_add(&out, STR(" ;"));
	smtp_limits_parse(buf_str(&out), &again);
	ASSERT(again.mail_max == 0 && again.rcpt_max == 0);
	return 0;
}
