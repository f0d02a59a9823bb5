/* The log form: groups that are under way together, an index that follows, and what is
 * left of them when the power goes or a flush fails. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "db/packset.h"
#include "rt/fault.h"
#include "storage/embedded.h"
#include "storage/fixture.h"
#include "storage/slots.h"

enum { SLOTS = 4, GROUP = 3, MAILS_MAX = 4000, SECTOR = 512 };

static struct slots slots;
/* By number of the mail: what became of it.  UIDs are given in the order of numbers. */
static enum store_outcome fates[MAILS_MAX];
static uint32_t uids[MAILS_MAX];
/* Under the mutex of the slots. */
static void note(struct slot *slot)
{
	for (size_t i = 0; i < slot->group.count; i++) {
		fates[slot->number + i] = slot->commits[i].outcome;
		if (slot->commits[i].outcome == STORE_OK)
			uids[slot->number + i] = slot->commits[i].result.ops[0].uid;
	}
}

/* One group of mails first to first + count - 1, each under a key of its own, which is
 * its body, too. */
static void submit(struct fixture *f, unsigned first, unsigned count)
{
	struct slot *slot = slot_take(&slots, SLOTS);

	ASSERT(count <= GROUP && first + count <= MAILS_MAX);
	slot->number = first;
	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(slot->keys[i], sizeof slot->keys[i], "mail %u", first + i);
		slot->ops[i][0] = op_append_of(MAILBOX_INBOX, slot->keys[i]);
		slot->given[i] =
			(struct store_commit){.account = 1, .key = str_c(slot->keys[i])};
	}
	slot_submit(slot, f->storage, count);
}

static void faults(const char *spec)
{
	fault_disarm();
	if (spec)
		CHECK(fault_arm(str_c(spec)));
}

/* ---- power cuts -------------------------------------------------------------------- */

/* What the disk may hold of a file if the power goes now: all that is durable, and of
 * each sector behind it either what was written or nothing. */
static void copy_cut(const char *from, const char *to, uint64_t durable)
{
	static char block[1 << 20];
	static const char zeros[sizeof block];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint64_t at = 0;
	ssize_t n;

	ASSERT(in >= 0 && out >= 0);
	for (; (n = read(in, block, sizeof block)) > 0; at += (uint64_t)n) {
		size_t size = (size_t)n;
		size_t cut = durable > at ? (size_t)num_min(durable - at, size) : 0;

		if (memcmp(block, zeros, size) == 0)
			continue;
		while (cut < size) {
			size_t end = num_min((cut / SECTOR + 1) * SECTOR, size);

			if (rand_below(3) == 0)
				memset(block + cut, 0, end - cut);
			cut = end;
		}
		ASSERT(pwrite(out, block, size, (off_t)at) == n);
	}
	ASSERT(ftruncate(out, (off_t)at) == 0);
	(void)close(in);
	(void)close(out);
}

/* The folder as a power cut now would leave it. */
static void cut_power(struct fixture *f, struct fixture *after,
		      const struct pack_place *ends)
{
	char folder[] = "/tmp/storage-cut.XXXXXX", from[300], to[300];
	struct pack_place durable = ends[flusher_durable(&f->storage->flusher)];

	ASSERT(mkdtemp(folder));
	fixture_in(after, folder, f->options);
	(void)snprintf(to, sizeof to, "%s/packs", after->folder);
	ASSERT(mkdir(to, 0700) == 0);
	(void)snprintf(from, sizeof from, "%s/index.lmdb", f->folder);
	(void)snprintf(to, sizeof to, "%s/index.lmdb", after->folder);
	copy_cut(from, to, UINT64_MAX);
	for (uint32_t i = 1; i <= packs_newest(f->storage->packs); i++) {
		(void)snprintf(from, sizeof from, "%s/packs/%08u.pack", f->folder, i);
		(void)snprintf(to, sizeof to, "%s/packs/%08u.pack", after->folder, i);
		copy_cut(from, to,
			 i < durable.pack    ? UINT64_MAX
			 : i == durable.pack ? durable.offset
					     : PACK_HEADER_BYTES);
	}
}

static void check_cut(struct fixture *f, struct fixture *after, unsigned acknowledged,
		      unsigned submitted)
{
	struct message_row *rows;
	struct account_summary summary;

	CHECK(fixture_open_again(after) == OK);
	CHECK(storage_summary(after->storage, 1, &summary) == STORE_OK);
	CHECK(summary.epoch == 1); /* a torn tail is no damage */
	size_t count = fixture_rows(after, 1, MAILBOX_INBOX, &rows);

	CHECK(count >= acknowledged && count <= submitted);
	for (size_t i = 0; i < count; i++) {
		char text[32];

		(void)snprintf(text, sizeof text, "mail %zu", i);
		CHECK(rows[i].uid == i + 1);
		CHECK_STR(fixture_body(after, 1, rows[i].message), str_c(text));
	}
	CHECK(fixture_do(after, 1, op_append_of(MAILBOX_INBOX, "more")) == STORE_OK);
	CHECK(fixture_first(after)->uid == count + 1);
	fixture_close(after);
	(void)f;
}

