/* What a backup asks of the store. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storage/storage.h"
#include "storaged/world.h"

static void pins(void)
{
	int fd = memfd_create("index", MFD_CLOEXEC);
	struct store_extent extent;

	(void)commit_one(w.deliverd, ANN, STR(""), append_op(STR("Subject: x\r\n\r\n")),
			 NULL);
	CHECK(store_backup_begin(w.door, fd, &w.arena, &extent) == STORE_DENIED);
	CHECK(!storage_is_pinned(w.storage));
	CHECK(store_backup_begin(w.ctl, fd, &w.arena, &extent) == STORE_OK);
	CHECK(extent.count == 1 && extent.packs[0].length > 64 && extent.sequence > 0);
	CHECK(lseek(fd, 0, SEEK_END) > 4096);
	CHECK(storage_is_pinned(w.storage));
	CHECK(store_backup_begin(w.ctl, fd, &w.arena, &extent) == STORE_INVALID);
	CHECK(store_backup_end(w.ctl) == STORE_OK);
	CHECK(!storage_is_pinned(w.storage));
	CHECK(store_backup_end(w.ctl) == STORE_ABSENT);
	/* and with the channel, if nobody says so */
	CHECK(store_backup_begin(w.ctl, fd, &w.arena, &extent) == STORE_OK);
	store_reconnect(w.ctl, channel_to(GATE_CTL, CTL_ID));
	CHECK(!storage_is_pinned(w.storage));
	CHECK(close(fd) == 0);
}

TEST(a_backup_pins_the_packs_until_it_or_its_channel_ends)
{
	world_run(pins);
}

static void no_room(void)
{
	int fds[2];
	struct store_extent extent;

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	CHECK(close(fds[1]) == 0);
	/* the end that cannot be written to */
	CHECK(store_backup_begin(w.ctl, fds[0], &w.arena, &extent) == STORE_UNAVAILABLE);
	CHECK(!storage_is_pinned(w.storage));
	CHECK(close(fds[0]) == 0);
}

TEST(a_copy_that_cannot_be_written_leaves_nothing_pinned)
{
	world_run(no_room);
}
