/* Equal bodies come and go while packs are punched and copied and others read: nobody
 * ever sees a wrong body, or misses one that is there.  POSTRIDER_RACE_ROUNDS sets how
 * many groups are committed (400). */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "rt/clock.h"
#include "storage/embedded.h"
#include "storage/fixture.h"

enum {
	ROUNDS = 400,
	READERS = 2,
	ACCOUNTS = 3,
	KINDS = 12,
	GROUP = 4,
	STEPS = 8,
	LEN_MIN = 3000
};

/* A body of a kind is its letter; its length tells the kind, too. */
static size_t kind_len(unsigned kind)
{
	return LEN_MIN + kind * 1500;
}

static bool is_kind(struct str body)
{
	if (body.len < LEN_MIN || (body.len - LEN_MIN) % 1500 != 0)
		return false;
	unsigned kind = (unsigned)(body.len - LEN_MIN) / 1500;

	for (size_t i = 0; i < body.len; i++)
		if (body.ptr[i] != (char)('a' + kind))
			return false;
	return kind < KINDS;
}

struct reading {
	struct fixture *f;
	atomic_bool *stop;
	pthread_t thread;
	uint64_t bodies, wrong, missed;
};

static bool is_there(struct reading *r, account_t account, uint32_t uid,
		     struct arena *arena)
{
	struct message_row *rows;
	size_t count = 0;
	uint32_t next;

	return storage_rows(r->f->storage, account, MAILBOX_INBOX,
			    (struct uid_range){uid, uid}, 0, arena, &rows, &count,
			    &next) == STORE_OK &&
	       count == 1;
}

/* In pieces, as a door that serves a slow client. */
static void read_one(struct reading *r, account_t account, const struct message_row *row,
		     struct arena *arena)
{
	struct buf frame = BUF(1 << 20);
	uint64_t size = UINT64_MAX, raw;
	enum store_outcome outcome = STORE_OK;

	while (outcome == STORE_OK && frame.len < size)
		outcome = storage_frame(r->f->storage, account, row->message, frame.len,
					rand_below(2) ? 1 << 20 : 2000, &frame, &size,
					&raw);
	if (outcome == STORE_OK)
		r->wrong += !is_kind(buf_str(&frame));
	else if (outcome != STORE_ABSENT || is_there(r, account, row->uid, arena))
		r->missed++;
	r->bodies++;
	buf_fini(&frame);
}

static void *read_on(void *arg)
{
	struct reading *r = arg;
	struct arena arena;

	arena_init(&arena, 16 << 20);
	while (!atomic_load(r->stop)) {
		account_t account = 1 + (account_t)rand_below(ACCOUNTS);
		struct message_row *rows;
		size_t count = 0;
		uint32_t next;

		arena_reset(&arena);
		if (storage_rows(r->f->storage, account, MAILBOX_INBOX,
				 (struct uid_range){1, UINT32_MAX}, ROW_MESSAGE, &arena,
				 &rows, &count, &next) != STORE_OK)
			r->missed++;
		for (size_t i = 0; i < count; i++)
			read_one(r, account, &rows[i], &arena);
	}
	arena_fini(&arena);
	return NULL;
}

/* Each grows to some twenty mails and is emptied by half then. */
static void one_group(struct fixture *f)
{
	static char texts[GROUP][LEN_MIN + KINDS * 1500];
	struct store_op ops[GROUP];
	struct store_commit given[GROUP];
	struct storage_commit commits[GROUP];
	struct uid_range range;

	for (unsigned i = 0; i < GROUP; i++) {
		account_t account = 1 + (account_t)rand_below(ACCOUNTS);
		unsigned kind = (unsigned)rand_below(KINDS);
		struct mailbox_row inbox = fixture_mailbox(f, account, MAILBOX_INBOX);

		memset(texts[i], 'a' + (char)kind, kind_len(kind));
		texts[i][kind_len(kind)] = '\0';
		ops[i] = op_append_of(MAILBOX_INBOX, texts[i]);
		if (inbox.exists > 20)
			ops[i] = (struct store_op){
				.kind = OP_EXPUNGE,
				.expunge = {MAILBOX_INBOX,
					    uids_of(&range, 1, inbox.uid_next - 10),
					    false}};
		given[i] = (struct store_commit){
			.account = account, .ops = &ops[i], .count = 1};
		commits[i] =
			(struct storage_commit){.commit = &given[i], .arena = &f->arena};
	}
	storage_commit_group(f->storage, commits, GROUP);
	for (unsigned i = 0; i < GROUP; i++)
		CHECK(commits[i].outcome == STORE_OK);
}

/* They go when the index has no changes, as in the server. */
static void some_steps(struct fixture *f)
{
	storage_index_commit(f->storage);
	for (unsigned i = 0; i < STEPS && storage_maintain(f->storage, 0); i++)
		storage_index_commit(f->storage);
}

static uint64_t check_end(struct fixture *f)
{
	uint64_t bytes = 0;

	for (account_t account = 1; account <= ACCOUNTS; account++) {
		struct message_row *rows;
		size_t count = fixture_rows(f, account, MAILBOX_INBOX, &rows);

		for (size_t i = 0; i < count; i++) {
			CHECK(is_kind(fixture_body(f, account, rows[i].message)));
			bytes += rows[i].size - rows[i].trace.len;
		}
	}
	return bytes;
}

TEST(equal_bodies_come_and_go_while_space_is_given_back_and_others_read)
{
	struct fixture f;
	struct reading readings[READERS];
	atomic_bool stop = false;
	uint64_t rounds = ROUNDS;
	const char *wanted = getenv("POSTRIDER_RACE_ROUNDS");
	struct store_stats stats;

	if (wanted)
		CHECK(num_parse(str_c(wanted), 10000000, &rounds));
	fixture_open(&f, (struct fixture_options){.pack_bytes_max = 120000});
	for (account_t account = 1; account <= ACCOUNTS; account++) {
		if (account > 1)
			CHECK(fixture_do(&f, account,
					 (struct store_op){
						 .kind = OP_ACCOUNT_CREATE,
					 }) == STORE_OK);
		fixture_keep(&f, account, "0");
	}
	for (size_t i = 0; i < READERS; i++) {
		readings[i] = (struct reading){.f = &f, .stop = &stop};
		ASSERT(pthread_create(&readings[i].thread, NULL, read_on, &readings[i]) ==
		       0);
	}
	for (uint64_t i = 0; i < rounds; i++) {
		arena_reset(&f.arena);
		one_group(&f);
		if (i % 3 == 0)
			some_steps(&f);
	}
	CHECK(f.storage->space.copied > 0); /* while others came and read */
	fixture_maintain(&f, 0);
	atomic_store(&stop, true);
	for (size_t i = 0; i < READERS; i++) {
		CHECK(pthread_join(readings[i].thread, NULL) == 0);
		CHECK(readings[i].wrong == 0 && readings[i].missed == 0);
		CHECK(readings[i].bodies > 0);
	}
	uint64_t bytes = check_end(&f);

	CHECK(storage_stats(f.storage, &stats) == STORE_OK);
	CHECK(stats.body_bytes + stats.shared_bytes == bytes && stats.dead_bytes == 0);
	CHECK(stats.punched_bytes > 0);
	fixture_shut(&f);
	CHECK(fixture_is_in_order(&f));
	CHECK(fixture_open_again(&f) == OK && check_end(&f) == bytes);
	fixture_close(&f);
}
