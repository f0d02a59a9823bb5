#include "extract/codec.h"

void extract_encode_opening(struct buf *body, const struct extract_opening *opening)
{
	enc_u32(body, opening->size);
	enc_u32(body, opening->bounds.text_bytes);
	enc_u32(body, opening->bounds.words);
	enc_u32(body, opening->bounds.word_bytes);
}

bool extract_decode_opening(struct str body, struct extract_opening *opening)
{
	struct dec dec = dec_over(body);

	opening->size = dec_u32(&dec);
	opening->bounds.text_bytes = dec_u32(&dec);
	opening->bounds.words = dec_u32(&dec);
	opening->bounds.word_bytes = dec_u32(&dec);
	return dec_done(&dec) && opening->size > 0 &&
	       opening->size <= EXTRACT_DOCUMENT_MAX &&
	       opening->bounds.text_bytes <= EXTRACT_TEXT_MAX;
}

void extract_encode_answer(struct buf *body, const struct extract_answer *answer)
{
	enc_u8(body, (uint8_t)answer->reply.outcome);
	enc_u32(body, answer->reply.words);
	enc_u32(body, answer->reply.word_bytes);
	enc_u32(body, answer->reply.processor_ms);
	enc_u32(body, answer->text_len);
	enc_str(body, answer->text);
}

bool extract_decode_answer(struct str body, struct extract_answer *answer)
{
	struct dec dec = dec_over(body);
	uint8_t outcome = dec_u8(&dec);

	answer->reply.outcome = (enum extract_outcome)outcome;
	answer->reply.words = dec_u32(&dec);
	answer->reply.word_bytes = dec_u32(&dec);
	answer->reply.processor_ms = dec_u32(&dec);
	answer->text_len = dec_u32(&dec);
	answer->text = dec_str(&dec);
	return dec_done(&dec) && outcome < EXTRACT_OUTCOMES &&
	       answer->text_len <= EXTRACT_TEXT_MAX &&
	       answer->text.len <= answer->text_len &&
	       (outcome == EXTRACT_TEXT || answer->text_len == 0);
}
