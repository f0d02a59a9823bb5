#include "base/utf8.h"
#include "text/casemap.h"
#include "text/charset.h"
#include "text/html_text.h"
#include "text/saslprep.h"
#include "text/text_header.h"

/* Any octets in any charset become well-formed UTF-8 within bounds.  The first line names
 * the charset. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len};
	struct str charset = str_cut(&text, '\n');
	struct buf out = BUF(1 << 20), mapped = BUF(1 << 22);

	(void)charset_add_utf8(&out, charset, text); /* any result */
	ASSERT(utf8_valid(buf_str(&out)));
	casemap_add(&mapped, buf_str(&out));
	ASSERT(utf8_valid(buf_str(&mapped)));
	if (buf_ok(&mapped) && buf_ok(&out)) {
		buf_reset(&mapped);
		ASSERT(casemap_cmp(buf_str(&out), buf_str(&out), &mapped) == 0);
	}
	buf_reset(&mapped);
	if (saslprep_add(&mapped, text)) { /* once more changes nothing */
		struct buf again = BUF(1 << 16);

		ASSERT(utf8_valid(buf_str(&mapped)) && mapped.len > 0);
		ASSERT(!saslprep_add(&again, buf_str(&mapped)) ||
		       str_same(buf_str(&again), buf_str(&mapped)));
		buf_fini(&again);
	}
	buf_reset(&mapped);
	html_text_add(&mapped, buf_str(&out), 100);
	ASSERT(mapped.len <= 100 && utf8_valid(buf_str(&mapped)));
	buf_reset(&out);
	text_header_add(&out, text);
	ASSERT(utf8_valid(buf_str(&out)));
	ASSERT(out.len == 0 || !memchr(out.ptr, '\n', out.len));
	buf_fini(&out);
	buf_fini(&mapped);
	return 0;
}
