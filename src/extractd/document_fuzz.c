#include "extractd/document.h"

#include "base/utf8.h"

/* A whole document, whatever it is: its text is UTF-8 within its bound. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(buf_fini) struct buf text = BUF(1 << 20);

	(void)document_text((struct str){(const char *)data, len}, &text);
	ASSERT(!buf_ok(&text) || utf8_valid(buf_str(&text)));
	return 0;
}
