#include "store/rows_ahead.h"

#include "base/mem.h"

enum { PAGES = 2 };

struct page {
	struct arena arena;
	struct message_row *rows;
	size_t count;
	uint32_t next_uid;
	enum store_outcome outcome;
};

struct rows_ahead {
	struct store *store;
	account_t account;
	uint64_t mailbox;
	struct uid_range rest; /* what was not asked for yet; first 0: nothing */
	unsigned columns;
	struct page pages[PAGES]; /* a ring: */
	size_t first, count;      /* those that were read and not taken */
	bool is_over;             /* no more will come */
	struct waiters read, room;
	unsigned users; /* the owner, and the task that reads */
};

static void unref(struct rows_ahead *a)
{
	if (--a->users > 0)
		return;
	for (size_t i = 0; i < PAGES; i++)
		arena_fini(&a->pages[i].arena);
	mem_free(a);
}

static bool has_owner(const struct rows_ahead *a)
{
	return a->users > 1;
}

static void read_page(struct rows_ahead *a, struct page *page)
{
	page->outcome =
		store_rows(a->store, a->account, a->mailbox, a->rest, a->columns,
			   &page->arena, &page->rows, &page->count, &page->next_uid);
	if (page->outcome != STORE_OK || page->next_uid > a->rest.last)
		page->next_uid = 0;
	a->rest.first = page->next_uid;
	a->count++;
	wake_all(&a->read);
}

static void read_pages(void *arg)
{
	struct rows_ahead *a = arg;
	err_t err = OK;

	while (err == OK && has_owner(a) && a->rest.first != 0) {
		if (a->count < PAGES)
			read_page(a, &a->pages[(a->first + a->count) % PAGES]);
		else
			err = wait_on(&a->room, NEVER);
	}
	a->is_over = true;
	wake_all(&a->read);
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
	a->rest = uids;
	a->columns = columns;
	a->users = 2;
	for (size_t i = 0; i < PAGES; i++)
		arena_init(&a->pages[i].arena, arena_max);
	if (task_start("rows ahead", read_pages, a))
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
	err_t err = OK;

	*count = 0;
	*next_uid = 0;
	while (err == OK && a->count == 0 && !a->is_over)
		err = wait_on(&a->read, NEVER);
	if (a->count > 0) {
		struct page *page = &a->pages[a->first];
		struct arena old = *arena;

		*arena = page->arena;
		page->arena = old;
		arena_reset(&page->arena);
		*rows = page->rows;
		*count = page->count;
		*next_uid = page->next_uid;
		outcome = page->outcome;
		a->first = (a->first + 1) % PAGES;
		a->count--;
		wake_all(&a->room);
	}
	if (*next_uid == 0)
		rows_ahead_drop(ahead);
	return outcome;
}

void rows_ahead_drop(struct rows_ahead **ahead)
{
	struct rows_ahead *a = *ahead;

	*ahead = NULL;
	if (!a)
		return;
	wake_all(&a->room); /* it sees then that nobody waits for more */
	unref(a);
}
