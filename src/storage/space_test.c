/* Equal bodies, expunged messages that come back, and what is done with the space of
 * those that do not. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rand.h"
#include "rt/clock.h"
#include "rt/fault.h"
#include "storage/embedded.h"
#include "storage/fixture.h"

enum { DAY_S = 24 * 60 * 60 };

/* Appends a frame of that letter; gives the message. */
static uint64_t put(struct fixture *f, account_t account, char letter, size_t len)
{
	static char text[100001];

	ASSERT(len < sizeof text);
	memset(text, letter, len);
	text[len] = '\0';
	CHECK(fixture_do(f, account, op_append_of(MAILBOX_INBOX, text)) == STORE_OK);
	return fixture_first(f)->message;
}

static bool has(struct fixture *f, account_t account, uint64_t message, char letter,
		size_t len)
{
	struct str body = fixture_body(f, account, message);

	for (size_t i = 0; i < body.len; i++)
		if (body.ptr[i] != letter)
			return false;
	return body.len == len;
}

static void expunge(struct fixture *f, account_t account, uint32_t uid)
{
	struct uid_range range;
	struct store_op op = {
		.kind = OP_EXPUNGE,
		.expunge = {.mailbox = MAILBOX_INBOX, .uids = uids_of(&range, uid, uid)}};

	CHECK(fixture_do(f, account, op) == STORE_OK);
}

static struct store_stats stats_of(struct fixture *f)
{
	struct store_stats stats = {0};

	CHECK(storage_stats(f->storage, &stats) == STORE_OK);
	return stats;
}

static void two_accounts(struct fixture *f, const char *days,
			 struct fixture_options options)
{
	fixture_open(f, options);
	CHECK(fixture_do(f, 2, (struct store_op){.kind = OP_ACCOUNT_CREATE}) == STORE_OK);
	fixture_keep(f, 1, days);
	fixture_keep(f, 2, days);
	fixture_maintain(f, 0);
}

/* ---- equal ones -------------------------------------------------------------------- */

TEST(equal_bodies_are_stored_once)
{
	struct fixture f;

	two_accounts(&f, "0", FIXTURE_USUAL);
	uint64_t first = put(&f, 1, 'a', 9000), second = put(&f, 2, 'a', 9000);
	uint64_t third = put(&f, 2, 'a', 9000);

	(void)put(&f, 1, 'a', 9001);
	struct store_stats stats = stats_of(&f);

	CHECK(stats.body_bytes == 18001 && stats.shared_bytes == 18000);
	CHECK(has(&f, 1, first, 'a', 9000) && has(&f, 2, second, 'a', 9000));
	/* Whoever had it first goes; the others are found instead. */
	expunge(&f, 1, 1);
	CHECK(has(&f, 2, second, 'a', 9000));
	uint64_t fourth = put(&f, 1, 'a', 9000);

	stats = stats_of(&f);
	CHECK(stats.body_bytes == 18001 && stats.shared_bytes == 18000);
	expunge(&f, 2, 1);
	expunge(&f, 2, 2);
	CHECK(has(&f, 1, fourth, 'a', 9000) && fixture_body(&f, 2, third).len == 0);
	expunge(&f, 1, 3);
	stats = stats_of(&f);
	CHECK(stats.body_bytes == 9001 && stats.shared_bytes == 0);
	CHECK(stats.dead_bytes == 9000);
	/* The dead are not brought back to life. */
	(void)put(&f, 2, 'a', 9000);
	stats = stats_of(&f);
	CHECK(stats.body_bytes == 18001 && stats.dead_bytes == 9000);
	fixture_close(&f);
}

TEST(what_a_refused_commit_brought_is_shared_with_nobody)
{
	struct fixture f;
	struct store_op ops[2];
	static char text[8001];

	two_accounts(&f, "0", FIXTURE_USUAL);
	memset(text, 'r', sizeof text - 1);
	ops[0] = op_append_of(MAILBOX_INBOX, text);
	ops[1] = op_append_of(4711, text);
	CHECK(fixture_commit(&f, 1, "", ops, 2) == STORE_ABSENT);
	CHECK(has(&f, 1, put(&f, 1, 'r', 8000), 'r', 8000));
	CHECK(stats_of(&f).shared_bytes == 0);
	fixture_close(&f);
}

