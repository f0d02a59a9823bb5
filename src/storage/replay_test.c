/* The index and the packs after what can befall them: the same operations must lead to
 * the same index, whatever part of it was lost. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "db/packset.h"
#include "rt/fault.h"
#include "storage/embedded.h"
#include "storage/fixture.h"

enum { DUMP_MAX = 64 << 20 };

static void copy_file(const char *from, const char *to)
{
	char block[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n;

	ASSERT(in >= 0 && out >= 0);
	while ((n = read(in, block, sizeof block)) > 0)
		ASSERT(write(out, block, (size_t)n) == n);
	(void)close(in);
	(void)close(out);
}

static void path_pair(const struct fixture *f, const char *name, const char *other,
		      char from[200], char to[200])
{
	(void)snprintf(from, 200, "%s/%s", f->folder, name);
	(void)snprintf(to, 200, "%s/%s", f->folder, other);
}

static void save(struct fixture *f, const char *name, const char *saved)
{
	char from[200], to[200];

	path_pair(f, name, saved, from, to);
	copy_file(from, to);
}

static void dump_of(struct fixture *f, struct buf *dump)
{
	*dump = BUF(DUMP_MAX);
	fixture_dump(f, dump);
}

TEST(an_index_that_fell_behind_catches_up)
{
	struct fixture f;
	struct buf before, after;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_much(&f, 1);
	fixture_shut(&f);
	save(&f, "index.lmdb", "index.old");
	CHECK(fixture_open_again(&f) == OK);
	fixture_much(&f, 2);
	dump_of(&f, &before);
	fixture_shut(&f);
	save(&f, "index.old", "index.lmdb");
	CHECK(fixture_open_again(&f) == OK);
	dump_of(&f, &after);
	CHECK(str_same(buf_str(&before), buf_str(&after)));
	buf_fini(&before);
	buf_fini(&after);
	fixture_much(&f, 3);
	fixture_close(&f);
}

TEST(a_lost_index_is_rebuilt_over_many_packs)
{
	struct fixture f;
	struct buf before, after;
	struct stat third;

	fixture_open(&f, (struct fixture_options){.pack_bytes_max = 3000});
	for (unsigned i = 1; i <= 4; i++)
		fixture_much(&f, i);
	dump_of(&f, &before);
	fixture_shut(&f);
	CHECK(stat(fixture_path(&f, "packs/00000003.pack"), &third) == 0);
	CHECK(unlink(fixture_path(&f, "index.lmdb")) == 0);
	CHECK(fixture_open_again(&f) == OK);
	dump_of(&f, &after);
	CHECK(before.len > 1000 && str_same(buf_str(&before), buf_str(&after)));
	buf_fini(&before);
	buf_fini(&after);
	fixture_much(&f, 5);
	fixture_close(&f);
}

/* ---- torn tails and damage --------------------------------------------------------- */

/* Groups of one append each; ends[i] is where the group of UID i + 1 ends. */
static void fill_with_ends(struct fixture *f, uint64_t *ends, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		static char text[3000];

		memset(text, 'a' + (int)i, sizeof text - 1);
		CHECK(fixture_do(f, 1, op_append_of(MAILBOX_INBOX, text)) == STORE_OK);
		ends[i] = f->storage->work.state.end.offset;
	}
}

static uint32_t inbox_exists(struct fixture *f)
{
	return fixture_mailbox(f, 1, MAILBOX_INBOX).exists;
}

enum { TORN_MESSAGES = 4 };

static void check_cut(struct fixture *f, uint64_t size, uint32_t want, bool with_zeros)
{
	save(f, "pack.whole", "packs/00000001.pack");
	save(f, "index.old", "index.lmdb");
	const char *pack = fixture_path(f, "packs/00000001.pack");

	CHECK(truncate(pack, (off_t)size) == 0);
	if (with_zeros)
		CHECK(truncate(pack, 1 << 20) == 0);
	CHECK(fixture_open_again(f) == OK);
	struct mailbox_row inbox = fixture_mailbox(f, 1, MAILBOX_INBOX);

	CHECK(inbox.exists == want && inbox.uid_next == want + 1);
	CHECK(fixture_do(f, 1, op_append_of(MAILBOX_INBOX, "after")) == STORE_OK);
	CHECK(fixture_first(f)->uid == want + 1);
	fixture_shut(f);
	CHECK(fixture_open_again(f) == OK);
	CHECK(inbox_exists(f) == want + 1);
	fixture_shut(f);
	arena_reset(&f->arena);
}

