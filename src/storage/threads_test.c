/* Readers in threads of their own while the writer commits, maintains, and once loses a
 * flush and reopens. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "rt/fault.h"
#include "storage/fixture.h"

enum { READERS = 3, COMMITS = 60 };

struct reading {
	struct fixture *f;
	atomic_bool *stop;
	pthread_t thread;
	uint64_t bodies, wrong;
};

static void read_bodies(struct reading *r, struct arena *arena)
{
	struct message_row *rows;
	size_t count;
	uint32_t next;
	struct buf frame = BUF(1 << 20);
	uint64_t size, raw;

	if (storage_rows(r->f->storage, 1, MAILBOX_INBOX, (struct uid_range){1, 50},
			 ROW_MESSAGE, arena, &rows, &count, &next) != STORE_OK)
		count = 0;
	for (size_t i = 0; i < count; i++) {
		char text[64];
		enum store_outcome outcome;

		buf_reset(&frame);
		outcome = storage_frame(r->f->storage, 1, rows[i].message, 0, 1 << 20,
					&frame, &size, &raw);
		(void)snprintf(text, sizeof text, "body %u", rows[i].uid);
		r->wrong +=
			outcome != STORE_OK || !str_same(buf_str(&frame), str_c(text));
		r->bodies++;
	}
	buf_fini(&frame);
}

static void *read_on(void *arg)
{
	struct reading *r = arg;
	struct arena arena;
	struct account_summary summary;
	struct mailbox_row *rows;
	size_t count;

	arena_init(&arena, 16 << 20);
	while (!atomic_load(r->stop)) {
		read_bodies(r, &arena);
		r->wrong += storage_summary(r->f->storage, 1, &summary) != STORE_OK;
		r->wrong += storage_mailboxes(r->f->storage, 1, &arena, &rows, &count) !=
			    STORE_OK;
		arena_reset(&arena);
	}
	arena_fini(&arena);
	return NULL;
}

TEST(readers_go_on_while_the_writer_commits_and_recovers)
{
	struct fixture f;
	struct reading readings[READERS];
	atomic_bool stop = false;
	unsigned unknown = 0;
	char texts[COMMITS][32];

	fixture_open(&f, (struct fixture_options){.pack_bytes_max = 20000});
	CHECK(fault_arm(STR("pack.flush:30:EIO")));
	for (size_t i = 0; i < READERS; i++) {
		readings[i] = (struct reading){.f = &f, .stop = &stop};
		ASSERT(pthread_create(&readings[i].thread, NULL, read_on, &readings[i]) ==
		       0);
	}
	for (unsigned i = 0; i < COMMITS; i++) {
		struct store_op op;
		char key[16];
		enum store_outcome outcome;

		(void)snprintf(texts[i], sizeof texts[i], "body %u", i + 1);
		(void)snprintf(key, sizeof key, "%u", i);
		op = op_append_of(MAILBOX_INBOX, texts[i]);
		outcome = fixture_commit(&f, 1, key, &op, 1);
		if (outcome == STORE_UNKNOWN) {
			unknown++;
			outcome = fixture_commit(&f, 1, key, &op, 1);
		}
		CHECK(outcome == STORE_OK && fixture_first(&f)->uid == i + 1);
		(void)storage_maintain(f.storage, 0);
		(void)storage_tend(f.storage);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < READERS; i++) {
		CHECK(pthread_join(readings[i].thread, NULL) == 0);
		CHECK(readings[i].wrong == 0 && readings[i].bodies > 0);
	}
	fault_disarm();
	CHECK(unknown == 1);
	fixture_close(&f);
}