/* How many were acknowledged; all of them come first. */
static unsigned acknowledged_of(unsigned submitted)
{
	unsigned count = 0;

	(void)pthread_mutex_lock(&slots.mutex);
	while (count < submitted && fates[count] == STORE_OK)
		count++;
	for (unsigned i = count; i < submitted; i++)
		CHECK(fates[i] == STORE_UNKNOWN);
	(void)pthread_mutex_unlock(&slots.mutex);
	return count;
}

TEST(what_was_acknowledged_outlives_a_power_cut)
{
	struct fixture f, after;
	static struct pack_place ends[MAILS_MAX];
	unsigned submitted = 0, torn = 0;

	fixture_open(&f, (struct fixture_options){.pack_bytes_max = 12000});
	slots_init(&slots, SLOTS, note);
	for (size_t i = 0; i < MAILS_MAX; i++)
		fates[i] = STORE_UNKNOWN;
	ends[f.storage->work.state.sequence] = f.storage->work.state.end;
	faults("pack.flush:1+:delay=2");
	for (unsigned round = 0; round < 40; round++) {
		for (unsigned i = 0; i <= rand_below(5); i++) {
			unsigned count = 1 + (unsigned)rand_below(GROUP);

			submit(&f, submitted, count);
			submitted += count;
			ends[f.storage->work.state.sequence] = f.storage->work.state.end;
			if (rand_below(4) == 0)
				(void)storage_tend(f.storage);
		}
		unsigned acknowledged = acknowledged_of(submitted);

		cut_power(&f, &after, ends);
		torn += acknowledged < submitted;
		check_cut(&f, &after, acknowledged, submitted);
	}
	CHECK(torn > 10 && packs_newest(f.storage->packs) > 1);
	slots_fini(&slots);
	faults(NULL);
	fixture_close(&f);
}

/* ---- failed flushes ---------------------------------------------------------------- */

TEST(a_failed_flush_makes_all_under_way_unknown_and_nothing_else)
{
	struct fixture f;
	struct message_row *rows;
	unsigned unknown = 0;

	fixture_open(&f, FIXTURE_USUAL);
	slots_init(&slots, SLOTS, note);
	faults("pack.flush:1+:delay=3,pack.flush:4:EIO");
	for (unsigned i = 0; i < 20; i++)
		submit(&f, i * GROUP, GROUP);
	slots_wait(&slots);
	faults(NULL);
	for (unsigned i = 0; i < 20 * GROUP; i++) {
		CHECK(fates[i] == STORE_OK || fates[i] == STORE_UNKNOWN);
		unknown += fates[i] == STORE_UNKNOWN;
	}
	CHECK(unknown >= GROUP && unknown < 20 * GROUP);
	/* Asked again, each has happened once, where it was. */
	for (unsigned i = 0; i < 20; i++) {
		uint32_t before[GROUP];

		memcpy(before, uids + i * GROUP, sizeof before);
		bool was_known = fates[i * GROUP] == STORE_OK;

		submit(&f, i * GROUP, GROUP);
		slots_wait(&slots);
		for (unsigned j = 0; j < GROUP; j++) {
			CHECK(fates[i * GROUP + j] == STORE_OK);
			CHECK(!was_known || uids[i * GROUP + j] == before[j]);
		}
	}
	storage_index_commit(f.storage);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) == 20 * GROUP);
	slots_fini(&slots);
	fixture_close(&f);
}

/* ---- soft groups ------------------------------------------------------------------- */

static void soft_done(struct storage_group *group)
{
	CHECK(group->commits[0].outcome == STORE_OK);
	group->count = 0;
}

/* Takes what is recent in INBOX, of which nothing is promised. */
static uint64_t submit_soft(struct fixture *f)
{
	struct store_op op = {.kind = OP_RECENT, .recent = {MAILBOX_INBOX, UINT32_MAX}};
	struct store_commit asked = {.account = 1, .ops = &op, .count = 1};
	struct storage_commit commit = {.commit = &asked, .arena = &f->arena};
	struct storage_group group = {
		.commits = &commit, .count = 1, .is_soft = true, .done = soft_done};

	storage_submit(f->storage, &group);
	CHECK(group.count == 0); /* it is done */
	return group.sequence;
}