TEST(a_torn_tail_is_cut_and_everything_before_it_kept)
{
	struct fixture f;
	uint64_t ends[TORN_MESSAGES];

	fixture_open(&f, FIXTURE_USUAL);
	uint64_t from = f.storage->work.state.end.offset;

	fixture_shut(&f);
	save(&f, "index.lmdb", "index.old");
	CHECK(fixture_open_again(&f) == OK);
	fill_with_ends(&f, ends, TORN_MESSAGES);
	fixture_shut(&f);
	save(&f, "packs/00000001.pack", "pack.whole");
	for (uint64_t size = from; size <= ends[TORN_MESSAGES - 1] + 100; size += 512) {
		uint32_t want = 0;

		while (want < TORN_MESSAGES && ends[want] <= size)
			want++;
		check_cut(&f, size, want, size % 1024 < 512);
	}
	fixture_close(&f);
}

static void damage_at(struct fixture *f, uint64_t offset, size_t len)
{
	static const char junk[64] = "damage";
	int fd = open(fixture_path(f, "packs/00000001.pack"), O_WRONLY | O_CLOEXEC);

	CHECK(len <= sizeof junk && pwrite(fd, junk, len, (off_t)offset) == (ssize_t)len);
	(void)close(fd);
}

TEST(damage_in_the_log_costs_only_its_own_mail)
{
	struct fixture f;
	uint64_t ends[4];
	struct account_summary before, after;
	struct message_row *rows;

	fixture_open(&f, FIXTURE_USUAL);
	fill_with_ends(&f, ends, 4);
	struct mailbox_row inbox = fixture_mailbox(&f, 1, MAILBOX_INBOX);

	CHECK(storage_summary(f.storage, 1, &before) == STORE_OK);
	fixture_shut(&f);
	damage_at(&f, ends[0] + 8, 20);  /* the header of the second's group */
	damage_at(&f, ends[1] + 500, 6); /* inside the third's body */
	CHECK(unlink(fixture_path(&f, "index.lmdb")) == 0);
	CHECK(fixture_open_again(&f) == OK);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) == 3);
	CHECK(rows[0].uid == 1 && rows[1].uid == 3 && rows[2].uid == 4);
	CHECK(fixture_body(&f, 1, rows[1].message).len == 0);
	CHECK(fixture_body(&f, 1, rows[2].message).len == 2999);
	/* Nobody can trust the numbers given out in between. */
	CHECK(storage_summary(f.storage, 1, &after) == STORE_OK);
	CHECK(after.epoch == before.epoch + 1 && after.change > before.change + 1000);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).uid_validity > inbox.uid_validity);
	struct buf first, second;

	dump_of(&f, &first);
	fixture_shut(&f);
	CHECK(fixture_open_again(&f) == OK);
	dump_of(&f, &second);
	CHECK(str_same(buf_str(&first), buf_str(&second)));
	buf_fini(&first);
	buf_fini(&second);
	fixture_close(&f);
}

TEST(a_damaged_body_costs_only_that_body)
{
	struct fixture f;
	uint64_t ends[2], frame_size, raw_size;
	struct message_row *rows;
	struct buf frame = BUF(1 << 20);

	fixture_open(&f, FIXTURE_USUAL);
	fill_with_ends(&f, ends, 2);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) == 2);
	damage_at(&f, ends[0] + 900, 6);
	CHECK(storage_frame(f.storage, 1, rows[0].message, 0, 1 << 20, &frame,
			    &frame_size, &raw_size) == STORE_OK);
	buf_reset(&frame);
	CHECK(storage_frame(f.storage, 1, rows[1].message, 0, 1 << 20, &frame,
			    &frame_size, &raw_size) == STORE_DAMAGED);
	CHECK(fixture_do(&f, 1, op_append_of(MAILBOX_INBOX, "more")) == STORE_OK);
	buf_fini(&frame);
	fixture_close(&f);
}

TEST(a_row_that_was_given_back_counts_as_untried_in_the_log_too)
{
	struct fixture f;
	struct queue_recipient to = {.kind = QUEUE_REMOTE,
				     .address = STR("b@example.org")};
	struct queue_row *rows;
	int64_t next_due;
	size_t count;

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, op_queue_of(&to, 1, "queued")) == STORE_OK);
	CHECK(fixture_lease(&f, QUEUE_REMOTE, 2000, 3000, 1, &rows, &next_due) == 1);
	struct store_op op = {.kind = OP_QUEUE_SETTLE,
			      .settle = {.row = rows[0].row,
					 .lease = rows[0].lease,
					 .outcome = QUEUE_RELEASE,
					 .due_at = 1500}};

	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	fixture_shut(&f);
	CHECK(unlink(fixture_path(&f, "index.lmdb")) == 0);
	CHECK(fixture_open_again(&f) == OK);
	CHECK(storage_queue_list(f.storage, &(struct queue_select){0},
				 &(struct queue_place){0}, 9, &f.arena, &rows,
				 &count) == STORE_OK);
	CHECK(count == 1 && rows[0].tries == 0 && rows[0].due_at == 1500);
	fixture_close(&f);
}

