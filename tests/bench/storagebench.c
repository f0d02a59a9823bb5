/* What a group of appends costs, and where the time goes: storagebench [FOLDER [SIZE]];
 * how long maintenance keeps commits waiting: storagebench FOLDER SIZE maintain; and what
 * changed flags cost: storagebench FOLDER SIZE flags.
 * The folder is made and left behind.  POSTRIDER_FAULT="pack.flush:1+:delay=2" makes each
 * flush 2 ms slower.  One client's groups come one after the other; where there are more,
 * the next ones are prepared while some are flushed. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "rt/clock.h"
#include "rt/fault.h"
#include "storage/embedded.h"
#include "storage/slots.h"
#include "store/digest.h"

enum {
	GROUP_MAX = SLOT_COMMITS,
	ACCOUNTS = 500,
	FRAME_MAX = 1 << 20,
	MAILS = 20000,
	SLOTS = PACK_LANES + 1,
	/* Of maintenance: */
	OLD_MAILS = 100000,
	LOAD_US = 2000, /* between two groups of LOAD_GROUP mails */
	LOAD_GROUP = 2,
	RETENTION_EVERY = 25, /* groups, as in the store's process: 50 ms, */
	HOUSEWORK_EVERY = 25, /* or the next index commit after it */
	RULE_DAYS = 30,
	QUIET_GROUPS = 3000,
	ACKS_MAX = 1 << 20,
	/* Of flags: */
	BIG_MAILS = 100000,
	FLAG_TURNS = 11,
	FLAG_EVERY = 3, /* of the scattered ones */
};

static struct storage *storage;
static char frame[FRAME_MAX], trace[700];
static struct buf digest = BUF(2 * DIGEST_BYTES_MAX);
static size_t id_at; /* where the digest has the hash of its Message-ID */
static struct slots slots;

/* How long mails waited for their acknowledgement, in this phase. */
static uint64_t *acks;
static size_t ack_count;

static void done(struct slot *slot)
{
	for (size_t i = 0; i < slot->group.count; i++)
		ASSERT(slot->commits[i].outcome == STORE_OK);
	if (acks && slot->number > 0 && ack_count < ACKS_MAX)
		acks[ack_count++] = clock_monotonic_us() - slot->began_us;
}

static void submit(struct slot *slot, size_t count)
{
	slot_submit(slot, storage, count);
	(void)storage_tend(storage);
}

static void make_accounts(void)
{
	for (account_t account = 1; account <= ACCOUNTS; account++) {
		struct slot *slot = slot_take(&slots, SLOTS);

		slot->ops[0][0] = (struct store_op){.kind = OP_ACCOUNT_CREATE};
		slot->given[0] = (struct store_commit){.account = account};
		submit(slot, 1);
	}
}

/* A usual one; each mail gets an identity of its own. */
static void make_digest(void)
{
	static const char mail[] =
		"From: Ann <ann@example.org>\r\nTo: bob@example.org\r\n"
		"Subject: Hello\r\nMessage-ID: <1@example.org>\r\n\r\n"
		"Hello Bob\r\n";
	SCOPED(buf_fini) struct buf id = BUF(8);

	digest_make((struct str){mail, sizeof mail - 1}, &digest);
	enc_u64(&id, digest_hash(STR("1@example.org")));
	id_at = str_find(buf_str(&digest), buf_str(&id));
	ASSERT(id_at < digest.len);
}

/* For accounts from the first on. */
static void fill(struct slot *slot, size_t count, size_t frame_len, uint64_t *number,
		 account_t first)
{
	for (size_t i = 0; i < count; i++) {
		char *own = ARENA_ARRAY(&slot->arena, char, digest.len);
		int len = snprintf(slot->keys[i], sizeof slot->keys[i], "%016llx",
				   (unsigned long long)++*number);

		slot->given[i] = (struct store_commit){
			.account = first + (account_t)rand_below(ACCOUNTS - first + 1),
			.key = {slot->keys[i], (size_t)len},
			.key_minute = 1 + (uint32_t)(*number / 100000)};
		/* No two are equal. */
		size_t at = (size_t)(*number % (FRAME_MAX - frame_len));

		memcpy(own, digest.ptr, digest.len);
		memcpy(own + id_at, number, sizeof *number);
		slot->ops[i][0] = (struct store_op){
			.kind = OP_APPEND,
			.append = {.mailbox = MAILBOX_INBOX,
				   .body = {.frame = {frame + at, frame_len},
					    .raw_size = frame_len * 2},
				   .trace = {trace, sizeof trace},
				   .digest = {own, digest.len},
				   .received_at = 1700000000}};
	}
}

