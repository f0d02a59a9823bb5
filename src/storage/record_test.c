#include "storage/record.h"

#include "base/test.h"
#include "storage/rows.h"

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

TEST(a_mailbox_of_before_it_was_kept_what_is_recent_is_read)
{
	struct mailbox_row row = {.name = STR("box"), .uid_next = 8, .exists = 3}, got;
	struct buf bytes = BUF(100);

	row.recent_from = 5;
	row.recent = 2;
	mailbox_write(&bytes, &row);
	CHECK(mailbox_read(buf_str(&bytes), 7, &got));
	CHECK(got.recent_from == 5 && got.recent == 2 && got.id == 7);
	struct str old = str_first(buf_str(&bytes), bytes.len - 2);

	CHECK(mailbox_read(old, 7, &got));
	CHECK(got.recent_from == 8 && got.recent == 0 && got.exists == 3);
	CHECK(!mailbox_read(str_first(buf_str(&bytes), old.len + 1), 7, &got));
	CHECK(!mailbox_read(str_first(old, old.len - 1), 7, &got));
	buf_fini(&bytes);
}