/* ---- undeletion -------------------------------------------------------------------- */

static size_t expunged_of(struct fixture *f, account_t account,
			  struct undelete_row **rows)
{
	size_t count = 0;

	CHECK(storage_expunged(f->storage, account, 0, 100, &f->arena, rows, &count) ==
	      STORE_OK);
	return count;
}

static enum store_outcome undelete(struct fixture *f, account_t account, uint64_t member)
{
	return fixture_do(f, account,
			  (struct store_op){.kind = OP_UNDELETE,
					    .undelete = {member, MAILBOX_INBOX}});
}

TEST(expunged_messages_come_back_as_they_were)
{
	struct fixture f;
	struct str word = STR("work");
	struct undelete_row *gone;
	struct message_row *rows;
	struct store_op op = op_append_of(MAILBOX_INBOX, "some body");
	struct account_summary summary;

	two_accounts(&f, "14", FIXTURE_USUAL);
	op.append.flags = FLAG_SEEN | FLAG_DELETED;
	op.append.keywords = (struct keywords){&word, 1};
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	uint64_t message = fixture_first(&f)->message;

	expunge(&f, 1, 1);
	CHECK(fixture_body(&f, 1, message).len == 0);
	CHECK(storage_summary(f.storage, 1, &summary) == STORE_OK);
	CHECK(summary.messages == 0 && summary.bytes == 0);
	CHECK(expunged_of(&f, 1, &gone) == 1 && stats_of(&f).expunged == 1);
	CHECK(gone->mailbox == MAILBOX_INBOX && gone->uid == 1);
	CHECK(gone->until == gone->expunged_at + 14 * (int64_t)DAY_S);
	CHECK_STR(gone->digest, STR("a digest"));
	CHECK(undelete(&f, 2, gone->member) == STORE_ABSENT);
	CHECK(undelete(&f, 1, gone->member) == STORE_OK);
	CHECK(fixture_first(&f)->uid == 2 && fixture_first(&f)->message == message);
	CHECK(undelete(&f, 1, gone->member) == STORE_ABSENT);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) == 1);
	CHECK(rows->flags == FLAG_SEEN && rows->keywords.count == 1);
	CHECK_STR(rows->keywords.words[0], word);
	CHECK_STR(fixture_body(&f, 1, message), STR("some body"));
	CHECK(storage_summary(f.storage, 1, &summary) == STORE_OK);
	CHECK(summary.messages == 1 && summary.bytes == rows->size);
	CHECK(expunged_of(&f, 1, &gone) == 0 && stats_of(&f).expunged == 0);
	fixture_close(&f);
}

TEST(a_copy_elsewhere_leaves_nothing_to_bring_back)
{
	struct fixture f;
	struct uid_range range;
	struct undelete_row *gone;

	two_accounts(&f, "14", FIXTURE_USUAL);
	fixture_fill(&f, 1);
	CHECK(fixture_do(&f, 1, op_mailbox_of("box", 0)) == STORE_OK);
	struct store_op op = {.kind = OP_COPY,
			      .copy = {MAILBOX_INBOX, fixture_first(&f)->mailbox,
				       uids_of(&range, 1, 1)}};

	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	expunge(&f, 1, 1);
	CHECK(expunged_of(&f, 1, &gone) == 0);
	/* A deleted mailbox's messages are expunged with it. */
	op = (struct store_op){.kind = OP_MAILBOX_DELETE,
			       .mailbox = {.mailbox = op.copy.to_mailbox}};
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	fixture_maintain(&f, 0);
	CHECK(expunged_of(&f, 1, &gone) == 1);
	CHECK(undelete(&f, 1, gone->member) == STORE_OK);
	CHECK_STR(fixture_body(&f, 1, fixture_first(&f)->message), STR("body 1"));
	fixture_close(&f);
}