static void measure(size_t count, size_t frame_len)
{
	static uint64_t number;
	struct group_times before = storage->times, *times = &storage->times;
	uint64_t groups = MAILS / count / (count == 1 ? 10 : 1);
	uint64_t flushes_before, flush_us_before, flushes, flush_us;

	slots_wait(&slots);
	flusher_count(&storage->flusher, &flushes_before, &flush_us_before);
	uint64_t began_us = clock_monotonic_us();

	for (uint64_t i = 0; i < groups; i++) {
		struct slot *slot = slot_take(&slots, count == 1 ? 1 : SLOTS);

		fill(slot, count, frame_len, &number, 1);
		submit(slot, count);
	}
	slots_wait(&slots);
	uint64_t took_us = clock_monotonic_us() - began_us;
	double a_group = (double)groups * 1000;

	flusher_count(&storage->flusher, &flushes, &flush_us);
	flushes -= flushes_before;
	printf("%4zu x %zu octets: %8.0f mails/s; a group %.3f ms: plan and puts %.3f, "
	       "pack write %.3f, index %.3f (+ %.3f for flushes) in %llu commits; "
	       "%.2f flushes of %.3f ms; %.1f us a mail\n",
	       count, frame_len, (double)(groups * count) * 1e6 / (double)took_us,
	       (double)took_us / a_group, (double)(times->plan - before.plan) / a_group,
	       (double)(times->write - before.write) / a_group,
	       (double)(times->index - before.index) / a_group,
	       (double)(times->drain - before.drain) / a_group,
	       (unsigned long long)(times->index_commits - before.index_commits),
	       (double)flushes / (double)groups,
	       (double)(flush_us - flush_us_before) / 1e3 / (double)flushes,
	       (double)took_us / (double)(groups * count));
}

/* Nine of ten mails of each account go at once; then the space is given back while mail
 * comes in. */
static void give_back(size_t frame_len)
{
	static const struct uid_range most = {1, MAILS / ACCOUNTS * 3};
	struct store_stats stats;
	uint64_t number = UINT64_MAX / 2, slices = 0;

	for (account_t account = 1; account <= ACCOUNTS; account++) {
		struct slot *slot = slot_take(&slots, SLOTS);

		slot->ops[0][0] = (struct store_op){
			.kind = OP_KV_PUT, .kv = {STR(STORE_KV_UNDELETE), STR("0")}};
		slot->ops[1][0] = (struct store_op){
			.kind = OP_EXPUNGE,
			.expunge = {.mailbox = MAILBOX_INBOX, .uids = {&most, 1}}};
		slot->given[0] = (struct store_commit){.account = account};
		slot->given[1] = slot->given[0];
		submit(slot, 2);
	}
	int64_t now = clock_s();
	uint64_t began_us = clock_monotonic_us();
	bool more = true;

	storage->times.slice_max = 0;
	for (; more && slices < 20000; slices++) {
		(void)storage_tend(storage);
		more = storage_maintain(storage, now);
		struct slot *slot = slot_take(&slots, SLOTS);

		fill(slot, 2, frame_len, &number, 1);
		for (size_t i = 0; i < 2; i++) /* the keys are not old yet */
			slot->given[i].key_minute = (uint32_t)(now / 60);
		submit(slot, 2);
	}
	uint64_t took_us = clock_monotonic_us() - began_us;

	slots_wait(&slots);
	storage_index_commit(storage);
	ASSERT(storage_stats(storage, &stats) == STORE_OK);
	printf("given back: %llu MB punched, %llu MB copied in %.1f s, %llu slices, the "
	       "longest %.2f ms\n",
	       (unsigned long long)(stats.punched_bytes >> 20),
	       (unsigned long long)(storage->space.copied >> 20), (double)took_us / 1e6,
	       (unsigned long long)slices, (double)storage->times.slice_max / 1e3);
}

/* ---- maintenance under load ---------------------------------------------------------
 */

/* What somebody did: the time, and how often it gave its core away to wait (for a disk, a
 * page of the index) or had it taken from it. */
struct watch {
	uint64_t wall_us, cpu_us;
	int64_t waits, losses;
};