TEST(a_soft_group_begins_no_flush_and_goes_with_the_next)
{
	struct fixture f;
	struct flusher *flusher;
	uint64_t before, after, flush_us, soft;

	fixture_open(&f, FIXTURE_USUAL);
	flusher = &f.storage->flusher;
	slots_init(&slots, SLOTS, note);
	for (unsigned i = 0; i < 2; i++) {
		submit(&f, i, 1);
		slots_wait(&slots);
		CHECK(flusher_drain(flusher));
		flusher_count(flusher, &before, &flush_us);
		soft = submit_soft(&f);
		usleep(2000);
		flusher_count(flusher, &after, &flush_us);
		CHECK(after == before);
		CHECK(flusher_durable(flusher) < soft);
		if (i == 0) {
			submit(&f, 10, 1);
			slots_wait(&slots);
		} else {
			storage_index_commit(f.storage);
		}
		CHECK(flusher_durable(flusher) >= soft);
		flusher_count(flusher, &after, &flush_us);
		CHECK(after == before + 1);
	}
	slots_fini(&slots);
	fixture_close(&f);
}

/* ---- the index --------------------------------------------------------------------- */

static void dump_of(struct fixture *f, struct buf *dump)
{
	*dump = BUF(64 << 20);
	fixture_dump(f, dump);
}

TEST(lost_index_transactions_are_done_again_from_the_log)
{
	struct fixture f, after;
	static struct pack_place ends[MAILS_MAX];
	struct buf before, again;

	fixture_open(&f, FIXTURE_USUAL);
	slots_init(&slots, SLOTS, note);
	for (unsigned i = 0; i < 30; i++) {
		submit(&f, i * GROUP, GROUP);
		if (i == 10)
			storage_index_commit(f.storage);
	}
	CHECK(flusher_drain(&f.storage->flusher));
	CHECK(storage_is_behind(f.storage, 1, STORAGE_MAIL));
	ends[f.storage->work.state.sequence] = f.storage->work.state.end;
	cut_power(&f, &after, ends);
	storage_index_commit(f.storage);
	dump_of(&f, &before);
	CHECK(fixture_open_again(&after) == OK);
	dump_of(&after, &again);
	CHECK(str_same(buf_str(&before), buf_str(&again)));
	buf_fini(&before);
	buf_fini(&again);
	fixture_close(&after);
	slots_fini(&slots);
	fixture_close(&f);
}

TEST(a_full_disk_takes_back_its_own_group_and_none_before)
{
	struct fixture f;
	struct message_row *rows;

	fixture_open(&f, FIXTURE_USUAL);
	slots_init(&slots, SLOTS, note);
	for (unsigned i = 0; i < 5; i++)
		submit(&f, i * GROUP, GROUP);
	slots_wait(&slots);
	faults("pack.write:1:ENOSPC");
	submit(&f, 100, GROUP);
	slots_wait(&slots);
	faults(NULL);
	CHECK(fates[0] == STORE_OK && fates[100] == STORE_FULL);
	submit(&f, 200, 1);
	slots_wait(&slots);
	CHECK(fates[200] == STORE_OK && uids[200] == 5 * GROUP + 1);
	storage_index_commit(f.storage);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) == 5 * GROUP + 1);
	slots_fini(&slots);
	fixture_close(&f);
}

TEST(an_index_that_cannot_be_committed_is_brought_up_from_the_log)
{
	struct fixture f;
	struct message_row *rows;

	fixture_open(&f, FIXTURE_USUAL);
	slots_init(&slots, SLOTS, note);
	submit(&f, 0, GROUP);
	slots_wait(&slots);
	faults("index.commit:1:EIO");
	storage_index_commit(f.storage);
	faults(NULL);
	CHECK(fates[0] == STORE_OK);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) == GROUP);
	submit(&f, GROUP, GROUP);
	slots_wait(&slots);
	CHECK(fates[GROUP] == STORE_OK && uids[GROUP] == GROUP + 1);
	slots_fini(&slots);
	fixture_close(&f);
}

