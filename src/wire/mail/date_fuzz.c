#include "wire/mail/date.h"

/* What is read is written so that it reads the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len};
	struct mail_date date, again;
	struct buf buf = BUF(100);

	if (mail_date_parse(text, &date)) {
		mail_date_add(&buf, date.unix_s, date.zone_minutes);
		ASSERT(mail_date_parse(buf_str(&buf), &again));
		ASSERT(again.unix_s == date.unix_s);
		ASSERT(again.zone_minutes == date.zone_minutes);
	}
	buf_reset(&buf);
	if (imap_date_time_parse(text, &date)) {
		imap_date_time_add(&buf, date.unix_s, date.zone_minutes);
		ASSERT(imap_date_time_parse(buf_str(&buf), &again));
		ASSERT(again.unix_s == date.unix_s);
	}
	buf_fini(&buf);
	return 0;
}
