/* A process that commits, several groups at a time, is killed at any moment, again and
 * again; what it acknowledged must be there, whole and once.  POSTRIDER_KILL_ROUNDS sets
 * how often (20). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "storage/fixture.h"
#include "storage/slots.h"

enum { ROUNDS = 20, GROUP_MAX = 6, SLOTS = 4, UIDS_MAX = 1 << 20, TEXT_MAX = 7000 };

/* What the child tells: an append that was acknowledged, an expunge that may happen from
 * now on, one that has. */
enum told { TOLD_APPEND = 'a', TOLD_WILL_EXPUNGE = 'x', TOLD_EXPUNGED = 'X' };
struct telling {
	enum told told;
	uint32_t uid;
	uint64_t number, message;
};

enum fate { FATE_UNKNOWN, FATE_THERE, FATE_MAYBE, FATE_GONE };
struct known {
	enum fate fate;
	uint64_t number, message;
};

/* ---- the child --------------------------------------------------------------------- */

static void tell(int fd, struct telling telling)
{
	ASSERT(write(fd, &telling, sizeof telling) == sizeof telling);
}

/* Some of them are long, and equal to others. */
static void body_text(uint64_t number, char text[TEXT_MAX])
{
	bool is_equal = number % 3 == 0;
	uint64_t kind = is_equal ? number % 7 : number;
	size_t more = is_equal ? 5000 + kind : kind % 1500;
	int len = snprintf(text, 32, "mail %llu ", (unsigned long long)kind);

	memset(text + len, 'a' + (char)(kind % 26), 1000);
	memset(text + len + 1000, 'z', more);
	text[(size_t)len + 1000 + more] = '\0';
}

static struct slots slots;
static int teller; /* where the child tells */

static void tell_all(struct slot *slot)
{
	for (size_t i = 0; i < slot->group.count; i++) {
		struct storage_commit *c = &slot->commits[i];

		ASSERT(c->outcome == STORE_OK && !c->result.is_repeat);
		tell(teller, (struct telling){.told = TOLD_APPEND,
					      .uid = c->result.ops[0].uid,
					      .number = slot->number + i,
					      .message = c->result.ops[0].message});
	}
}

static void child_group(struct fixture *f, uint64_t *number)
{
	struct slot *slot = slot_take(&slots, SLOTS);
	size_t count = 1 + (size_t)rand_below(GROUP_MAX);

	slot->number = *number;
	for (size_t i = 0; i < count; i++) {
		struct store_op *ops = slot->ops[i];
		char *text = ARENA_ARRAY(&slot->arena, char, TEXT_MAX);

		ASSERT(text);
		body_text(*number + i, text);
		(void)snprintf(slot->keys[i], sizeof slot->keys[i], "%llu",
			       (unsigned long long)(*number + i));
		ops[0] = op_append_of(MAILBOX_INBOX, text);
		ops[1] = (struct store_op){.kind = OP_KV_PUT,
					   .kv = {STR("last"), str_c(slot->keys[i])}};
		slot->given[i] =
			(struct store_commit){.account = 1,
					      .key = str_c(slot->keys[i]),
					      .count = 1 + (size_t)rand_below(2)};
	}
	*number += count;
	slot_submit(slot, f->storage, count);
	(void)storage_tend(f->storage);
}

static void child_expunge(struct fixture *f, int fd)
{
	slots_wait(&slots); /* they tell first */
	struct mailbox_row inbox = fixture_mailbox(f, 1, MAILBOX_INBOX);
	struct uid_range range;

	if (inbox.uid_next < 3)
		return;
	uint32_t uid = 1 + (uint32_t)rand_below(inbox.uid_next - 1);
	struct store_op op = {
		.kind = OP_EXPUNGE,
		.expunge = {.mailbox = MAILBOX_INBOX, .uids = uids_of(&range, uid, uid)}};

	tell(fd, (struct telling){.told = TOLD_WILL_EXPUNGE, .uid = uid});
	ASSERT(fixture_do(f, 1, op) == STORE_OK);
	tell(fd, (struct telling){.told = TOLD_EXPUNGED, .uid = uid});
}

static void child_flags(struct fixture *f)
{
	struct uid_range range;
	struct store_op op = {.kind = OP_FLAGS,
			      .flags = {.mailbox = MAILBOX_INBOX,
					.uids = uids_of(&range, 1, UINT32_MAX),
					.flags = (uint8_t)rand_below(32),
					.unchanged_since = UINT64_MAX}};

	range.first = 1 + (uint32_t)rand_below(100);
	ASSERT(fixture_do(f, 1, op) == STORE_OK);
}

static _Noreturn void child_run(struct fixture *f, int fd, uint64_t number)
{
	ASSERT(fixture_open_again(f) == OK);
	teller = fd;
	slots_init(&slots, SLOTS, tell_all);
	for (;;) {
		child_group(f, &number);
		if (rand_below(3) == 0)
			child_expunge(f, fd);
		if (rand_below(10) == 0)
			child_flags(f);
		if (rand_below(10) == 0)
			storage_index_commit(f->storage);
		if (rand_below(2) == 0)
			(void)storage_maintain(f->storage, 0);
		arena_reset(&f->arena);
	}
}

/* ---- the parent -------------------------------------------------------------------- */

