#include "wire/mail/feedback.h"

static void check(struct str text)
{
	ASSERT(text.len <= FEEDBACK_TEXT_MAX);
	ASSERT(str_find_byte(text, '\n') == text.len);
}

/* All that is found is on one line and within its bound; a small arena changes nothing
 * of that. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const size_t rooms[] = {1024 * 1024, 100};
	struct str input = {(const char *)data, len};
	struct feedback feedback;

	for (size_t i = 0; i < COUNT_OF(rooms); i++) {
		SCOPED(arena_fini) struct arena arena;

		arena_init(&arena, rooms[i]);
		if (!feedback_parse(input, &arena, &feedback))
			continue;
		ASSERT(feedback.rcpt_count <= FEEDBACK_RCPTS_MAX);
		check(feedback.type);
		check(feedback.results);
		check(feedback.spf_dns);
		for (size_t j = 0; j < feedback.rcpt_count; j++)
			check(feedback.rcpts[j]);
	}
	return 0;
}
