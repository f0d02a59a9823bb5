/* Cuts the power in a trace of powercut_load, again and again, and opens the store that
 * the disk may then hold:
 *
 *   powercut_check TRACE ROOT SCRATCH CUTS SEED [end]
 *
 * ROOT is the folder that the trace is about; `end`: only at its end.  Prints what was
 * found wrong, with what is needed to have it again: `powercut_check TRACE ROOT SCRATCH
 * at POSITION FATE SEED` keeps the folder.  If POWERCUT_RECORD names the recorder, the
 * power sometimes goes again, while the store starts or is at work.  Last line: "N
 * passed, N failed". */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "powercut/disk.h"
#include "powercut/state.h"
#include "powercut/verify.h"
#include "storage/embedded.h"

enum {
	CHILDREN = 2,
	SAID_MAX = 5,
	ONE_IN_TWICE = 6,
	ONE_IN_LOADED = 12,
	BEGINNING = 24,
	LOOKS = 6, /* at what a second load leaves */
	SEED_AGAIN = 100000,
};
#define AGAIN_FLUSH_US "3000"

struct cut {
	uint64_t position; /* so many records had been written */
	enum disk_fate fate;
	uint64_t seed;
};

struct run {
	struct str trace;
	const char *scratch, *recorder;
	bool keeps;
	struct disk *disk;
	struct expected expected;
	struct cut *cuts;
	size_t count;
	unsigned running, passed, failed;
};

static const char *const fates[FATES] = {"none", "all", "random", "later", "first"};

/* ---- one cut ----------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
	(void)stat;
	(void)kind;
	(void)at;
	return remove(path);
}

static void remove_folder(const char *folder)
{
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* there may be none */
}

static int start_and_stop(const char *folder)
{
	struct arena arena;
	struct storage *storage;
	struct str why;

	arena_init(&arena, 1 << 20);
	bool is_open = state_open(folder, &arena, &storage, &why);

	if (is_open)
		storage_close(&storage);
	else
		(void)printf("  %.*s\n", (int)why.len, why.ptr);
	arena_fini(&arena);
	return is_open ? 0 : 1;
}

/* ---- two cuts ---------------------------------------------------------------------- */

static void follow_upto(struct disk *disk, struct str rest, uint64_t upto,
			struct expected *expected)
{
	struct trace_record record;
	struct str payload;

	for (uint64_t i = 0; i < upto && trace_next(&rest, &record, &payload); i++) {
		const char *why = disk_follow(disk, &record, payload);

		if (why)
			(void)printf("FAIL after a cut: record %llu: %s\n",
				     (unsigned long long)i, why);
		ASSERT(!why);
		expected_follow(expected, &record, payload);
	}
}

static uint64_t count_records(struct str rest)
{
	struct trace_record record;
	struct str payload;
	uint64_t count = 0;

	while (trace_next(&rest, &record, &payload))
		count++;
	return count;
}

