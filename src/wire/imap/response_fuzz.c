#include "wire/imap/response.h"

static void check_inside(struct str slice, struct str input, const struct arena *arena)
{
	ASSERT(slice.len <= input.len);
	if (slice.len > 0 && arena->used == 0)
		ASSERT(slice.ptr >= input.ptr &&
		       slice.ptr + slice.len <= input.ptr + input.len);
}

/* Responses stay inside; a failure moves nothing; atoms are what they say. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;
	struct imap_response response;
	uint64_t literal;
	bool is_message;

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	if (imap_response_literal(input, &literal, &is_message))
		ASSERT(len > 3 && data[len - 1] == '}');
	if (!imap_response(&in, &response)) {
		ASSERT(in.at.at == input.ptr && in.reason.len > 0);
		return 0;
	}
	ASSERT(in.at.at <= input.ptr + len);
	check_inside(response.code, input, &arena);
	check_inside(response.text, input, &arena);
	check_inside(response.capabilities, input, &arena);
	if (response.kind == IMAP_SAYS_FETCH) {
		for (size_t i = 0; i < response.fetch.flags.keyword_count; i++)
			ASSERT(response.fetch.flags.keywords[i].len > 0);
		check_inside(response.fetch.text, input, &arena);
	}
	if (response.kind == IMAP_SAYS_LIST)
		check_inside(response.list.name, input, &arena);
	return 0;
}