static void hear(struct known *known, struct telling telling, uint64_t *number)
{
	ASSERT(telling.uid < UIDS_MAX);
	struct known *one = &known[telling.uid];

	switch (telling.told) {
	case TOLD_APPEND:
		/* No UID is given twice. */
		CHECK(one->fate == FATE_UNKNOWN || one->fate == FATE_MAYBE);
		one->fate = one->fate == FATE_MAYBE ? FATE_MAYBE : FATE_THERE;
		one->number = telling.number;
		one->message = telling.message;
		*number = num_max(*number, telling.number + 1);
		return;
	case TOLD_WILL_EXPUNGE:
		if (one->fate == FATE_THERE || one->fate == FATE_UNKNOWN)
			one->fate = FATE_MAYBE;
		return;
	case TOLD_EXPUNGED:
		one->fate = FATE_GONE;
		return;
	}
}

static void check_row(struct fixture *f, const struct message_row *row,
		      struct known *known)
{
	char text[TEXT_MAX];
	struct str body = fixture_body(f, 1, row->message);

	CHECK(known->fate != FATE_GONE && body.len > 0);
	if (known->number > 0) {
		body_text(known->number, text);
		CHECK(known->message == row->message);
		CHECK_STR(body, str_c(text));
	}
	CHECK(row->size == row->trace.len + body.len);
	known->message = row->message;
}

/* Each acknowledged mail is there, and the counters agree with the rows. */
static uint32_t check_all(struct fixture *f, struct known *known, uint32_t *uid_next)
{
	struct mailbox_row inbox = fixture_mailbox(f, 1, MAILBOX_INBOX);
	uint32_t next = 1, exists = 0, unseen = 0, deleted = 0, expected = 1;
	uint64_t bytes = 0;

	while (next != 0) {
		struct message_row *rows;
		size_t count;

		CHECK(storage_rows(f->storage, 1, MAILBOX_INBOX,
				   (struct uid_range){next, UINT32_MAX}, ROW_MESSAGE,
				   &f->arena, &rows, &count, &next) == STORE_OK);
		for (size_t i = 0; i < count; i++) {
			for (; expected < rows[i].uid; expected++)
				CHECK(known[expected].fate != FATE_THERE);
			expected++;
			check_row(f, &rows[i], &known[rows[i].uid]);
			exists++;
			unseen += !(rows[i].flags & FLAG_SEEN);
			deleted += (rows[i].flags & FLAG_DELETED) != 0;
			bytes += rows[i].size;
		}
	}
	for (; expected < UIDS_MAX; expected++)
		CHECK(known[expected].fate != FATE_THERE);
	CHECK(inbox.exists == exists && inbox.unseen == unseen);
	CHECK(inbox.deleted == deleted && inbox.bytes == bytes);
	CHECK(inbox.uid_next >= *uid_next);
	*uid_next = inbox.uid_next;
	return exists;
}

/* Lets a child commit for a moment, and kills it.  The numbers of mails that it did not
 * get to acknowledge are passed over, so that each number names one mail. */
static void one_round(struct fixture *f, struct known *known, uint64_t *number)
{
	int ends[2];
	struct telling telling;

	ASSERT(pipe(ends) == 0);
	pid_t child = fork();

	ASSERT(child >= 0);
	if (child == 0) {
		(void)close(ends[0]);
		child_run(f, ends[1], *number);
	}
	(void)close(ends[1]);
	(void)usleep(3000 + (useconds_t)rand_below(40000));
	CHECK(kill(child, SIGKILL) == 0);
	while (read(ends[0], &telling, sizeof telling) == sizeof telling)
		hear(known, telling, number);
	int status;

	CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
	      WTERMSIG(status) == SIGKILL);
	(void)close(ends[0]);
	*number += GROUP_MAX * SLOTS;
}

TEST(what_was_acknowledged_outlives_kill_9)
{
	struct fixture f;
	struct known *known = NEW_ARRAY(struct known, UIDS_MAX);
	const char *wanted = getenv("POSTRIDER_KILL_ROUNDS");
	uint64_t rounds = ROUNDS, number = 1;
	uint32_t exists = 0, uid_next = 0;

	if (wanted)
		CHECK(num_parse(str_c(wanted), 1000000, &rounds));
	fixture_open(&f, (struct fixture_options){.pack_bytes_max = 200000});
	fixture_keep(&f, 1, "0");
	fixture_shut(&f);
	for (uint64_t i = 0; i < rounds; i++) {
		one_round(&f, known, &number);
		CHECK(fixture_open_again(&f) == OK);
		exists = check_all(&f, known, &uid_next);
		/* Now and then it gets to the end of giving space back. */
		if (i % 4 == 3) {
			fixture_maintain(&f, 0);
			CHECK(check_all(&f, known, &uid_next) == exists);
		}
		fixture_shut(&f);
		arena_reset(&f.arena);
	}
	CHECK(exists > 0);
	/* And the log alone tells the same. */
	CHECK(unlink(fixture_path(&f, "index.lmdb")) == 0);
	CHECK(fixture_open_again(&f) == OK);
	CHECK(check_all(&f, known, &uid_next) == exists);
	fixture_maintain(&f, 0);
	CHECK(check_all(&f, known, &uid_next) == exists);
	fixture_shut(&f);
	CHECK(fixture_is_in_order(&f));
	mem_free(known);
	fixture_close(&f);
}
