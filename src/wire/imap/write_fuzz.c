#include "wire/imap/write.h"

/* What is written as string, astring or mailbox is read again as what it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf out = BUF(1 << 20);
	struct str back;
	bool has_nul = len > 0 && memchr(data, 0, len);

	arena_init(&arena, 1 << 20);
	imap_write_string(&out, input);
	struct imap_in in = imap_in_over(buf_str(&out), &arena);

	ASSERT(imap_string(&in, &back) && cur_done(in.at) && back.len == len);
	ASSERT(has_nul || str_same(back, input));
	buf_reset(&out);
	imap_write_astring(&out, input);
	in = imap_in_over(buf_str(&out), &arena);
	ASSERT(imap_astring(&in, &back) && cur_done(in.at) && back.len == len);
	buf_reset(&out);
	imap_write_mailbox(&out, input, len % 2 == 1);
	in = imap_in_over(buf_str(&out), &arena);
	ASSERT(imap_string(&in, &back) && cur_done(in.at));
	return 0;
}