/* How long the writer was kept, by what kept it. */
struct keeper {
	const char *what;
	uint64_t times, sum_us, cpu_us, over; /* over: longer than 10 ms */
	struct watch longest;
};
enum kept_by {
	KEPT_RETENTION,
	KEPT_EXPIRY,
	KEPT_PUNCH_BEGIN,
	KEPT_PUNCH_END,
	KEPT_COPY,
	KEPT_INDEX,
	KEPT_KINDS
};
static struct keeper keepers[KEPT_KINDS] = {
	{.what = "expunge 100 that were kept long enough"},
	{.what = "end what was expunged, forget keys, find dead bodies"},
	{.what = "see which bodies may be punched out"},
	{.what = "note what was punched out"},
	{.what = "copy bodies of sparse packs"},
	{.what = "commit the index, for all of them and the mails"},
};
enum { KEPT_LONG_US = 10000 };

static struct watch watch_begin(void)
{
	struct timespec t;
	struct rusage usage;

	ASSERT(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
	ASSERT(getrusage(RUSAGE_THREAD, &usage) == 0);
	return (struct watch){.wall_us = clock_monotonic_us(),
			      .cpu_us = (uint64_t)t.tv_sec * 1000000 +
					(uint64_t)t.tv_nsec / 1000,
			      .waits = usage.ru_nvcsw,
			      .losses = usage.ru_nivcsw};
}

static struct watch watch_since(struct watch began)
{
	struct watch now = watch_begin();

