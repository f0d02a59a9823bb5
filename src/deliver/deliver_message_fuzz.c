#include "deliver/codec.h"

/* What is decoded, encoded and decoded again, is the same octets. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_mail(struct str input, struct arena *arena)
{
	struct buf once = BUF(64 << 20), twice = BUF(64 << 20);
	struct deliver_mail mail;

	if (deliver_decode_mail(input, STR(""), arena, &mail)) {
		ASSERT(deliver_answers(&mail) <= DELIVER_RCPTS_MAX);
		deliver_encode_mail(&once, &mail);
		ASSERT(deliver_decode_mail(buf_str(&once), STR(""), arena, &mail));
		deliver_encode_mail(&twice, &mail);
		ASSERT(str_same(buf_str(&once), buf_str(&twice)));
	}
	buf_fini(&once);
	buf_fini(&twice);
}

static void check_report(struct str input, struct arena *arena)
{
	struct buf once = BUF(64 << 20);
	struct deliver_report report;

	if (deliver_decode_report(input, STR(""), arena, &report)) {
		deliver_encode_report(&once, &report);
		ASSERT(deliver_decode_report(buf_str(&once), STR(""), arena, &report));
	}
	buf_fini(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	struct deliver_answer answers[3];
	struct arena arena;

	arena_init(&arena, 4 << 20);
	check_mail(input, &arena);
	check_report(input, &arena);
	for (size_t i = 1; i <= COUNT_OF(answers); i++)
		if (deliver_decode_answers(input, &arena, answers, i))
			ASSERT(answers[i - 1].code <= 599);
	arena_fini(&arena);
	return 0;
}
