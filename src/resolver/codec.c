#include "resolver/codec.h"

enum { IS_SECURE = 1, IS_NAME_GONE = 2 };

void resolver_encode_question(struct buf *body, const struct resolver_question *question)
{
	enc_u16(body, (uint16_t)question->type);
	enc_str(body, question->name);
}

bool resolver_decode_question(struct str body, struct resolver_question *question)
{
	struct dec dec = dec_over(body);

	question->type = (enum dns_type)dec_u16(&dec);
	question->name = dec_str(&dec);
	return dec_done(&dec) && dns_name_is_askable(question->name);
}

void resolver_encode_answer(struct buf *body, const struct dns_answer *answer)
{
	enc_u8(body, (uint8_t)answer->outcome);
	enc_u8(body, (uint8_t)((answer->is_secure ? IS_SECURE : 0) |
			       (answer->is_name_gone ? IS_NAME_GONE : 0)));
	enc_u32(body, answer->ttl_s);
	enc_str(body, answer->name);
	enc_str(body, answer->why);
	enc_var(body, answer->count);
	for (size_t i = 0; i < answer->count; i++)
		enc_str(body, answer->records[i]);
}

static bool decode_records(struct dec *dec, struct arena *arena,
			   struct dns_answer *answer)
{
	size_t count = dec_var_max(dec, RESOLVER_RECORDS_MAX);

	if (!dec_ok(dec))
		return false;
	answer->records = ARENA_ARRAY(arena, struct str, count);
	if (!answer->records)
		return false;
	for (; answer->count < count; answer->count++)
		if (!arena_copy(arena, dec_str(dec), &answer->records[answer->count]))
			return false;
	return true;
}

bool resolver_decode_answer(struct str body, struct arena *arena,
			    struct dns_answer *answer)
{
	struct dec dec = dec_over(body);
	unsigned outcome = dec_u8(&dec), flags = dec_u8(&dec);

	*answer = (struct dns_answer){.outcome = (enum dns_outcome)outcome,
				      .is_secure = flags & IS_SECURE,
				      .is_name_gone = flags & IS_NAME_GONE,
				      .ttl_s = dec_u32(&dec)};
	return outcome <= DNS_UNKNOWN &&
	       arena_copy(arena, dec_str(&dec), &answer->name) &&
	       arena_copy(arena, dec_str(&dec), &answer->why) &&
	       decode_records(&dec, arena, answer) && dec_done(&dec);
}
