#include "storage/record.h"

#include "base/test.h"

/* What the disk holds of before stays readable. */
static bool read_back(struct buf *bytes, struct arena *arena, struct effect *effect)
{
	struct dec dec = dec_over(buf_str(bytes));

	return effect_read(&dec, arena, effect) && dec_done(&dec);
}

TEST(a_settle_of_before_senders_were_told_is_read)
{
	struct effect effect;
	struct buf old = BUF(100);
	struct arena arena;

	arena_init(&arena, 1000);
	enc_u8(&old, 14);
	enc_var(&old, 77);
	enc_u8(&old, QUEUE_RETRY);
	enc_u64(&old, 99);
	enc_str(&old, STR("later"));
	CHECK(read_back(&old, &arena, &effect));
	CHECK(effect.kind == OP_QUEUE_SETTLE && effect.settle.row == 77);
	CHECK(effect.settle.outcome == QUEUE_RETRY && effect.settle.told == 0);
	effect.settle.told = QUEUE_TOLD_LATE;
	buf_reset(&old);
	effect_write(&old, &effect);
	CHECK(old.ptr[0] == 22 && read_back(&old, &arena, &effect));
	CHECK(effect.settle.told == QUEUE_TOLD_LATE);
	buf_fini(&old);
	arena_fini(&arena);
}