TEST(an_index_ahead_of_its_packs_is_refused)
{
	struct fixture f;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_shut(&f);
	save(&f, "packs/00000001.pack", "pack.old");
	CHECK(fixture_open_again(&f) == OK);
	fixture_fill(&f, 3);
	fixture_shut(&f);
	save(&f, "pack.old", "packs/00000001.pack");
	CHECK(fixture_open_again(&f) == ERR_SYNTAX);
	CHECK(str_find(f.why, STR("ahead of the packs")) < f.why.len);
	CHECK(unlink(fixture_path(&f, "packs/00000001.pack")) == 0);
	CHECK(fixture_open_again(&f) == ERR_SYNTAX);
	fixture_close(&f);
}

TEST(two_processes_never_open_one_folder)
{
	struct fixture f;

	fixture_open(&f, FIXTURE_USUAL);
	struct fixture other = f;

	CHECK(fixture_open_again(&other) == ERR_DENIED);
	CHECK(other.why.len > 0 && !other.storage);
	f.arena = other.arena;
	fixture_close(&f);
}

TEST(a_newer_format_is_refused)
{
	struct fixture f;
	struct kv *kv = NULL;
	struct kv_txn *txn = NULL;
	struct key key;
	struct str value;
	char row[200];

	fixture_open(&f, FIXTURE_USUAL);
	fixture_shut(&f);
	struct kv_options options = {.path = fixture_path(&f, "index.lmdb"),
				     .bytes_max = 1 << 30};

	CHECK(kv_open(&options, &kv) == OK && kv_begin(kv, KV_WRITE, &txn) == OK);
	CHECK(kv_get(txn, key_state(&key), &value) == OK && value.len < sizeof row);
	memcpy(row, value.ptr, value.len);
	row[0]++;
	CHECK(kv_put(txn, key_state(&key), (struct str){row, value.len}) == OK);
	CHECK(kv_commit(&txn) == OK);
	kv_close(&kv);
	CHECK(fixture_open_again(&f) == ERR_SYNTAX);
	CHECK(str_find(f.why, STR("another format")) < f.why.len);
	fixture_close(&f);
}

/* ---- a disk that fails ------------------------------------------------------------- */

static void quiet(const char *faults)
{
	fault_disarm();
	if (faults)
		CHECK(fault_arm(str_c(faults)));
}

TEST(a_failed_flush_is_unknown_and_then_settled_by_the_disk)
{
	struct fixture f;
	struct store_op op = op_append_of(MAILBOX_INBOX, "maybe");
	struct message_row *rows;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 2);
	quiet("pack.flush:1:EIO");
	CHECK(fixture_commit(&f, 1, "key", &op, 1) == STORE_UNKNOWN);
	quiet(NULL);
	/* The same key: it happened once, whatever the disk had kept. */
	CHECK(fixture_commit(&f, 1, "key", &op, 1) == STORE_OK);
	CHECK(fixture_first(&f)->uid == 3);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) == 3);
	CHECK_STR(fixture_body(&f, 1, rows[2].message), STR("maybe"));
	fixture_fill(&f, 1);
	struct buf before, after;

	dump_of(&f, &before);
	fixture_shut(&f);
	CHECK(unlink(fixture_path(&f, "index.lmdb")) == 0);
	CHECK(fixture_open_again(&f) == OK);
	dump_of(&f, &after);
	CHECK(str_same(buf_str(&before), buf_str(&after)));
	buf_fini(&before);
	buf_fini(&after);
	fixture_close(&f);
}

TEST(a_disk_that_fails_again_is_read_only)
{
	struct fixture f;
	struct message_row *rows;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 2);
	uint64_t message = fixture_first(&f)->message;

	quiet("pack.flush:1+:EIO,pack.cut:1+:EIO");
	CHECK(fixture_do(&f, 1, op_append_of(MAILBOX_INBOX, "lost")) == STORE_UNKNOWN);
	CHECK(fixture_do(&f, 1, op_append_of(MAILBOX_INBOX, "no")) == STORE_UNAVAILABLE);
	quiet(NULL);
	CHECK(fixture_do(&f, 1, op_append_of(MAILBOX_INBOX, "no")) == STORE_UNAVAILABLE);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) >= 2);
	CHECK_STR(fixture_body(&f, 1, message), STR("body 2"));
	fixture_shut(&f);
	CHECK(fixture_open_again(&f) == OK);
	CHECK(fixture_do(&f, 1, op_append_of(MAILBOX_INBOX, "yes")) == STORE_OK);
	fixture_close(&f);
}