TEST(expunged_messages_go_when_their_time_is_over)
{
	struct fixture f;
	struct undelete_row *gone;

	clock_test_start(1700000000000000);
	two_accounts(&f, "3", FIXTURE_USUAL);
	uint64_t shared = put(&f, 2, 'x', 6000);

	(void)put(&f, 1, 'x', 6000);
	fixture_fill(&f, 1);
	expunge(&f, 1, 1);
	expunge(&f, 1, 2);
	fixture_maintain(&f, clock_s() + 3 * DAY_S - 1);
	CHECK(expunged_of(&f, 1, &gone) == 2);
	fixture_maintain(&f, clock_s() + 3 * DAY_S);
	CHECK(expunged_of(&f, 1, &gone) == 0);
	struct store_stats stats = stats_of(&f);

	CHECK(stats.expunged == 0 && stats.punched_bytes == 6);
	CHECK(stats.dead_bytes == 0 && stats.body_bytes == 6000);
	CHECK(stats.shared_bytes == 0 && has(&f, 2, shared, 'x', 6000));
	fixture_close(&f);
	clock_test_stop();
}

TEST(an_expunged_body_is_not_linked_to)
{
	struct fixture f;
	struct undelete_row *gone;

	two_accounts(&f, "3", FIXTURE_USUAL);
	uint64_t first = put(&f, 1, 'y', 6000);

	expunge(&f, 1, 1);
	uint64_t second = put(&f, 2, 'y', 6000);

	CHECK(stats_of(&f).shared_bytes == 0 && stats_of(&f).body_bytes == 12000);
	struct store_op op = op_append_of(MAILBOX_INBOX, "");

	op.append.body.from_account = 1;
	op.append.body.from_message = first;
	CHECK(fixture_do(&f, 1, op) == STORE_ABSENT);
	CHECK(expunged_of(&f, 1, &gone) == 1 &&
	      undelete(&f, 1, gone->member) == STORE_OK);
	CHECK(has(&f, 1, first, 'y', 6000) && has(&f, 2, second, 'y', 6000));
	fixture_close(&f);
}

TEST(a_quota_bounds_what_is_kept_of_the_expunged)
{
	struct fixture f;
	struct undelete_row *gone;
	struct store_op op = {.kind = OP_KV_PUT, .kv = {STR("quota"), STR("0 10000")}};

	two_accounts(&f, "3", FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	for (uint32_t i = 1; i <= 4; i++) {
		(void)put(&f, 1, (char)('a' + i), 3000);
		expunge(&f, 1, i);
	}
	CHECK(expunged_of(&f, 1, &gone) == 3 && stats_of(&f).dead_bytes == 3000);
	fixture_shut(&f);
	CHECK(fixture_is_in_order(&f) && fixture_open_again(&f) == OK);
	CHECK(undelete(&f, 1, gone->member) == STORE_OK);
	op.kv = (struct op_kv){.key = STR("undelete"), .value = STR("often")};
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	fixture_close(&f);
}

/* ---- punching and copying ---------------------------------------------------------- */

static uint64_t blocks_of(struct fixture *f, const char *pack)
{
	struct stat stat_of;

	CHECK(stat(fixture_path(f, pack), &stat_of) == 0);
	return (uint64_t)stat_of.st_blocks * 512;
}

static void rebuild(struct fixture *f)
{
	fixture_shut(f);
	CHECK(unlink(fixture_path(f, "index.lmdb")) == 0);
	CHECK(fixture_open_again(f) == OK);
}

TEST(dead_bodies_are_punched_out_and_others_stay)
{
	struct fixture f;
	uint64_t messages[10];

	two_accounts(&f, "0", FIXTURE_USUAL);
	for (unsigned i = 0; i < 10; i++)
		messages[i] = put(&f, 1, (char)('a' + i), 50000);
	uint64_t before = blocks_of(&f, "packs/00000001.pack");

	for (uint32_t uid = 1; uid <= 9; uid += 2)
		expunge(&f, 1, uid);
	storage_pin(f.storage);
	fixture_maintain(&f, 0);
	CHECK(stats_of(&f).punched_bytes == 0 && stats_of(&f).dead_bytes == 250000);
	storage_unpin(f.storage);
	fixture_maintain(&f, 0);
	CHECK(stats_of(&f).punched_bytes == 250000 && stats_of(&f).dead_bytes == 0);
	CHECK(blocks_of(&f, "packs/00000001.pack") + 200000 < before);
	for (unsigned i = 1; i < 10; i += 2)
		CHECK(has(&f, 1, messages[i], (char)('a' + i), 50000));
	/* The log still tells everything. */
	rebuild(&f);
	for (unsigned i = 1; i < 10; i += 2)
		CHECK(has(&f, 1, messages[i], (char)('a' + i), 50000));
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == 5);
	CHECK(stats_of(&f).body_bytes == 250000);
	/* What was punched out before is not linked to; nor anything, at first. */
	(void)put(&f, 2, 'a', 50000);
	(void)put(&f, 2, 'b', 50000);
	CHECK(stats_of(&f).shared_bytes == 0);
	fixture_maintain(&f, 0);
	(void)put(&f, 2, 'b', 50000);
	CHECK(stats_of(&f).shared_bytes == 50000);
	CHECK(stats_of(&f).punched_bytes == 250000);
	fixture_close(&f);
}

