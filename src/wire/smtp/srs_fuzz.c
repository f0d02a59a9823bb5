#include "wire/smtp/srs.h"

/* Any octets are read; what was understood reads the same when it is written again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(buf_fini) struct buf out = BUF(len + 100);
	struct srs srs, again;
	int days = srs_days_since(str_first(input, SRS_DAY_LETTERS), 1795000000);

	ASSERT(days < SRS_DAYS);
	if (!srs_parse(input, &srs))
		return 0;
	ASSERT(srs_is_meant(input));
	srs_add(&out, &srs);
	ASSERT(srs_parse(buf_str(&out), &again) && again.kind == srs.kind);
	ASSERT(str_same(again.hash, srs.hash) && str_same(again.day, srs.day));
	ASSERT(str_same(again.domain, srs.domain) && str_same(again.rest, srs.rest));
	return 0;
}
