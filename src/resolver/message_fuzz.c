#include "resolver/codec.h"

/* What is decoded is encoded to something that means the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(buf_fini) struct buf again = BUF(RESOLVER_ANSWER_BYTES_MAX);
	struct str input = {(const char *)data, len};
	struct resolver_question question;
	struct dns_answer answer, other;
	struct arena arena;

	arena_init(&arena, 512 * 1024);
	if (resolver_decode_question(input, &question)) {
		resolver_encode_question(&again, &question);
		ASSERT(resolver_decode_question(buf_str(&again), &question));
	}
	buf_reset(&again);
	if (resolver_decode_answer(input, &arena, &answer)) {
		resolver_encode_answer(&again, &answer);
		ASSERT(!buf_ok(&again) ||
		       resolver_decode_answer(buf_str(&again), &arena, &other));
		ASSERT(!buf_ok(&again) || other.count == answer.count);
	}
	arena_fini(&arena);
	return 0;
}
