#include "extract/codec.h"

/* What is decoded, encoded again, is the same octets. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(buf_fini) struct buf again = BUF(1 << 20);
	struct str input = {(const char *)data, len};
	struct extract_opening opening;
	struct extract_answer answer, twice;

	if (extract_decode_opening(input, &opening)) {
		extract_encode_opening(&again, &opening);
		ASSERT(str_same(buf_str(&again), input));
	}
	if (extract_decode_answer(input, &answer)) {
		buf_reset(&again);
		extract_encode_answer(&again, &answer);
		ASSERT(extract_decode_answer(buf_str(&again), &twice));
		ASSERT(str_same(twice.text, answer.text) &&
		       twice.text_len == answer.text_len);
	}
	return 0;
}
