#include "wire/mail/mbox.h"

/* What is written is read the same; taking notes out twice takes out nothing more than
 * once, and never adds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	struct buf once = BUF(len), line = BUF(1000);
	struct mbox_from from, again;
	struct mbox_notes notes;

	if (mbox_from_line(input, &from) && from.has_date && from.at_s >= 0 &&
	    from.at_s < 253402300800 && from.sender.len < 100) {
		mbox_from_add(&line, from.sender, from.at_s);
		ASSERT(mbox_from_line(buf_str(&line), &again) && again.has_date);
		ASSERT(again.at_s == from.at_s);
	}
	ASSERT(mbox_quotes(input) < len || len == 0);
	mbox_take_notes(input, &once, &notes);
	ASSERT(buf_ok(&once) && once.len <= len);
	for (size_t i = 0; i < notes.keyword_count; i++)
		ASSERT(notes.keywords[i].len > 0 && notes.keywords[i].len <= len);
	buf_fini(&once);
	buf_fini(&line);
	return 0;
}