TEST(a_disk_that_cannot_punch_loses_nothing)
{
	struct fixture f;

	two_accounts(&f, "0", FIXTURE_USUAL);
	(void)put(&f, 1, 'a', 50000);
	uint64_t other = put(&f, 1, 'b', 50000);

	expunge(&f, 1, 1);
	CHECK(fault_arm(STR("pack.punch:1:EIO")));
	for (unsigned i = 0; i < 100 && storage_maintain(f.storage, 0); i++)
		storage_index_commit(f.storage);
	fault_disarm();
	CHECK(has(&f, 1, other, 'b', 50000));
	fixture_maintain(&f, 0);
	CHECK(stats_of(&f).punched_bytes == 50000);
	CHECK(has(&f, 1, other, 'b', 50000));
	fixture_close(&f);
}

TEST(sparse_packs_are_copied_and_their_bodies_punched)
{
	struct fixture f;
	uint64_t messages[26], shared;

	two_accounts(&f, "0", (struct fixture_options){.pack_bytes_max = 300000});
	for (unsigned i = 0; i < 26; i++)
		messages[i] = put(&f, 1, (char)('a' + i), 20000);
	shared = put(&f, 2, 'e', 20000); /* which is in the first pack */
	uint64_t before = blocks_of(&f, "packs/00000001.pack");

	for (uint32_t uid = 1; uid <= 26; uid++)
		if (uid % 5 != 0)
			expunge(&f, 1, uid);
	fixture_maintain(&f, 0);
	struct store_stats stats = stats_of(&f);

	CHECK(stats.dead_bytes == 0 && stats.body_bytes == 5 * 20000);
	CHECK(stats.shared_bytes == 20000);
	CHECK(f.storage->space.copied == 3 * 20000); /* the last pack has the others */
	CHECK(blocks_of(&f, "packs/00000001.pack") < before / 4);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 4; i < 26; i += 5)
			CHECK(has(&f, 1, messages[i], (char)('a' + i), 20000));
		CHECK(has(&f, 2, shared, 'e', 20000));
		expunge(&f, 1, round == 0 ? 4711 : 5);
		CHECK(has(&f, 2, shared, 'e', 20000));
		rebuild(&f);
		fixture_maintain(&f, 0);
		fixture_shut(&f);
		CHECK(fixture_is_in_order(&f));
		CHECK(fixture_open_again(&f) == OK);
	}
	fixture_close(&f);
}

