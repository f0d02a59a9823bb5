#include "wire/document/pdf_glyph.h"

#include "base/utf8.h"

/* A name's text is UTF-8; a name without one leaves nothing behind. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(buf_fini) struct buf out = BUF(1 << 20);
	struct str input = {(const char *)data, len};
	enum pdf_encoding encoding;

	bool is_known = pdf_glyph_add(&out, input);

	ASSERT(is_known == (out.len > 0));
	ASSERT(utf8_valid(buf_str(&out)));
	if (!pdf_encoding_find(input, &encoding))
		encoding = (enum pdf_encoding)(len % 3);
	for (size_t i = 0; i < len; i++) {
		uint32_t code = pdf_encoding_code(encoding, data[i]);

		if (code != 0)
			utf8_add(&out, code);
	}
	ASSERT(utf8_valid(buf_str(&out)));
	return 0;
}
