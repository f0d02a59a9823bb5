#include "wire/mail/transfer.h"

/* Any octets: decoding never grows; what is encoded decodes to the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str bytes = {(const char *)data, len};
	struct buf there = BUF(1 << 22), back = BUF(1 << 22);

	for (int t = MAIL_TRANSFER_7BIT; t <= MAIL_TRANSFER_UNKNOWN; t++) {
		buf_reset(&back);
		mail_transfer_decode((enum mail_transfer)t, bytes, &back);
		ASSERT(buf_ok(&back) && back.len <= len);
	}
	(void)mail_transfer_of(bytes); /* any answer */
	buf_reset(&back);
	mail_base64_add(&there, bytes);
	mail_transfer_decode(MAIL_TRANSFER_BASE64, buf_str(&there), &back);
	ASSERT(str_same(buf_str(&back), bytes));
	buf_reset(&there);
	buf_reset(&back);
	mail_qp_add(&there, bytes);
	for (size_t i = 0, column = 0; i < there.len; i++) {
		column = there.ptr[i] == '\n' ? 0 : column + 1;
		ASSERT(column <= 77); /* with the CR */
	}
	mail_transfer_decode(MAIL_TRANSFER_QP, buf_str(&there), &back);
	for (size_t i = 0, at = 0; i < len; i++, at++) {
		bool has_cr = i > 0 && bytes.ptr[i - 1] == '\r';

		if (bytes.ptr[i] == '\n' && !has_cr)
			ASSERT(back.ptr[at++] == '\r');
		ASSERT(at < back.len && back.ptr[at] == bytes.ptr[i]);
	}
	buf_fini(&there);
	buf_fini(&back);
	return 0;
}
