#include "wire/imap/mailbox_name.h"

/* Modified UTF-7 that is taken is written the same again; and so is every name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(buf_fini) struct buf utf8 = BUF(100000), utf7 = BUF(100000);

	if (imap_mailbox_name_from_utf7(&utf8, input) &&
	    imap_mailbox_name_ok(buf_str(&utf8))) {
		ASSERT(imap_mailbox_name_to_utf7(&utf7, buf_str(&utf8), false));
		ASSERT(str_same(buf_str(&utf7), input));
	}
	buf_reset(&utf8);
	buf_reset(&utf7);
	if (imap_mailbox_name_to_utf7(&utf7, input, false)) {
		ASSERT(imap_mailbox_name_from_utf7(&utf8, buf_str(&utf7)));
		ASSERT(str_same(buf_str(&utf8), input));
	}
	buf_fini(&utf7);
	return 0;
}
