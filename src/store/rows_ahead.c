#include "store/rows_ahead.h"

#include "base/mem.h"

struct rows_ahead {
	struct store *store;
	account_t account;
	uint64_t mailbox;
	struct uid_range uids;
	unsigned columns;
	struct arena arena;
	struct message_row *rows;
	size_t count;
	uint32_t next_uid;
	enum store_outcome outcome;
	bool is_done;
	struct waiters done;
	unsigned users; /* the owner, and the task that reads */
};

static void unref(struct rows_ahead *a)
{
	if (--a->users > 0)
		return;
	arena_fini(&a->arena);
	mem_free(a);
}

static void read_page(void *arg)
{
	struct rows_ahead *a = arg;

	if (a->users > 1) /* the owner is still there */
		a->outcome =
			store_rows(a->store, a->account, a->mailbox, a->uids, a->columns,
				   &a->arena, &a->rows, &a->count, &a->next_uid);
	a->is_done = true;
	wake_all(&a->done);
	unref(a);
}

struct rows_ahead *rows_ahead_start(struct store *store, account_t account,
				    uint64_t mailbox, struct uid_range uids,
				    unsigned columns, size_t arena_max)
{
	struct rows_ahead *a = NEW(struct rows_ahead);

	a->store = store;
	a->account = account;
	a->mailbox = mailbox;
	a->uids = uids;
	a->columns = columns;
	a->users = 2;
	arena_init(&a->arena, arena_max);
	if (task_start("rows ahead", read_page, a))
		return a;
	a->users = 1;
	unref(a);
	return NULL;
}

enum store_outcome rows_ahead_take(struct rows_ahead **ahead, struct arena *arena,
				   struct message_row **rows, size_t *count,
				   uint32_t *next_uid)
{
	struct rows_ahead *a = *ahead;
	enum store_outcome outcome = STORE_UNAVAILABLE;

	*count = 0;
	*next_uid = 0;
	if (a->is_done || wait_on(&a->done, NEVER) == OK) {
		struct arena empty = *arena;

		*arena = a->arena;
		a->arena = empty;
		*rows = a->rows;
		*count = a->count;
		*next_uid = a->next_uid;
		outcome = a->outcome;
	}
	rows_ahead_drop(ahead);
	return outcome;
}

void rows_ahead_drop(struct rows_ahead **ahead)
{
	if (*ahead)
		unref(*ahead);
	*ahead = NULL;
}