TEST(readers_know_what_the_index_does_not_show_yet)
{
	struct fixture f;
	struct store_op op = {.kind = OP_KV_PUT, .kv = {STR("name"), STR("value")}};
	struct store_commit commit = {.account = 1, .ops = &op, .count = 1};
	struct storage_commit one = {.commit = &commit, .arena = &f.arena};

	fixture_open(&f, FIXTURE_USUAL);
	slots_init(&slots, SLOTS, note);
	CHECK(!storage_is_behind(f.storage, 1, STORAGE_ALL));
	submit(&f, 0, 1);
	slots_wait(&slots);
	CHECK(storage_is_behind(f.storage, 1, STORAGE_MAIL));
	CHECK(storage_is_behind(f.storage, 0, STORAGE_ALL));
	CHECK(!storage_is_behind(f.storage, 1, STORAGE_PAIRS));
	CHECK(!storage_is_behind(f.storage, 2, STORAGE_MAIL));
	CHECK(!storage_is_behind(f.storage, 1, STORAGE_QUEUE));
	storage_commit_group(f.storage, &one, 1);
	CHECK(storage_is_behind(f.storage, 1, STORAGE_PAIRS));
	CHECK(!storage_is_behind(f.storage, 1, STORAGE_RECENT));
	op = (struct store_op){.kind = OP_RECENT, .recent = {MAILBOX_INBOX, 2}};
	storage_commit_group(f.storage, &one, 1);
	CHECK(storage_is_behind(f.storage, 1, STORAGE_RECENT));
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == 0);
	storage_index_commit(f.storage);
	CHECK(!storage_is_behind(f.storage, 1, STORAGE_MAIL));
	CHECK(!storage_is_behind(f.storage, 1, STORAGE_PAIRS));
	CHECK(!storage_is_behind(f.storage, 1, STORAGE_ALL));
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == 1);
	slots_fini(&slots);
	fixture_close(&f);
}

/* ---- what is left behind ----------------------------------------------------------- */

TEST(leases_of_a_process_that_is_gone_end_at_once)
{
	static const struct queue_recipient two[] = {
		{.kind = QUEUE_REMOTE, .address = STR("b@example.net")},
		{.kind = QUEUE_LOCAL, .address = STR("c@example.org"), .account = 1},
	};
	struct fixture f;
	struct queue_row *rows;
	int64_t next_due, late = 4000000000;

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, op_queue_of(two, 2, "queued")) == STORE_OK);
	CHECK(fixture_lease(&f, QUEUE_LOCAL, 2000, late, 9, &rows, &next_due) == 1);
	uint64_t stale = rows[0].lease, row = rows[0].row;

	CHECK(fixture_lease(&f, QUEUE_LOCAL, late - 1, late, 9, &rows, &next_due) == 0);
	fixture_shut(&f);
	CHECK(fixture_open_again(&f) == OK);
	struct store_op settle = {.kind = OP_QUEUE_SETTLE,
				  .settle = {.row = row, .lease = stale}};

	CHECK(fixture_do(&f, 1, settle) == STORE_CONFLICT);
	CHECK(fixture_lease(&f, QUEUE_LOCAL, late - 1, late, 9, &rows, &next_due) == 1);
	CHECK(rows[0].row == row && rows[0].lease != stale && rows[0].tries == 0);
	CHECK(fixture_lease(&f, QUEUE_REMOTE, 2000, late, 9, &rows, &next_due) == 1);
	fixture_close(&f);
}

TEST(kept_keys_are_forgotten_when_asked_or_after_a_week)
{
	struct fixture f;
	struct store_op op = op_append_of(MAILBOX_INBOX, "one");
	struct store_op forget = {.kind = OP_KEY_FORGET, .key_forget = STR("b")};
	struct buf before, after;
	int64_t week = 7 * 24 * 3600;

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_commit(&f, 1, "a", &op, 1) == STORE_OK);
	CHECK(fixture_commit(&f, 1, "a", &op, 1) == STORE_OK && f.result.is_repeat);
	int64_t now = f.storage->work.now;

	dump_of(&f, &before);
	CHECK(fixture_commit(&f, 1, "b", &op, 1) == STORE_OK && !f.result.is_repeat);
	CHECK(fixture_do(&f, 1, forget) == STORE_OK);
	CHECK(fixture_commit(&f, 1, "b", &op, 1) == STORE_OK && !f.result.is_repeat);
	fixture_maintain(&f, now + week - 120);
	CHECK(fixture_commit(&f, 1, "a", &op, 1) == STORE_OK && f.result.is_repeat);
	fixture_maintain(&f, now + week + 240);
	CHECK(fixture_commit(&f, 1, "a", &op, 1) == STORE_OK && !f.result.is_repeat);
	CHECK(fixture_commit(&f, 1, "b", &op, 1) == STORE_OK && !f.result.is_repeat);
	fixture_maintain(&f, now + 2 * week);
	dump_of(&f, &after);
	CHECK(str_find(buf_str(&before), STR("\n0 O ")) < before.len);
	CHECK(str_find(buf_str(&before), STR("\n1 I ")) < before.len);
	CHECK(str_find(buf_str(&after), STR("\n0 O ")) >= after.len);
	CHECK(str_find(buf_str(&after), STR("\n1 I ")) >= after.len);
	buf_fini(&before);
	buf_fini(&after);
	fixture_close(&f);
}
