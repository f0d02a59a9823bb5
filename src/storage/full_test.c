/* What is full refuses what grows, serves the rest, and goes on by itself. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "rt/fault.h"
#include "storage/embedded.h"
#include "storage/fixture.h"

static void faults(const char *spec)
{
	fault_disarm();
	if (spec)
		CHECK(fault_arm(str_c(spec)));
}

/* With a long digest, so that the index is full soon. */
static enum store_outcome append(struct fixture *f)
{
	static const char digest[8000];
	struct store_op op = op_append_of(MAILBOX_INBOX, "body");

	arena_reset(&f->arena);
	op.append.digest = (struct str){digest, sizeof digest};
	return fixture_do(f, 1, op);
}

/* As the server does it: the index is committed every few milliseconds. */
static unsigned append_until_full(struct fixture *f)
{
	enum { APPENDS_MAX = 5000 };

	for (unsigned taken = 0; taken < APPENDS_MAX; taken++) {
		enum store_outcome outcome = append(f);

		if (outcome == STORE_FULL)
			return taken;
		CHECK(outcome == STORE_OK);
		if (taken % 16 == 0)
			storage_index_commit(f->storage);
	}
	return 0; /* never full: the caller finds it too few */
}

static void expunge_all(struct fixture *f)
{
	uint32_t next = fixture_mailbox(f, 1, MAILBOX_INBOX).uid_next;

	for (uint32_t uid = 1; uid < next; uid += 50) {
		struct store_op op = {.kind = OP_EXPUNGE};
		struct uid_range range;

		op.expunge = (struct op_expunge){.mailbox = MAILBOX_INBOX,
						 .uids = uids_of(&range, uid, uid + 49)};
		CHECK(fixture_do(f, 1, op) == STORE_OK);
		storage_index_commit(f->storage);
	}
}

TEST(a_full_index_takes_mail_again_after_an_expunge)
{
	struct fixture f;

	fixture_open(&f, (struct fixture_options){.index_bytes_max = 6 << 20});
	for (unsigned round = 0; round < 3; round++) {
		unsigned taken = append_until_full(&f);

		CHECK(taken > 200);
		CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == taken);
		expunge_all(&f);
		/* Keys of the last hour stay; what was expunged does not. */
		fixture_maintain(&f, (int64_t)1 << 40);
		storage_index_commit(f.storage);
		CHECK(!f.storage->is_read_only);
	}
	CHECK(append(&f) == STORE_OK);
	fixture_shut(&f);
	CHECK(fixture_open_again(&f) == OK);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == 1);
	fixture_close(&f);
}

/* Three times as much as fits: each time housekeeping had made room, by letting go of
 * what was expunged. */
static unsigned fill_thrice(struct fixture *f, const char *copy)
{
	unsigned taken = 0;

	for (unsigned round = 0; round < 3; round++) {
		taken = append_until_full(f);
		CHECK(taken > 200);
		storage_index_commit(f->storage);
		if (round == 0) {
			int fd = open(copy, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

			CHECK(storage_copy_index(f->storage, fd) == OK);
			(void)close(fd); /* it is read next */
		}
		if (round < 2)
			expunge_all(f);
		fixture_maintain(f, (int64_t)1 << 40);
		storage_index_commit(f->storage);
	}
	return taken;
}

TEST(a_full_index_is_no_obstacle_to_the_log)
{
	struct fixture f;
	char copy[200];

	fixture_open(&f, (struct fixture_options){.index_bytes_max = 6 << 20});
	(void)snprintf(copy, sizeof copy, "%s", fixture_path(&f, "copy.lmdb"));
	unsigned taken = fill_thrice(&f, copy);

	for (unsigned is_lost = 0; is_lost < 2; is_lost++) {
		fixture_shut(&f);
		/* As after a backup, or after damage. */
		if (is_lost)
			CHECK(unlink(fixture_path(&f, "index.lmdb")) == 0);
		else
			CHECK(rename(copy, fixture_path(&f, "index.lmdb")) == 0);
		CHECK(fixture_open_again(&f) == OK);
		CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == taken);
		CHECK(!f.storage->is_read_only && append(&f) == STORE_FULL);
	}
	expunge_all(&f);
	fixture_maintain(&f, (int64_t)1 << 40);
	storage_index_commit(f.storage);
	CHECK(append(&f) == STORE_OK);
	fixture_close(&f);
}

TEST(a_put_that_finds_no_room_leaves_nothing_behind)
{
	struct fixture f;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 3);
	for (unsigned nth = 1; nth < 5; nth++) {
		char spec[40];

		(void)snprintf(spec, sizeof spec, "index.put:%u:ENOSPC", nth);
		faults(spec);
		enum store_outcome outcome = append(&f);

		faults(NULL);
		CHECK(outcome == STORE_FULL || outcome == STORE_OK);
		CHECK(append(&f) == STORE_OK);
		CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists ==
		      3 + nth + (outcome == STORE_OK));
		if (outcome == STORE_OK) /* it needs no more puts than that */
			break;
	}
	fixture_close(&f);
}

TEST(an_index_commit_without_room_stops_writing_until_there_is_some)
{
	struct fixture f;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 2);
	faults("index.commit:1+:ENOSPC");
	CHECK(append(&f) == STORE_OK); /* the log has it */
	storage_index_commit(f.storage);
	CHECK(append(&f) == STORE_FULL);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == 2); /* it is read */
	f.storage->stopped_us = 0;
	CHECK(storage_tend(f.storage) == UINT64_MAX);
	CHECK(append(&f) == STORE_FULL);
	faults(NULL);
	f.storage->stopped_us = 0;
	CHECK(storage_tend(f.storage) == UINT64_MAX);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == 3);
	CHECK(append(&f) == STORE_OK);
	fixture_close(&f);
}
