#include "imap/walk.h"

#include "imap/session.h"

enum { ROWS_A_TURN = 250 };

struct walk walk_over(struct session *s, const struct imap_range *list, size_t count,
		      unsigned columns)
{
	return walk_beside(s, &s->page, list, count, columns);
}

struct walk walk_beside(struct session *s, struct arena *arena,
			const struct imap_range *list, size_t count, unsigned columns)
{
	return (struct walk){.s = s,
			     .arena = arena,
			     .account = s->box.account,
			     .mailbox = s->box.mailbox,
			     .list = list,
			     .count = count,
			     .columns = columns};
}

struct walk walk_through(struct session *s, const struct imap_range *list, size_t count,
			 unsigned columns)
{
	struct walk walk = walk_over(s, list, count, columns);

	walk.is_through = true;
	return walk;
}

void walk_fini(struct walk *walk)
{
	rows_ahead_drop(&walk->ahead);
}

/* Where the page that comes next begins, and the end of its range. */
static struct uid_range rest_of(const struct walk *walk)
{
	return (struct uid_range){walk->next ? walk->next : walk->list[0].first,
				  walk->list[0].last};
}

/* Some of what comes next is on its way while this page is looked at. */
static void ask_ahead(struct walk *walk)
{
	if (!walk->ahead)
		walk->ahead = rows_ahead_start(session_store(walk->s), walk->account,
					       walk->mailbox, rest_of(walk),
					       walk->columns, walk->arena->max);
	if (walk->ahead)
		task_turn();
}

static void turn_page(struct walk *walk)
{
	struct uid_range rest = rest_of(walk);

	arena_reset(walk->arena);
	walk->row_at = walk->row_count = 0;
	walk->outcome =
		walk->ahead ? rows_ahead_take(&walk->ahead, walk->arena, &walk->rows,
					      &walk->row_count, &walk->next)
			    : store_rows(session_store(walk->s), walk->account,
					 walk->mailbox, rest, walk->columns, walk->arena,
					 &walk->rows, &walk->row_count, &walk->next);
	if (walk->next == 0 || walk->next > rest.last) {
		walk->list++;
		walk->count--;
		walk->next = 0;
	}
	if (walk->is_through && walk->outcome == STORE_OK && walk->count > 0)
		ask_ahead(walk);
}

const struct message_row *walk_next(struct walk *walk)
{
	while (walk->row_at == walk->row_count) {
		if (walk->outcome != STORE_OK || walk->count == 0)
			return NULL;
		turn_page(walk);
		if (walk->outcome != STORE_OK)
			return NULL;
	}
	if (walk->ahead && walk->row_at % ROWS_A_TURN == ROWS_A_TURN - 1)
		task_turn(); /* a page that came makes room to ask for the next */
	return &walk->rows[walk->row_at++];
}

const struct message_row *walk_page(const struct walk *walk, size_t *count)
{
	ASSERT(walk->row_at > 0);
	*count = walk->row_count - (walk->row_at - 1);
	return &walk->rows[walk->row_at - 1];
}
