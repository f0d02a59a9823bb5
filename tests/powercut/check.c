/* Cuts the power in a trace of powercut_load, again and again, and opens the store that
 * the disk may then hold:
 *
 *   powercut_check TRACE ROOT SCRATCH CUTS SEED [end]
 *
 * ROOT is the folder that the trace is about; `end`: only at its end.  Prints what was
 * found wrong, with what is needed to have it again: `powercut_check TRACE ROOT SCRATCH
 * at POSITION FATE SEED` keeps the folder.  If POWERCUT_RECORD names the recorder, the
 * power sometimes goes again while the store starts.  Last line: "N passed, N failed". */
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

enum { CHILDREN = 2, SAID_MAX = 5, ONE_IN_TWICE = 6, BEGINNING = 24 };

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

static const char *const fates[FATES] = {"none", "all", "random"};

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

/* ---- two cuts ---------------------------------------------------------------------- */

static void follow_upto(struct disk *disk, struct str rest, uint64_t upto)
{
	struct trace_record record;
	struct str payload;

	for (uint64_t i = 0; i < upto && trace_next(&rest, &record, &payload); i++) {
		const char *why = disk_follow(disk, &record, payload);

		if (why)
			(void)printf("FAIL while it starts: record %llu: %s\n",
				     (unsigned long long)i, why);
		ASSERT(!why);
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

/* Starts this program again, recorded, to open the store there and close it. */
static bool start_recorded(const struct run *run, const char *folder, const char *trace)
{
	pid_t child = fork();
	int status;

	ASSERT(child >= 0);
	if (child == 0) {
		ASSERT(setenv("POWERCUT_FOLDER", folder, 1) == 0 &&
		       setenv("POWERCUT_TRACE", trace, 1) == 0 &&
		       setenv("LD_PRELOAD", run->recorder, 1) == 0);
		(void)execl("/proc/self/exe", "powercut_check", "open", folder, NULL);
		_exit(127);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

/* The power comes back, and goes again while the store starts or stops. */
static const char *cut_twice(struct run *run, const char *folder, uint64_t seed)
{
	char trace[300], again[300];
	struct disk *disk = disk_of(folder);

	(void)snprintf(trace, sizeof trace, "%s.trace", folder);
	(void)snprintf(again, sizeof again, "%s.again", folder);
	bool is_started = start_recorded(run, folder, trace);
	struct str records = trace_map(trace);

	(void)unlink(trace); /* it stays mapped */
	if (!is_started)
		return "the store does not start and stop";
	follow_upto(disk, records, hash64_number(seed) % (count_records(records) + 1));
	ASSERT(mkdir(again, 0700) == 0);
	disk_cut_power(disk, seed % 3 ? FATE_RANDOM : FATE_NONE, seed);
	disk_write_out(disk, again);
	const char *why = verify(again, &run->expected, seed);

	if (why)
		(void)printf("FAIL after a second cut: %s\n", why);
	remove_folder(again);
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
	const char *why = run->recorder && cut->seed % ONE_IN_TWICE == 0
				  ? cut_twice(run, folder, cut->seed)
				  : NULL;

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

/* Half of them where something was just promised: there it hurts most; some in the first
 * moments of a store; the rest anywhere. */
static void choose(struct run *run, bool is_end)
{
	struct str rest = run->trace, payload;
	struct trace_record record;
	uint64_t position = 0, *promises = NULL;
	size_t count = 0, room = 0;

	while (trace_next(&rest, &record, &payload)) {
		position++;
		if (record.kind != TRACE_ACKNOWLEDGED && record.kind != TRACE_SHOWN)
			continue;
		MEM_ROOM(promises, count, room);
		promises[count++] = position;
	}
	for (size_t i = 0; i < run->count; i++) {
		uint64_t at = is_end       ? position
			      : i % 8 == 2 ? rand_below(num_min(position, BEGINNING) + 1)
			      : i % 2 && count > 0 ? promises[rand_below(count)]
						   : rand_below(position + 1);

		run->cuts[i] = (struct cut){.position = at,
					    .fate = i % 8 == 0   ? FATE_ALL
						    : i % 4 == 1 ? FATE_NONE
								 : FATE_RANDOM,
					    .seed = rand_below(1000000)};
	}
	mem_free(promises);
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
