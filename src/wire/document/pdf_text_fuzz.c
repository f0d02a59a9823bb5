#include "wire/document/pdf_text.h"

#include "base/utf8.h"

struct fuzz {
	struct pdf_font fonts[2];
	struct str form;
};

static const struct pdf_font *find(void *arg, struct str name)
{
	struct fuzz *fuzz = arg;

	return name.len > 0 ? &fuzz->fonts[name.ptr[0] & 1] : NULL;
}

static void show(void *arg, struct pdf_text *text, struct str name)
{
	const struct pdf_matrix matrix = {1, 0, 0, 1, (double)name.len, 1};

	pdf_text_form(text, &matrix, ((struct fuzz *)arg)->form);
}

/* Whatever stands there, the text is UTF-8, bounded, and the same the second time. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf out[2] = {BUF(1 << 16), BUF(1 << 16)};
	struct str input = {(const char *)data, len};
	struct fuzz fuzz = {.fonts = {{.width_else = 500}, {.is_wide = true}}};

	fuzz.form = str_skip(input, len / 2);
	fuzz.fonts[1].is_utf16 = len & 1;
	for (unsigned i = ' '; i < 127; i++)
		fuzz.fonts[0].text[i] = STR("\u00e9");
	for (unsigned i = 0; i < 2; i++) {
		struct pdf_text text;

		pdf_text_init(&text, &out[i], find, show, &fuzz);
		text.tokens_left = 100000;
		text.forms_left = 20;
		pdf_text_page(&text, input);
		ASSERT(text.depth == 0 && text.saved_least == 0);
		pdf_text_fini(&text);
	}
	ASSERT(str_same(buf_str(&out[0]), buf_str(&out[1])));
	ASSERT(!buf_ok(&out[0]) || utf8_valid(buf_str(&out[0])));
	buf_fini(&out[0]);
	buf_fini(&out[1]);
	return 0;
}
