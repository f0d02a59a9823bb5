#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt/fault.h"
#include "storage/embedded.h"
#include "storage/fixture.h"

TEST(pins_are_counted_and_the_oldest_stands_for_all)
{
	struct fixture f;

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(!storage_is_pinned(f.storage));
	CHECK(storage_pinned_sequence(f.storage) == UINT64_MAX);
	fixture_fill(&f, 1);
	uint64_t sequence = f.storage->work.state.sequence;

	storage_pin(f.storage);
	fixture_fill(&f, 2);
	storage_pin(f.storage);
	storage_unpin(f.storage);
	CHECK(storage_is_pinned(f.storage));
	CHECK(storage_pinned_sequence(f.storage) == sequence);
	storage_unpin(f.storage);
	CHECK(!storage_is_pinned(f.storage));
	storage_pin(f.storage);
	CHECK(storage_pinned_sequence(f.storage) == sequence + 2);
	storage_unpin(f.storage);
	fixture_close(&f);
}

/* A folder with the copied index, and the packs of f as links. */
static void copy_to(struct fixture *f, struct fixture *copy)
{
	char name[32];
	struct store_extent extent;

	(void)snprintf(copy->folder, sizeof copy->folder, "/tmp/storage-copy.XXXXXX");
	ASSERT(mkdtemp(copy->folder));
	arena_init(&copy->arena, 64 << 20);
	int fd = open(fixture_path(copy, "index.lmdb"), O_RDWR | O_CREAT, 0600);

	storage_index_commit(f->storage);
	CHECK(storage_copy_index(f->storage, fd) == OK);
	CHECK(close(fd) == 0);
	CHECK(storage_extent(f->storage, &f->arena, &extent) == OK && extent.count > 0);
	CHECK(mkdir(fixture_path(copy, "packs"), 0700) == 0);
	for (size_t i = 0; i < extent.count; i++) {
		char from[200];

		(void)snprintf(name, sizeof name, "packs/%08u.pack",
			       extent.packs[i].number);
		(void)snprintf(from, sizeof from, "%s", fixture_path(f, name));
		CHECK(extent.packs[i].length <= packs_bytes(f->storage->packs));
		CHECK(symlink(from, fixture_path(copy, name)) == 0);
	}
}

TEST(a_copy_is_read_as_it_stands_and_the_packs_are_left_alone)
{
	struct fixture f, copy = {0};
	struct message_row *rows;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 3);
	copy_to(&f, &copy);
	fixture_fill(&f, 2);
	uint64_t bytes = packs_bytes(f.storage->packs);
	struct storage_options options = {.folder = copy.folder,
					  .index_bytes_max = (uint64_t)1 << 30,
					  .open_as = STORAGE_READ_ONLY};

	CHECK(storage_open(&options, &copy.arena, &copy.storage, &copy.why) == OK);
	CHECK(fixture_rows(&copy, 1, MAILBOX_INBOX, &rows) == 3);
	CHECK(fixture_body(&copy, 1, rows[2].message).len > 0);
	CHECK(fixture_do(&copy, 1, op_append_of(MAILBOX_INBOX, "x")) ==
	      STORE_UNAVAILABLE);
	fixture_close(&copy);
	CHECK(packs_bytes(f.storage->packs) == bytes);
	fixture_fill(&f, 1);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) == 6);
	fixture_close(&f);
}

TEST(what_was_restored_has_a_new_epoch_and_new_uid_validities)
{
	struct fixture f, copy = {0};
	struct account_summary before, after;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 3);
	copy_to(&f, &copy);
	uint32_t validity = fixture_mailbox(&f, 1, MAILBOX_INBOX).uid_validity;

	CHECK(storage_summary(f.storage, 1, &before) == STORE_OK);
	fixture_shut(&f);
	struct storage_options options = {.folder = copy.folder,
					  .index_bytes_max = (uint64_t)1 << 30,
					  .open_as = STORAGE_RESTORED};

	CHECK(storage_open(&options, &copy.arena, &copy.storage, &copy.why) == OK);
	fixture_fill(&copy, 1);
	CHECK(storage_summary(copy.storage, 1, &after) == STORE_OK);
	CHECK(after.epoch == before.epoch + 1 && after.messages == before.messages + 1);
	CHECK(after.change > before.change + 1000);
	CHECK(fixture_mailbox(&copy, 1, MAILBOX_INBOX).uid_validity > validity);
	fixture_shut(&copy);
	CHECK(fixture_open_again(&copy) == OK);
	CHECK(storage_summary(copy.storage, 1, &after) == STORE_OK);
	CHECK(after.epoch == before.epoch + 1 && after.messages == before.messages + 1);
	fixture_close(&copy);
	fixture_close(&f);
}

static void quiet(const char *faults)
{
	fault_disarm();
	if (faults)
		CHECK(fault_arm(str_c(faults)));
}

TEST(an_index_that_lacks_what_was_acknowledged_is_not_copied)
{
	struct fixture f;
	FILE *copy = tmpfile();

	ASSERT(copy);
	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 1);
	quiet("index.commit:1+:EIO");
	fixture_fill(&f, 1); /* acknowledged, since the log has it */
	CHECK(f.storage->is_read_only);
	CHECK(storage_copy_index(f.storage, fileno(copy)) == ERR_IO);
	quiet(NULL);
	fixture_shut(&f);
	CHECK(fixture_open_again(&f) == OK);
	CHECK(storage_copy_index(f.storage, fileno(copy)) == OK);
	CHECK(fclose(copy) == 0);
	fixture_close(&f);
}

TEST(a_store_that_stopped_with_all_in_its_index_is_copied)
{
	struct fixture f;
	FILE *copy = tmpfile();

	ASSERT(copy);
	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 1);
	quiet("pack.flush:1+:EIO,pack.cut:1+:EIO");
	CHECK(fixture_do(&f, 1, op_append_of(MAILBOX_INBOX, "lost")) == STORE_UNKNOWN);
	quiet(NULL);
	CHECK(f.storage->is_read_only);
	CHECK(storage_copy_index(f.storage, fileno(copy)) == OK);
	CHECK(fclose(copy) == 0);
	fixture_close(&f);
}

TEST(an_idle_writer_does_not_keep_a_copy_waiting)
{
	struct fixture f;

	fixture_open(&f, FIXTURE_USUAL);
	storage_index_commit(f.storage);
	CHECK(!storage_maintain(f.storage, 1000)); /* it has a look */
	CHECK(storage_tend(f.storage) == UINT64_MAX);
	CHECK(!f.storage->work.txn);
	fixture_close(&f);
}
