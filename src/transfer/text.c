#include "transfer/text.h"

void text_add_crlf(struct buf *out, struct str text)
{
	char before = '\0';

	while (text.len > 0) {
		size_t end = str_find_byte(text, '\n');
		struct str line = str_first(text, end);

		buf_add(out, line);
		if (line.len > 0)
			before = line.ptr[line.len - 1];
		if (end < text.len)
			buf_add(out, before == '\r' ? STR("\n") : STR("\r\n"));
		before = '\n';
		text = str_skip(text, end + 1);
	}
}

void text_add_lf(struct buf *out, struct str text)
{
	while (text.len > 0) {
		size_t end = str_find_byte(text, '\n');
		struct str line = str_first(text, end);

		if (end < text.len && str_ends(line, STR("\r")))
			line.len--;
		buf_add(out, line);
		if (end < text.len)
			buf_add_byte(out, '\n');
		text = str_skip(text, end + 1);
	}
}

size_t text_mend_nuls(struct buf *text)
{
	size_t count = 0;

	for (char *nul = text->len > 0 ? memchr(text->ptr, 0, text->len) : NULL; nul;
	     nul = memchr(nul, 0, text->len - (size_t)(nul - text->ptr))) {
		*nul = (char)0x80;
		count++;
	}
	return count;
}
