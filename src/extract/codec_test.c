#include "extract/codec.h"

#include "base/test.h"

TEST(documents_are_announced_within_their_bounds)
{
	SCOPED(buf_fini) struct buf body = BUF(100);
	const struct extract_opening sent = {1000, {5000, 60, 700}};
	struct extract_opening got;

	extract_encode_opening(&body, &sent);
	CHECK(extract_decode_opening(buf_str(&body), &got));
	CHECK(got.size == 1000 && got.bounds.text_bytes == 5000 &&
	      got.bounds.words == 60 && got.bounds.word_bytes == 700);
	for (size_t i = 0; i < body.len; i++)
		CHECK(!extract_decode_opening(str_first(buf_str(&body), i), &got));
	static const struct extract_opening bad[] = {
		{0, {1, 1, 1}},
		{EXTRACT_DOCUMENT_MAX + 1, {1, 1, 1}},
		{1, {EXTRACT_TEXT_MAX + 1, 1, 1}},
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		buf_reset(&body);
		extract_encode_opening(&body, &bad[i]);
		CHECK(!extract_decode_opening(buf_str(&body), &got));
	}
}

TEST(answers_about_documents_fit_what_they_say)
{
	SCOPED(buf_fini) struct buf body = BUF(1000);
	const struct extract_answer sent = {
		{EXTRACT_TEXT, 2, 9, 7}, 20, STR("some text")};
	struct extract_answer got;

	extract_encode_answer(&body, &sent);
	CHECK(extract_decode_answer(buf_str(&body), &got));
	CHECK(got.reply.outcome == EXTRACT_TEXT && got.reply.words == 2 &&
	      got.reply.word_bytes == 9 && got.reply.processor_ms == 7 &&
	      got.text_len == 20);
	CHECK_STR(got.text, sent.text);
	for (size_t i = 0; i < body.len; i++)
		CHECK(!extract_decode_answer(str_first(buf_str(&body), i), &got));
	static const struct extract_answer bad[] = {
		{{EXTRACT_TEXT, 0, 0, 0}, 3, {"long", 4}},
		{{EXTRACT_TEXT, 0, 0, 0}, EXTRACT_TEXT_MAX + 1, {"", 0}},
		{{EXTRACT_NONE, 0, 0, 0}, 1, {"x", 1}},
		{{(enum extract_outcome)EXTRACT_OUTCOMES, 0, 0, 0}, 0, {"", 0}},
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		buf_reset(&body);
		extract_encode_answer(&body, &bad[i]);
		CHECK(!extract_decode_answer(buf_str(&body), &got));
	}
}