TEST(nothing_is_punched_before_readers_have_ended_and_the_index_is_sure)
{
	struct fixture f;

	two_accounts(&f, "0", FIXTURE_USUAL);
	(void)put(&f, 1, 'a', 50000);
	unsigned turn = space_reader_begin(f.storage);

	uint64_t found = 0, sure = 0; /* index commits before that step */

	expunge(&f, 1, 1);
	for (unsigned i = 0; i < 200; i++) {
		uint64_t indexed = atomic_load(&f.storage->indexed);

		(void)storage_maintain(f.storage, 0);
		storage_index_commit(f.storage);
		if (found == 0 && f.storage->space.state == SPACE_SETTLING)
			found = indexed;
		if (sure == 0 && f.storage->space.state == SPACE_READING)
			sure = indexed;
	}
	CHECK(found > 0 && sure >= found + 2);
	CHECK(f.storage->space.state == SPACE_READING);
	CHECK(stats_of(&f).dead_bytes == 50000);
	/* Who comes later is not waited for. */
	unsigned later = space_reader_begin(f.storage);

	space_reader_end(f.storage, turn);
	fixture_maintain(&f, 0);
	space_reader_end(f.storage, later);
	CHECK(stats_of(&f).punched_bytes == 50000);
	fixture_close(&f);
}

TEST(a_dead_body_waits_until_its_death_is_named_as_durable)
{
	struct fixture f;

	two_accounts(&f, "0", FIXTURE_USUAL);
	(void)put(&f, 1, 'a', 50000);
	expunge(&f, 1, 1);
	uint64_t death = f.storage->work.state.sequence;

	CHECK(f.storage->space.proven < death);
	for (unsigned i = 0; i < 100 && f.storage->space.state == SPACE_RESTING; i++) {
		(void)storage_maintain(f.storage, 0);
		storage_index_commit(f.storage);
	}
	CHECK(f.storage->space.state == SPACE_SETTLING);
	CHECK(f.storage->space.proven >= death);
	CHECK(f.storage->work.state.sequence > death);
	fixture_close(&f);
}

/* As readers see it. */
static size_t timed_keys(struct fixture *f)
{
	SCOPED(reader_end) struct reader reader = {0};
	struct key key;
	size_t count = 0;

	CHECK(reader_begin(&reader, f->storage) == STORE_OK);
	for (err_t err = kv_seek(&reader.cursor,
				 key_table(&key, ACCOUNT_SYSTEM, TABLE_TIMED_KEY));
	     err == OK && key_is_of(reader.cursor.key, ACCOUNT_SYSTEM, TABLE_TIMED_KEY);
	     err = kv_next(&reader.cursor))
		count++;
	return count;
}

static void put_old_keys(struct fixture *f, unsigned first, unsigned count)
{
	CHECK(index_begin(f->storage) == OK);
	for (unsigned i = first; i < first + count; i++) {
		char name[20];
		struct key key;

		(void)snprintf(name, sizeof name, "key %u", i);
		CHECK(kv_put(f->storage->work.txn, key_timed(&key, 1000, 1, str_c(name)),
			     STR("")) == OK);
	}
	index_changed(f->storage);
}

TEST(an_index_commit_has_one_slice_of_housekeeping)
{
	enum { KEYS = 20000, SLICE_MAX = 5000, COST_US = 10 * 1000 * 1000 };
	struct fixture f;

	fixture_open(&f, FIXTURE_USUAL);
	put_old_keys(&f, 0, KEYS);
	storage_index_commit(f.storage);
	f.storage->index_cost_us = COST_US; /* the next comes only if asked for */
	put_old_keys(&f, KEYS, 1);
	for (unsigned i = 0; i < 10; i++)
		CHECK(storage_maintain(f.storage, 1000000));
	CHECK(timed_keys(&f) == KEYS);
	CHECK(kv_changes(f.storage->work.txn) == 1);
	storage_index_commit(f.storage);
	size_t left = timed_keys(&f);

	CHECK(left == KEYS + 1);
	for (unsigned i = 0; i < 1000 && left > 0; i++) {
		(void)storage_maintain(f.storage, 1000000);
		size_t changes = kv_changes(f.storage->work.txn);

		CHECK(storage_maintain(f.storage, 1000000));
		CHECK(kv_changes(f.storage->work.txn) == changes);
		storage_index_commit(f.storage);
		size_t now_left = timed_keys(&f);

		CHECK(now_left <= left && left - now_left <= SLICE_MAX);
		left = now_left;
	}
	CHECK(left == 0);
	fixture_close(&f);
}
