#include "wire/document/pdf_cmap.h"

#include "base/utf8.h"

/* Lines stand in order, and what codes stand for is UTF-8. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(buf_fini) struct buf out = BUF(1 << 20);
	SCOPED(arena_fini) struct arena arena;
	struct pdf_cmap cmap;

	arena_init(&arena, 1 << 20);
	pdf_cmap_parse(&arena, (struct str){(const char *)data, len}, &cmap);
	for (size_t i = 0; i < cmap.count; i++) {
		const struct pdf_cmap_line *line = &cmap.lines[i];

		ASSERT(i == 0 || line[-1].first <= line->first);
		ASSERT(line->first <= line->last && line->text.len >= 2);
		ASSERT(pdf_cmap_add(&cmap, line->first, &out));
		(void)pdf_cmap_add(&cmap, line->last, &out);
	}
	for (uint32_t code = 0; code < 256; code++)
		(void)pdf_cmap_add(&cmap, code, &out);
	ASSERT(!buf_ok(&out) || utf8_valid(buf_str(&out)));
	return 0;
}
