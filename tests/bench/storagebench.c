/* What a group of appends costs, and where the time goes: storagebench [FOLDER [SIZE]].
 * The folder is made and left behind.  POSTRIDER_FAULT="pack.flush:1+:delay=2" makes each
 * flush 2 ms slower.  One client's groups come one after the other; where there are more,
 * the next ones are prepared while some are flushed. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "rt/clock.h"
#include "rt/fault.h"
#include "storage/embedded.h"
#include "store/digest.h"

enum {
	GROUP_MAX = 100,
	ACCOUNTS = 500,
	FRAME_MAX = 1 << 20,
	MAILS = 20000,
	SLOTS = PACK_LANES + 1,
};

static struct storage *storage;
static char frame[FRAME_MAX], trace[700];
static struct buf digest = BUF(2 * DIGEST_BYTES_MAX);
static size_t id_at; /* where the digest has the hash of its Message-ID */

/* A group under way. */
struct slot {
	struct storage_group group;
	bool is_busy;
	struct arena arena;
	struct storage_commit commits[GROUP_MAX];
	struct store_commit given[GROUP_MAX];
	struct store_op ops[GROUP_MAX];
	char keys[GROUP_MAX][24];
	char digests[GROUP_MAX][1200];
};
static struct slot slots[SLOTS];
static size_t busy;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;

static void done(struct storage_group *group)
{
	struct slot *slot = (struct slot *)group;

	for (size_t i = 0; i < group->count; i++)
		ASSERT(group->commits[i].outcome == STORE_OK);
	(void)pthread_mutex_lock(&mutex);
	slot->is_busy = false;
	busy--;
	(void)pthread_cond_signal(&freed);
	(void)pthread_mutex_unlock(&mutex);
}

/* Waits until fewer than that many are under way. */
static struct slot *slot_take(size_t limit)
{
	struct slot *slot = slots;

	(void)pthread_mutex_lock(&mutex);
	while (busy >= limit)
		(void)pthread_cond_wait(&freed, &mutex);
	while (slot->is_busy)
		slot++;
	(void)pthread_mutex_unlock(&mutex);
	arena_reset(&slot->arena);
	return slot;
}

static void slot_submit(struct slot *slot, size_t count)
{
	slot->group.commits = slot->commits;
	slot->group.count = count;
	slot->group.done = done;
	for (size_t i = 0; i < count; i++) {
		slot->given[i].ops = &slot->ops[i];
		slot->given[i].count = 1;
		slot->commits[i] = (struct storage_commit){.commit = &slot->given[i],
							   .arena = &slot->arena};
	}
	(void)pthread_mutex_lock(&mutex);
	slot->is_busy = true;
	busy++;
	(void)pthread_mutex_unlock(&mutex);
	storage_submit(storage, &slot->group);
	(void)storage_tend(storage);
}

static void make_accounts(void)
{
	for (account_t account = 1; account <= ACCOUNTS; account++) {
		struct slot *slot = slot_take(SLOTS);

		slot->ops[0] = (struct store_op){.kind = OP_ACCOUNT_CREATE};
		slot->given[0] = (struct store_commit){.account = account};
		slot_submit(slot, 1);
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
	ASSERT(id_at < digest.len && digest.len <= sizeof slots[0].digests[0]);
}

static void fill(struct slot *slot, size_t count, size_t frame_len, uint64_t *number)
{
	for (size_t i = 0; i < count; i++) {
		int len = snprintf(slot->keys[i], sizeof slot->keys[i], "%016llx",
				   (unsigned long long)++*number);

		slot->given[i] = (struct store_commit){
			.account = 1 + (account_t)rand_below(ACCOUNTS),
			.key = {slot->keys[i], (size_t)len},
			.key_minute = 1 + (uint32_t)(*number / 100000)};
		/* No two are equal. */
		size_t at = (size_t)(*number % (FRAME_MAX - frame_len));

		memcpy(slot->digests[i], digest.ptr, digest.len);
		memcpy(slot->digests[i] + id_at, number, sizeof *number);
		slot->ops[i] = (struct store_op){
			.kind = OP_APPEND,
			.append = {.mailbox = MAILBOX_INBOX,
				   .body = {.frame = {frame + at, frame_len},
					    .raw_size = frame_len * 2},
				   .trace = {trace, sizeof trace},
				   .digest = {slot->digests[i], digest.len},
				   .received_at = 1700000000}};
	}
}

static void measure(size_t count, size_t frame_len)
{
	static uint64_t number;
	struct group_times before = storage->times, *times = &storage->times;
	uint64_t groups = MAILS / count / (count == 1 ? 10 : 1);
	uint64_t flushes_before, flush_us_before, flushes, flush_us;

	(void)slot_take(1);
	flusher_count(&storage->flusher, &flushes_before, &flush_us_before);
	uint64_t began_us = clock_monotonic_us();

	for (uint64_t i = 0; i < groups; i++) {
		struct slot *slot = slot_take(count == 1 ? 1 : SLOTS);

		fill(slot, count, frame_len, &number);
		slot_submit(slot, count);
	}
	(void)slot_take(1);
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
		struct slot *slot = slot_take(SLOTS);

		slot->ops[0] = (struct store_op){
			.kind = OP_KV_PUT, .kv = {STR(STORE_KV_UNDELETE), STR("0")}};
		slot->ops[1] = (struct store_op){
			.kind = OP_EXPUNGE,
			.expunge = {.mailbox = MAILBOX_INBOX, .uids = {&most, 1}}};
		slot->given[0] = (struct store_commit){.account = account};
		slot->given[1] = slot->given[0];
		slot_submit(slot, 2);
	}
	int64_t now = clock_s();
	uint64_t began_us = clock_monotonic_us();
	bool more = true;

	storage->times.slice_max = 0;
	for (; more && slices < 20000; slices++) {
		more = storage_maintain(storage, now);
		struct slot *slot = slot_take(SLOTS);

		fill(slot, 2, frame_len, &number);
		for (size_t i = 0; i < 2; i++) /* the keys are not old yet */
			slot->given[i].key_minute = (uint32_t)(now / 60);
		slot_submit(slot, 2);
	}
	uint64_t took_us = clock_monotonic_us() - began_us;

	(void)slot_take(1);
	storage_index_commit(storage);
	ASSERT(storage_stats(storage, &stats) == STORE_OK);
	printf("given back: %llu MB punched, %llu MB copied in %.1f s, %llu slices, the "
	       "longest %.2f ms\n",
	       (unsigned long long)(stats.punched_bytes >> 20),
	       (unsigned long long)(storage->space.copied >> 20), (double)took_us / 1e6,
	       (unsigned long long)slices, (double)storage->times.slice_max / 1e3);
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
	for (size_t i = 0; i < SLOTS; i++)
		arena_init(&slots[i].arena, 64 << 20);
	rand_bytes(frame, sizeof frame);
	memset(trace, 't', sizeof trace);
	make_digest();
	if (storage_open(&options, &arena, &storage, &why) != OK) {
		printf("%.*s\n", STR_FMT(why));
		return 1;
	}
	make_accounts();
	measure(1, frame_len);
	measure(20, frame_len);
	measure(50, frame_len);
	measure(GROUP_MAX, frame_len);
	give_back(frame_len);
	storage_close(&storage);
	for (size_t i = 0; i < SLOTS; i++)
		arena_fini(&slots[i].arena);
	arena_fini(&arena);
	return 0;
}