/* A program beside this one, recorded. */
static bool run_recorded(const struct run *run, const char *folder, const char *trace,
			 char *const words[])
{
	char path[400];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
	struct str self = {path, len > 0 ? (size_t)len : 0};
	int status;

	while (self.len > 0 && self.ptr[self.len - 1] != '/')
		self.len--;
	(void)snprintf(path + self.len, sizeof path - self.len, "%s", words[0]);
	pid_t child = fork();

	ASSERT(child >= 0);
	if (child == 0) {
		ASSERT(setenv("POWERCUT_FOLDER", folder, 1) == 0 &&
		       setenv("POWERCUT_TRACE", trace, 1) == 0 &&
		       setenv("POWERCUT_FLUSH_US", AGAIN_FLUSH_US, 1) == 0 &&
		       setenv("LD_PRELOAD", run->recorder, 1) == 0);
		(void)execv(path, words);
		_exit(127);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

/* The power goes at that place of the second trace; why as of verify(). */
static const char *look_again(const struct cut *cut, const char *folder,
			      struct disk *disk, struct str records,
			      struct expected *expected)
{
	char again[300];

	(void)snprintf(again, sizeof again, "%s.again", folder);
	follow_upto(disk, records, cut->position, expected);
	ASSERT(mkdir(again, 0700) == 0);
	disk_cut_power(disk, cut->fate, cut->seed);
	disk_write_out(disk, again);
	const char *why = verify(again, expected, cut->seed);

	if (why)
		(void)printf("FAIL after a second cut, at %llu %s: %s\n",
			     (unsigned long long)cut->position, fates[cut->fate], why);
	remove_folder(again);
	return why;
}

/* The power comes back, and goes again while the store starts or stops; now and then it
 * stopped in good order, and makes an index anew that somebody removed. */
static const char *cut_start(struct run *run, const char *folder, uint64_t seed)
{
	char trace[300], index[300];
	bool is_without_index = seed / ONE_IN_TWICE % 3 == 0;

	(void)snprintf(trace, sizeof trace, "%s.trace", folder);
	(void)snprintf(index, sizeof index, "%s/%s", folder, STORAGE_INDEX);
	if (is_without_index && (start_and_stop(folder) != 0 || unlink(index) != 0))
		return "the store does not start and stop";
	struct disk *disk = disk_of(folder);
	char name[] = "powercut_check", word[] = "open", path[300];
	char *const words[] = {name, word, path, NULL};

	(void)snprintf(path, sizeof path, "%s", folder);
	bool is_started = run_recorded(run, folder, trace, words);
	struct str records = trace_map(trace);

	(void)unlink(trace); /* it stays mapped */
	if (!is_started)
		return "the store does not start and stop";
	struct cut cut = {.position = hash64_number(seed) % (count_records(records) + 1),
			  .fate = seed % 3 ? FATE_RANDOM : FATE_NONE,
			  .seed = seed};

	return look_again(&cut, folder, disk, records, &run->expected);
}

/* What the second load began with: the state that the first cut left. */
static void expect_beginning(struct expected *expected, struct str records)
{
	struct trace_record record;
	struct str payload;

	while (trace_next(&records, &record, &payload)) {
		if (record.kind < TRACE_INTENT)
			continue;
		expected_follow(expected, &record, payload);
		if (record.kind == TRACE_ACKNOWLEDGED)
			return;
	}
}

/* A place in the records: where something was promised or a flush was about to end, or
 * anywhere. */
static uint64_t any_place(struct str rest, uint64_t seed)
{
	uint64_t draw = hash64_number(seed), count = count_records(rest), position = 0;
	uint64_t from = draw / 4 % (count + 1);
	struct trace_record record;
	struct str payload;

	while (draw % 4 != 0 && trace_next(&rest, &record, &payload)) {
		position++;
		if (position >= from &&
		    record.kind == (draw % 4 == 1 ? TRACE_ACKNOWLEDGED : TRACE_FLUSH_END))
			return draw % 4 == 1 ? position : position - 1;
	}
	return from;
}

/* The second load is over: what if the power had gone in it?  Each time in a child. */
static const char *look_often(const char *folder, struct disk *disk, struct str records,
			      uint64_t seed)
{
	static const enum disk_fate often[] = {FATE_FIRST, FATE_NONE, FATE_LATER,
					       FATE_FIRST, FATE_RANDOM};
	const char *why = NULL;

	for (uint64_t i = 0; i < LOOKS && !why; i++) {
		struct cut cut = {.position = any_place(records, seed * LOOKS + i),
				  .fate = often[i % COUNT_OF(often)],
				  .seed = seed + i};
		struct expected expected = {0};
		int status;
		pid_t child = fork();

		ASSERT(child >= 0);
		if (child == 0) {
			expect_beginning(&expected, records);
			why = look_again(&cut, folder, disk, records, &expected);
			(void)fflush(stdout); /* the exit status tells as well */
			_exit(why ? 1 : 0);
		}
		ASSERT(waitpid(child, &status, 0) == child);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			why = "a second cut, in a load, was not survived";
	}
	return why;
}

/* The power comes back, the load goes on over what the first cut left behind, and the
 * power goes again. */
static const char *cut_load(struct run *run, uint64_t seed)
{
	char store[280], reference[280], trace[300], number_text[24];
	char name[] = "powercut_load", groups[] = "2", equal[] = "equal",
	     leave[] = "leave";
	char *words[] = {name,
			 store,
			 reference,
			 trace,
			 number_text,
			 groups,
			 seed % 4 ? equal : leave,
			 leave,
			 NULL};

	(void)snprintf(store, sizeof store, "%s/load.%d", run->scratch, (int)getpid());
	(void)snprintf(reference, sizeof reference, "%s/peace.%d", run->scratch,
		       (int)getpid());
	(void)snprintf(trace, sizeof trace, "%s.trace", store);
	(void)snprintf(number_text, sizeof number_text, "%llu",
		       (unsigned long long)(SEED_AGAIN + 2 * seed));
	ASSERT(mkdir(store, 0700) == 0 && mkdir(reference, 0700) == 0);
	disk_write_out(run->disk, store);
	disk_write_out(run->disk, reference);
	struct disk *disk = disk_of(store);
	bool is_done = run_recorded(run, store, trace, words);
	struct str records = trace_map(trace);
	const char *why = is_done ? look_often(store, disk, records, seed)
				  : "the load cannot go on";

	(void)unlink(trace); /* it stays mapped */
	remove_folder(store);
	remove_folder(reference);
	return why;
}

static const char *cut_twice(struct run *run, const char *folder, const struct cut *cut)
{
	const char *why =
		cut->seed % ONE_IN_TWICE == 0 ? cut_start(run, folder, cut->seed) : NULL;

	/* Where a group is lost and later ones are not, others come in its place. */
	if (!why && (cut->fate == FATE_LATER || cut->seed % ONE_IN_LOADED == 1))
		why = cut_load(run, cut->seed);
	return why;
}

/* In a child: a store that crashes is a store that lost. */
static _Noreturn void child_run(struct run *run, const struct cut *cut)
{
	char folder[200];

	(void)snprintf(folder, sizeof folder, "%s/cut.%d", run->scratch, (int)getpid());
	remove_folder(folder); /* of a run before */
	ASSERT(mkdir(folder, 0700) == 0);
	disk_cut_power(run->disk, cut->fate, cut->seed);
	disk_write_out(run->disk, folder);
	const char *why = run->recorder ? cut_twice(run, folder, cut) : NULL;

	if (!why)
		why = verify(folder, &run->expected, cut->seed);
	if (why)
		(void)printf("FAIL at %llu %s %llu: %s (group %llu acknowledged, %llu "
			     "submitted)\n",
			     (unsigned long long)cut->position, fates[cut->fate],
			     (unsigned long long)cut->seed, why,
			     (unsigned long long)run->expected.acknowledged,
			     (unsigned long long)run->expected.submitted);
	(void)fflush(stdout); /* the exit status tells as well */
	if (run->keeps)
		(void)printf("%s\n", folder);
	else
		remove_folder(folder);
	(void)fflush(stdout);
	_exit(why ? 1 : 0);
}

static void child_wait(struct run *run)
{
	int status;
	pid_t child = wait(&status);

	ASSERT(child > 0);
	run->running--;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		run->passed++;
		return;
	}
	run->failed++;
	if (WIFSIGNALED(status))
		(void)printf("FAIL the store crashed: signal %d\n", WTERMSIG(status));
}

static void cut_here(struct run *run, const struct cut *cut)
{
	if (run->failed > SAID_MAX)
		return;
	while (run->running >= CHILDREN)
		child_wait(run);
	(void)fflush(stdout); /* or the child says it again */
	pid_t child = fork();

	ASSERT(child >= 0);
	if (child == 0)
		child_run(run, cut);
	run->running++;
}

/* Walks through the trace; the cuts are in its order. */
static bool walk(struct run *run)
{
	struct str rest = run->trace, payload;
	struct trace_record record;
	uint64_t position = 0;
	size_t at = 0;

	for (; at < run->count && run->cuts[at].position == 0; at++)
		cut_here(run, &run->cuts[at]);
	while (at < run->count && trace_next(&rest, &record, &payload)) {
		const char *why = disk_follow(run->disk, &record, payload);

		if (why) {
			(void)printf("FAIL record %llu, kind %u: %s\n",
				     (unsigned long long)position, record.kind, why);
			return false;
		}
		expected_follow(&run->expected, &record, payload);
		position++;
		while (at < run->count && run->cuts[at].position <= position)
			cut_here(run, &run->cuts[at++]);
	}
	while (run->running > 0)
		child_wait(run);
	return at == run->count;
}

/* ---- which cuts -------------------------------------------------------------------- */

static int by_position(const void *a, const void *b)
{
	const struct cut *left = a, *right = b;

	return (left->position > right->position) - (left->position < right->position);
}

struct places {
	uint64_t *list;
	size_t count, room;
};

static void place_add(struct places *places, uint64_t position)
{
	MEM_ROOM(places->list, places->count, places->room);
	places->list[places->count++] = position;
}

static uint64_t place_any(const struct places *places, uint64_t position)
{
	return places->count > 0 ? places->list[rand_below(places->count)]
				 : rand_below(position + 1);
}

/* Half of them where something was just promised, or a flush was about to end: there it
 * hurts most; some in the first moments of a store; the rest anywhere. */
static void choose(struct run *run, bool is_end)
{
	struct str rest = run->trace, payload;
	struct trace_record record;
	uint64_t position = 0;
	struct places promises = {0}, landings = {0};

	while (trace_next(&rest, &record, &payload)) {
		if (record.kind == TRACE_FLUSH_END)
			place_add(&landings, position);
		position++;
		if (record.kind == TRACE_ACKNOWLEDGED || record.kind == TRACE_SHOWN)
			place_add(&promises, position);
	}
	for (size_t i = 0; i < run->count; i++) {
		uint64_t at = is_end       ? position
			      : i % 8 == 2 ? rand_below(num_min(position, BEGINNING) + 1)
			      : i % 8 == 7 ? place_any(&landings, position)
			      : i % 2      ? place_any(&promises, position)
					   : rand_below(position + 1);

		run->cuts[i] = (struct cut){.position = at,
					    .fate = i % 8 == 0   ? FATE_ALL
						    : i % 8 == 7 ? FATE_LATER
						    : i % 4 == 1 ? FATE_NONE
								 : FATE_RANDOM,
					    .seed = rand_below(1000000)};
	}
	mem_free(promises.list);
	mem_free(landings.list);
	qsort(run->cuts, run->count, sizeof *run->cuts, by_position);
}

/* ---- the whole --------------------------------------------------------------------- */

static bool number(const char *text, uint64_t *value)
{
	return num_parse(str_c(text), UINT64_MAX / 2, value);
}

static bool choose_one(struct run *run, char **words)
{
	run->keeps = true;
	for (size_t i = 0; i < FATES; i++)
		if (strcmp(words[1], fates[i]) == 0)
			run->cuts[0].fate = (enum disk_fate)i;
	return number(words[0], &run->cuts[0].position) &&
	       number(words[2], &run->cuts[0].seed);
}

static bool choose_many(struct run *run, int count, char **words)
{
	uint64_t cuts, seed;

	if (count < 2 || !number(words[0], &cuts) || !number(words[1], &seed))
		return false;
	rand_test_seed(seed + 1);
	run->count = (size_t)cuts;
	run->cuts = mem_grown(run->cuts, run->count, sizeof *run->cuts);
	choose(run, count > 2);
	return true;
}

int main(int argc, char **argv)
{
	struct run run = {.count = 1, .cuts = NEW(struct cut)};

	if (argc == 3 && strcmp(argv[1], "open") == 0)
		return start_and_stop(argv[2]);
	if (argc < 6)
		return 2;
	run.trace = trace_map(argv[1]);
	run.disk = disk_new(str_c(argv[2]));
	run.scratch = argv[3];
	run.recorder = getenv("POWERCUT_RECORD");
	bool is_understood = strcmp(argv[4], "at") == 0 && argc == 8
				     ? choose_one(&run, argv + 5)
				     : choose_many(&run, argc - 4, argv + 4);

	if (!is_understood)
		return 2;
	if (!walk(&run))
		run.failed++;
	(void)printf("%u passed, %u failed\n", run.passed, run.failed);
	return run.failed > 0;
}