	return (struct watch){.wall_us = now.wall_us - began.wall_us,
			      .cpu_us = now.cpu_us - began.cpu_us,
			      .waits = now.waits - began.waits,
			      .losses = now.losses - began.losses};
}

static void watch_end(struct watch began, enum kept_by kind)
{
	struct keeper *keeper = &keepers[kind];
	struct watch took = watch_since(began);

	keeper->times++;
	keeper->sum_us += took.wall_us;
	keeper->over += took.wall_us > KEPT_LONG_US;
	keeper->cpu_us = num_max(keeper->cpu_us, took.cpu_us);
	if (took.wall_us > keeper->longest.wall_us)
		keeper->longest = took;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void tell_keeper(const struct keeper *k)
{
	if (k->times == 0)
		return;
	printf("    %s: %llu times of %.2f ms, at most %.2f ms of CPU, longer than 10 ms "
	       "%llu times; the longest %.2f ms, of CPU %.2f, waited %lld times, lost "
	       "its "
	       "core %lld times\n",
	       k->what, (unsigned long long)k->times,
	       (double)k->sum_us / 1e3 / (double)k->times, (double)k->cpu_us / 1e3,
	       (unsigned long long)k->over, (double)k->longest.wall_us / 1e3,
	       (double)k->longest.cpu_us / 1e3, (long long)k->longest.waits,
	       (long long)k->longest.losses);
}

static void tell_phase(const char *name)
{
	slots_wait(&slots);
	qsort(acks, ack_count, sizeof *acks, by_size);
	printf("%s: %zu groups of mails, acknowledged after %.2f ms (median), %.2f (99 "
	       "%%), "
	       "%.2f (longest)\n",
	       name, ack_count, (double)acks[ack_count / 2] / 1e3,
	       (double)acks[ack_count * 99 / 100] / 1e3,
	       (double)acks[ack_count - 1] / 1e3);
	for (size_t i = 0; i < KEPT_KINDS; i++) {
		tell_keeper(&keepers[i]);
		keepers[i] = (struct keeper){.what = keepers[i].what};
	}
	ack_count = 0;
}

static void give_mails(size_t frame_len, uint64_t due_us)
{
	static uint64_t number = UINT64_MAX / 4;
	uint64_t at_us = clock_monotonic_us();

	if (at_us < due_us)
		(void)usleep((useconds_t)(due_us - at_us));
	struct slot *slot = slot_take(&slots, SLOTS);

	fill(slot, LOAD_GROUP, frame_len, &number, 2);
	slot->number = number;
	slot->began_us = due_us;
	slot_submit(slot, storage, LOAD_GROUP);
}

struct phase {
	const char *name;
	bool (*step)(int64_t now);
	unsigned every;       /* groups, at least */
	bool waits_for_index; /* until that has all that was committed */
};

/* Until step() has nothing to do: mails come every 2 ms, whoever is behind or not. */
static void under_load(size_t frame_len, struct phase phase, int64_t now)
{
	uint64_t due_us = clock_monotonic_us();
	unsigned rested = 0;

	for (bool more = true; more; due_us += LOAD_US) {
		give_mails(frame_len, due_us);
		struct watch watch = watch_begin();
		uint64_t commits = storage->times.index_commits;
		bool is_committed = storage_tend(storage) == UINT64_MAX;

		if (storage->times.index_commits > commits)
			watch_end(watch, KEPT_INDEX);
		if (++rested < phase.every || (phase.waits_for_index && !is_committed))
			continue;
		more = phase.step(now);
		rested = 0;
	}
	tell_phase(phase.name);
}

static bool step_nothing(int64_t now)
{
	static unsigned groups;

	(void)now;
	groups++;
	return groups % QUIET_GROUPS > 0;
}

static bool step_retention(int64_t now)
{
	static const struct retention_rules rules;
	static struct retention_walk walk;

	ASSERT(storage_retention(storage, &rules, now, &walk) == STORE_OK);
	if (walk.count == 0)
		return !walk.is_over;
	struct slot *slot = slot_take(&slots, SLOTS);

	slot->number = 0;
	slot->given[0].account = walk.account;
	slot->ops[0][0] = (struct store_op){
		.kind = OP_EXPUNGE,
		.expunge = {.mailbox = walk.mailbox, .uids = {&walk.uids, 1}}};
	struct watch watch = watch_begin();

	slot_submit(slot, storage, 1);
	watch_end(watch, KEPT_RETENTION);
	return true;
}

static enum kept_by kept_by(enum space_state state)
{
	switch (state) {
	case SPACE_RESTING:
	case SPACE_SETTLING:
		return KEPT_EXPIRY;
	case SPACE_READING:
		return KEPT_PUNCH_BEGIN;
	case SPACE_PUNCHING:
		return KEPT_PUNCH_END;
	case SPACE_GATHERING:
		return KEPT_COPY;
	}
	return KEPT_EXPIRY;
}

static bool step_housework(int64_t now)
{
	enum kept_by kind = kept_by(storage->space.state);
	struct watch watch = watch_begin();
	bool more = storage_maintain(storage, now);

	watch_end(watch, kind);
	return more;
}

static void set_pair(const char *name, const char *value)
{
	struct slot *slot = slot_take(&slots, SLOTS);

	slot->number = 0;
	slot->given[0].account = 1;
	slot->ops[0][0] =
		(struct store_op){.kind = OP_KV_PUT, .kv = {str_c(name), str_c(value)}};
	submit(slot, 1);
}

/* A mailbox of account 1. */
static void make_big_mailbox(unsigned mails, size_t frame_len)
{
	uint64_t number = UINT64_MAX / 2;

	for (unsigned i = 0; i < mails / GROUP_MAX; i++) {
		struct slot *slot = slot_take(&slots, SLOTS);

		slot->number = 0;
		fill(slot, GROUP_MAX, frame_len, &number, 1);
		for (size_t j = 0; j < GROUP_MAX; j++)
			slot->given[j].account = 1;
		submit(slot, GROUP_MAX);
	}
}

/* A mailbox of OLD_MAILS whose time is over, and then their time to be brought back. */
static void maintain(size_t frame_len)
{
	static const int64_t day_s = 24 * 60 * 60;
	int64_t now = clock_s();
	struct store_stats stats;

	acks = NEW_ARRAY(uint64_t, ACKS_MAX);
	set_pair(STORE_KV_RETENTION "1", "30");
	make_big_mailbox(OLD_MAILS, frame_len);
	under_load(frame_len, (struct phase){"nothing", step_nothing, 1, false}, now);
	now += (RULE_DAYS + 1) * day_s;
	under_load(frame_len,
		   (struct phase){"retention", step_retention, RETENTION_EVERY, true},
		   now);
	now += RULE_DAYS * day_s;
	under_load(frame_len,
		   (struct phase){"housekeeping", step_housework, HOUSEWORK_EVERY, true},
		   now);
	under_load(frame_len, (struct phase){"nothing again", step_nothing, 1, false},
		   now);
	storage_index_commit(storage);
	ASSERT(storage_stats(storage, &stats) == STORE_OK);
	ASSERT(stats.expunged == 0);
	printf("given back: %llu MB punched, %llu MB copied\n",
	       (unsigned long long)(stats.punched_bytes >> 20),
	       (unsigned long long)(storage->space.copied >> 20));
	mem_free(acks);
	acks = NULL;
}

/* ---- flags ------------------------------------------------------------------------- */

static double median_ms(uint64_t *us)
{
	qsort(us, FLAG_TURNS, sizeof *us, by_size);
	return (double)us[FLAG_TURNS / 2] / 1e3;
}

/* One operation that changes them all, and the index commit that shows it. */
static void time_flags(const char *what, struct uid_set uids, uint64_t messages)
{
	uint64_t commit_us[FLAG_TURNS], index_us[FLAG_TURNS];
	uint64_t commit_cpu_us[FLAG_TURNS], index_cpu_us[FLAG_TURNS];

	for (unsigned i = 0; i < FLAG_TURNS; i++) {
		struct slot *slot = slot_take(&slots, 1);

		slot->given[0].account = 1;
		slot->ops[0][0] = (struct store_op){
			.kind = OP_FLAGS,
			.flags = {.mailbox = MAILBOX_INBOX,
				  .uids = uids,
				  .mode = i % 2 ? FLAGS_REMOVE : FLAGS_ADD,
				  .flags = FLAG_FLAGGED,
				  .unchanged_since = UINT64_MAX}};
		struct watch watch = watch_begin();

		slot_submit(slot, storage, 1);
		slots_wait(&slots);
		watch = watch_since(watch);
		commit_us[i] = watch.wall_us;
		commit_cpu_us[i] = watch.cpu_us;
		watch = watch_begin();
		storage_index_commit(storage);
		watch = watch_since(watch);
		index_us[i] = watch.wall_us;
		index_cpu_us[i] = watch.cpu_us;
	}
	printf("flags of %llu, %s: %.2f ms until acknowledged (CPU %.2f), then %.2f ms "
	       "for the index (CPU %.2f)\n",
	       (unsigned long long)messages, what, median_ms(commit_us),
	       median_ms(commit_cpu_us), median_ms(index_us), median_ms(index_cpu_us));
}

static void flags(size_t frame_len)
{
	static const uint32_t sizes[] = {100, 1000, 10000, BIG_MAILS};
	enum { SCATTERED = UID_RANGES_MAX / 2 };
	struct uid_range *scattered = NEW_ARRAY(struct uid_range, SCATTERED), range;

	make_big_mailbox(BIG_MAILS, frame_len);
	slots_wait(&slots);
	storage_index_commit(storage);
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		range = (struct uid_range){1, sizes[i]};
		time_flags("in a row", (struct uid_set){&range, 1}, sizes[i]);
	}
	for (uint32_t i = 0; i < SCATTERED; i++)
		scattered[i] = (struct uid_range){1 + i * FLAG_EVERY, 1 + i * FLAG_EVERY};
	time_flags("every third", (struct uid_set){scattered, SCATTERED}, SCATTERED);
	mem_free(scattered);
}

int main(int argc, char **argv)
{
	struct storage_options options = {
		.folder = argc > 1 ? argv[1] : "storagebench.data",
		.pack_bytes_max = 64 << 20,
		.copy_bytes_a_second = UINT64_MAX,
	};
	const char *faults = getenv("POSTRIDER_FAULT");
	uint64_t frame_len = 4096;
	struct arena arena;
	struct str why;

	if (argc > 2 && !num_parse(str_c(argv[2]), FRAME_MAX, &frame_len))
		return 2;
	if (faults && !fault_arm(str_c(faults)))
		return 2;
	(void)mkdir(options.folder, 0700);
	arena_init(&arena, 64 << 20);
	slots_init(&slots, SLOTS, done);
	rand_bytes(frame, sizeof frame);
	memset(trace, 't', sizeof trace);
	make_digest();
	if (storage_open(&options, &arena, &storage, &why) != OK) {
		printf("%.*s\n", STR_FMT(why));
		return 1;
	}
	make_accounts();
	if (argc > 3 && str_same(str_c(argv[3]), STR("maintain"))) {
		maintain(frame_len);
	} else if (argc > 3 && str_same(str_c(argv[3]), STR("flags"))) {
		flags(frame_len);
	} else {
		measure(1, frame_len);
		measure(20, frame_len);
		measure(50, frame_len);
		measure(GROUP_MAX, frame_len);
		give_back(frame_len);
	}
	slots_fini(&slots);
	storage_close(&storage);
	arena_fini(&arena);
	return 0;
}
