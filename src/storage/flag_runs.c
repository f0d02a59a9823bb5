#include "storage/flag_runs.h"

#include "base/mem.h"
#include "storage/words.h"

enum { WORDS_BYTES_MAX = 256 * 1024 };

void flag_runs_fini(struct flag_runs *runs)
{
	mem_free(runs->list);
	*runs = (struct flag_runs){0};
}

static bool goes_on(const struct flag_runs *runs, uint32_t uid, uint8_t flags,
		    struct str words)
{
	const struct flags_run *last =
		runs->count > 0 ? &runs->list[runs->count - 1] : NULL;

	return last && last->uids.last + 1 == uid && last->flags == flags &&
	       str_same(runs->words, words);
}

void flag_runs_add(struct flag_runs *runs, uint32_t uid, uint8_t flags, struct str words)
{
	struct flags_run run = {.uids = {uid, uid}, .flags = flags};

	if (!runs->is_wanted)
		return;
	if (goes_on(runs, uid, flags, words)) {
		runs->list[runs->count - 1].uids.last = uid;
		return;
	}
	runs->bytes += words.len;
	runs->is_wanted = runs->count < FLAGS_RUNS_MAX &&
			  runs->bytes <= WORDS_BYTES_MAX &&
			  arena_copy(runs->arena, words, &runs->words) &&
			  words_read(runs->words, runs->arena, &run.keywords);
	if (!runs->is_wanted)
		return;
	MEM_ROOM(runs->list, runs->count, runs->room);
	runs->list[runs->count++] = run;
}

void flag_runs_give(const struct flag_runs *runs, struct op_result *result)
{
	result->runs = NULL;
	result->run_count = 0;
	if (!runs->is_wanted || runs->count == 0)
		return;
	struct flags_run *copy = ARENA_ARRAY(runs->arena, struct flags_run, runs->count);

	if (!copy)
		return;
	memcpy(copy, runs->list, runs->count * sizeof *copy);
	result->runs = copy;
	result->run_count = runs->count;
}
