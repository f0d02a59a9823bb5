#include "wire/imap/append.h"

/* Any octets: it stays inside, and on failure nothing moved. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;
	struct imap_append it;

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	struct imap_append_message next;
	bool is_end;

	if (imap_append_next(&in, len % 2 == 1, &is_end, &next))
		ASSERT(in.at.at > input.ptr && in.at.at <= input.ptr + len);
	else
		ASSERT(in.at.at == input.ptr && !is_end);
	struct imap_cat_part part = {0}, before;

	in = imap_in_over(input, &arena);
	for (bool is_first = true; imap_cat_part(&in, is_first ? NULL : &before, &part);
	     is_first = false) {
		ASSERT(part.kind != IMAP_CAT_URL_LITERAL || cur_done(in.at));
		ASSERT(part.kind != IMAP_CAT_END || !is_first);
		before = part;
		if (part.kind == IMAP_CAT_END)
			break;
	}
	in = imap_in_over(input, &arena);
	if (imap_replace(&in, &it))
		ASSERT(in.at.at > input.ptr &&
		       it.replaced.count + (it.replaced.star_from != 0) == 1);
	else
		ASSERT(in.at.at == input.ptr);
	in = imap_in_over(input, &arena);
	if (!imap_append(&in, &it)) {
		ASSERT(in.at.at == input.ptr);
		return 0;
	}
	ASSERT(in.at.at > input.ptr && in.at.at <= input.ptr + len);
	ASSERT(it.first.is_catenated || cur_done(in.at));
	ASSERT(it.first.literal.len <= INT64_MAX);
	return 0;
}