TEST(a_full_disk_leaves_nothing_behind)
{
	struct fixture f;
	struct buf before, after;
	const char *faults[] = {"pack.write:1:ENOSPC", "pack.write:1:short",
				"pack.write:1:short,pack.write:1:ENOSPC",
				"pack.allocate:1:ENOSPC"};

	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 2);
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		struct store_op op = op_append_of(MAILBOX_INBOX, "full");
		bool works = i == 1; /* a short write goes on */

		dump_of(&f, &before);
		/* So that the next group must allocate. */
		f.storage->packs->allocated = i == 3 ? 0 : UINT64_MAX;
		quiet(faults[i]);
		enum store_outcome outcome = fixture_do(&f, 1, op);

		quiet(NULL);
		CHECK(outcome == (works ? STORE_OK : STORE_FULL));
		dump_of(&f, &after);
		CHECK(works || str_same(buf_str(&before), buf_str(&after)));
		buf_fini(&before);
		buf_fini(&after);
		fixture_fill(&f, 1);
	}
	CHECK(inbox_exists(&f) == 7);
	fixture_shut(&f);
	CHECK(unlink(fixture_path(&f, "index.lmdb")) == 0);
	CHECK(fixture_open_again(&f) == OK);
	CHECK(inbox_exists(&f) == 7);
	fixture_close(&f);
}

/* ---- housekeeping decides about what comes after ------------------------------------
 */

static uint64_t only_expunged(struct fixture *f)
{
	struct undelete_row *rows;
	size_t count;

	storage_index_commit(f->storage);
	CHECK(storage_expunged(f->storage, 1, 0, 10, &f->arena, &rows, &count) ==
	      STORE_OK);
	CHECK(count == 1);
	return count == 1 ? rows[0].member : 0;
}

static void expunge_first(struct fixture *f, uint32_t uid)
{
	struct uid_range range;
	struct store_op op = {
		.kind = OP_EXPUNGE,
		.expunge = {.mailbox = MAILBOX_INBOX, .uids = uids_of(&range, uid, uid)}};

	CHECK(fixture_do(f, 1, op) == STORE_OK);
}

static void undelete_only(struct fixture *f)
{
	struct store_op op = {.kind = OP_UNDELETE,
			      .undelete = {only_expunged(f), MAILBOX_INBOX}};

	CHECK(fixture_do(f, 1, op) == STORE_OK);
	storage_index_commit(f->storage);
	CHECK(fixture_mailbox(f, 1, MAILBOX_INBOX).exists == 1);
	fixture_shut(f);
	CHECK(unlink(fixture_path(f, "index.lmdb")) == 0);
	CHECK(fixture_open_again(f) == OK);
	CHECK(fixture_mailbox(f, 1, MAILBOX_INBOX).exists == 1);
	fixture_close(f);
}

TEST(what_came_back_after_a_purge_is_there_after_a_rebuild)
{
	struct fixture f;
	struct uid_range range;
	struct store_op copy = {.kind = OP_COPY}, delete = {.kind = OP_MAILBOX_DELETE};

	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 1);
	CHECK(fixture_do(&f, 1, op_mailbox_of("other", 0)) == STORE_OK);
	delete.mailbox.mailbox = fixture_first(&f)->mailbox;
	copy.copy = (struct op_copy){.mailbox = MAILBOX_INBOX,
				     .to_mailbox = delete.mailbox.mailbox,
				     .uids = uids_of(&range, 1, 1)};
	CHECK(fixture_do(&f, 1, copy) == STORE_OK);
	CHECK(fixture_do(&f, 1, delete) == STORE_OK);
	fixture_maintain(&f, 0);
	expunge_first(&f, 1);
	undelete_only(&f);
}

TEST(what_came_back_within_a_quota_is_there_after_a_rebuild)
{
	struct fixture f;
	struct store_op quota = {.kind = OP_KV_PUT,
				 .kv = {STR(STORE_KV_QUOTA), STR("0 30")}};

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, quota) == STORE_OK);
	CHECK(fixture_do(&f, 1, op_append_of(MAILBOX_INBOX, "four")) == STORE_OK);
	expunge_first(&f, 1);
	fixture_maintain(&f, (int64_t)1 << 40);
	CHECK(fixture_do(&f, 1, op_append_of(MAILBOX_INBOX, "more")) == STORE_OK);
	expunge_first(&f, 2);
	undelete_only(&f);
}
