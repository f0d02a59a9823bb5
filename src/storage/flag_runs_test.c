#include "storage/flag_runs.h"

#include "base/codec.h"
#include "base/test.h"

static struct op_result gathered(struct arena *arena, uint32_t messages, uint32_t step)
{
	struct flag_runs runs = {.is_wanted = true, .arena = arena};
	struct op_result result = {.run_count = 99};

	for (uint32_t i = 0; i < messages; i++)
		flag_runs_add(&runs, 1 + i * step, FLAG_SEEN, STR(""));
	flag_runs_give(&runs, &result);
	flag_runs_fini(&runs);
	return result;
}

TEST(runs_that_are_too_many_are_none)
{
	struct arena arena;

	arena_init(&arena, 4 << 20);
	struct op_result result = gathered(&arena, FLAGS_RUNS_MAX, 2);

	CHECK(result.run_count == FLAGS_RUNS_MAX);
	CHECK(result.runs[1].uids.first == 3 && result.runs[1].uids.last == 3);
	result = gathered(&arena, FLAGS_RUNS_MAX + 1, 2);
	CHECK(result.run_count == 0 && !result.runs);
	result = gathered(&arena, 10 * FLAGS_RUNS_MAX, 1);
	CHECK(result.run_count == 1);
	CHECK(result.runs[0].uids.last == 10 * FLAGS_RUNS_MAX);
	arena_fini(&arena);
}

TEST(runs_with_too_many_words_are_none)
{
	struct arena arena;
	struct flag_runs runs = {.is_wanted = true, .arena = &arena};
	struct op_result result;
	static char long_word[KEYWORD_BYTES_MAX];
	struct buf words = BUF(1000);

	arena_init(&arena, 4 << 20);
	memset(long_word, 'w', sizeof long_word);
	enc_str(&words, (struct str){long_word, sizeof long_word});
	for (uint32_t uid = 1; uid < FLAGS_RUNS_MAX; uid += 2)
		flag_runs_add(&runs, uid, 0, buf_str(&words));
	flag_runs_give(&runs, &result);
	CHECK(result.run_count == 0);
	flag_runs_fini(&runs);
	buf_fini(&words);
	arena_fini(&arena);
}
