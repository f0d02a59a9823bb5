#include "store/codec.h"

/* Any octets as what each call gives, and as an event: no crash, memory within the arena,
 * slices inside the input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_inside(struct str input, struct str slice)
{
	return slice.len == 0 ||
	       (slice.ptr >= input.ptr && slice.ptr + slice.len <= input.ptr + input.len);
}

static void decode_rows(struct str input, struct arena *arena)
{
	struct dec dec = dec_over(input);
	struct message_row *rows;
	uint32_t next_uid;
	size_t count;

	if (!store_dec_rows(&dec, arena, &rows, &count, &next_uid))
		return;
	for (size_t i = 0; i < count; i++)
		ASSERT(is_inside(input, rows[i].digest) &&
		       is_inside(input, rows[i].trace));
}

static void decode_result(struct str input, struct arena *arena)
{
	struct dec dec = dec_over(input);
	struct store_result result;

	if (!store_dec_result(&dec, arena, &result))
		return;
	for (size_t i = 0; i < result.count; i++) {
		struct uid_set uids = result.ops[i].uids;

		for (size_t j = 0; j + 1 < uids.count; j++)
			ASSERT(uids.ranges[j].first <= uids.ranges[j].last &&
			       uids.ranges[j].last < uids.ranges[j + 1].first);
	}
}

static void decode_search(struct str input, struct arena *arena)
{
	struct dec first = dec_over(input), second = first, third = first;
	struct store_candidates candidates;
	struct index_work work;
	struct index_state state;

	(void)store_dec_candidates(&first, arena, &candidates);
	(void)store_dec_index_state(&second, &state);
	if (!store_dec_work(&third, arena, &work))
		return;
	for (size_t i = 0; i < work.count; i++)
		ASSERT(is_inside(input, work.items[i].trace));
}

static void decode_lists(int which, struct str input, struct arena *arena)
{
	struct dec dec = dec_over(input);
	struct mailbox_row *mailboxes;
	struct change_row *changes;
	struct queue_row *queue;
	struct kv_row *pairs;
	struct undelete_row *expunged;
	struct queue_domain *domains;
	struct queue_count all;
	uint64_t upto;
	size_t count;
	bool more;

	if (which == 0)
		(void)store_dec_mailboxes(&dec, arena, &mailboxes, &count);
	else if (which == 1)
		(void)store_dec_changes(&dec, arena, &changes, &count, &upto, &more);
	else if (which == 2)
		(void)store_dec_queue_rows(&dec, arena, &queue, &count);
	else if (which == 3)
		(void)store_dec_counts(&dec, arena, &all, &domains, &count);
	else if (which == 8)
		(void)store_dec_undelete_rows(&dec, arena, &expunged, &count);
	else
		(void)store_dec_kv_rows(&dec, arena, &pairs, &count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena arena;
	struct store_event event;
	struct store_extent extent;

	if (len == 0)
		return 0;
	struct str input = {(const char *)data + 1, len - 1};
	struct dec dec = dec_over(input);

	arena_init(&arena, 1 << 20);
	if (data[0] % 10 < 5 || data[0] % 10 == 8)
		decode_lists(data[0] % 10, input, &arena);
	else if (data[0] % 10 == 5)
		decode_rows(input, &arena);
	else if (data[0] % 10 == 6)
		decode_result(input, &arena);
	else if (data[0] % 10 == 7)
		(void)store_dec_event(input, &arena, &event);
	else if (!store_dec_extent(&dec, &arena, &extent))
		decode_search(input, &arena);
	ASSERT(arena.used <= 1 << 20);
	arena_fini(&arena);
	return 0;
}
