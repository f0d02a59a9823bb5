/* What a group of appends costs, and where the time goes: storagebench [FOLDER [SIZE]].
 * The folder is made and left behind. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "rt/clock.h"
#include "storage/embedded.h"

enum { GROUP_MAX = 100, ACCOUNTS = 500, FRAME_MAX = 1 << 20, MAILS = 20000 };

static struct storage *storage;
static struct arena arena;
static char frame[FRAME_MAX], digest[1200], trace[700];

static struct storage_commit group[GROUP_MAX];
static struct store_commit commits[GROUP_MAX];
static struct store_op ops[GROUP_MAX];
static char keys[GROUP_MAX][24];

static void commit(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		commits[i].ops = &ops[i];
		commits[i].count = 1;
		group[i] =
			(struct storage_commit){.commit = &commits[i], .arena = &arena};
	}
	storage_commit_group(storage, group, count);
	for (size_t i = 0; i < count; i++)
		ASSERT(group[i].outcome == STORE_OK);
	arena_reset(&arena);
}

static void make_accounts(void)
{
	for (account_t account = 1; account <= ACCOUNTS; account++) {
		ops[0] = (struct store_op){.kind = OP_ACCOUNT_CREATE};
		commits[0] = (struct store_commit){.account = account};
		commit(1);
	}
}

static void make_group(size_t count, size_t frame_len, uint64_t *number)
{
	for (size_t i = 0; i < count; i++) {
		int len = snprintf(keys[i], sizeof keys[i], "%016llx",
				   (unsigned long long)++*number);

		commits[i] = (struct store_commit){
			.account = 1 + (account_t)rand_below(ACCOUNTS),
			.key = {keys[i], (size_t)len},
			.key_minute = 1 + (uint32_t)(*number / 100000)};
		ops[i] =
			(struct store_op){.kind = OP_APPEND,
					  .append = {.mailbox = MAILBOX_INBOX,
						     .body = {.frame = {frame, frame_len},
							      .raw_size = frame_len * 2},
						     .trace = {trace, sizeof trace},
						     .digest = {digest, sizeof digest},
						     .received_at = 1700000000}};
	}
}

static void measure(size_t count, size_t frame_len)
{
	static uint64_t number;
	struct group_times before = storage->times;
	uint64_t groups = MAILS / count / (count == 1 ? 10 : 1);
	uint64_t began_us = clock_monotonic_us();

	for (uint64_t i = 0; i < groups; i++) {
		make_group(count, frame_len, &number);
		commit(count);
	}
	uint64_t took_us = clock_monotonic_us() - began_us;
	struct group_times *times = &storage->times;
	double a_group = (double)groups * 1000;

	printf("%4zu x %zu octets: %8.0f mails/s; a group %.3f ms: plan and puts %.3f, "
	       "pack write %.3f, flush %.3f, index commit %.3f; %.1f us a mail\n",
	       count, frame_len, (double)(groups * count) * 1e6 / (double)took_us,
	       (double)took_us / a_group, (double)(times->plan - before.plan) / a_group,
	       (double)(times->write - before.write) / a_group,
	       (double)(times->flush - before.flush) / a_group,
	       (double)(times->index - before.index) / a_group,
	       (double)took_us / (double)(groups * count));
}

int main(int argc, char **argv)
{
	struct storage_options options = {.folder = argc > 1 ? argv[1]
							     : "storagebench.data"};
	uint64_t frame_len = 4096;
	struct str why;

	if (argc > 2 && !num_parse(str_c(argv[2]), FRAME_MAX, &frame_len))
		return 2;
	(void)mkdir(options.folder, 0700);
	arena_init(&arena, 64 << 20);
	rand_bytes(frame, sizeof frame);
	memset(trace, 't', sizeof trace);
	memset(digest, 'd', sizeof digest);
	if (storage_open(&options, &arena, &storage, &why) != OK) {
		printf("%.*s\n", STR_FMT(why));
		return 1;
	}
	make_accounts();
	measure(1, frame_len);
	measure(20, frame_len);
	measure(50, frame_len);
	measure(GROUP_MAX, frame_len);
	storage_close(&storage);
	arena_fini(&arena);
	return 0;
}
