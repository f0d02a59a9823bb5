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

/* What comes next, up to so many ranges; NULL at the arena's bound. */
static struct uid_range *rest_of(const struct walk *walk, struct arena *arena,
				 size_t count)
{
	struct uid_range *rest = ARENA_ARRAY(arena, struct uid_range, count);

	for (size_t i = 0; rest && i < count; i++)
		rest[i] = (struct uid_range){walk->list[i].first, walk->list[i].last};
	if (rest && walk->next != 0)
		rest[0].first = walk->next;
	return rest;
}

/* What was asked for is behind it up to next; 0: all of it.  Gives how many UIDs. */
static uint64_t pass(struct walk *walk, const struct uid_range *asked, size_t count,
		     uint32_t next)
{
	uint64_t uids = 0;
	size_t at = 0;

	while (at < count && (next == 0 || asked[at].last < next)) {
		uids += (uint64_t)asked[at].last - asked[at].first + 1;
		at++;
	}
	walk->list += at;
	walk->count -= at;
	walk->next = 0;
	if (at < count && next > asked[at].first) {
		uids += next - asked[at].first;
		walk->next = next;
	}
	return uids;
}

/* Some of what comes next is on its way while this page is looked at. */
static void ask_ahead(struct walk *walk, uint64_t uids_a_page)
{
	struct session *s = walk->s;
	SCOPED(arena_fini) struct arena arena;

	arena_init(&arena, walk->arena->max);
	const struct uid_range *rest = rest_of(walk, &arena, walk->count);
	const struct rows_wanted wanted = {walk->account,
					   walk->mailbox,
					   {rest, rest ? walk->count : 0},
					   walk->columns};

	if (rest)
		walk->ahead = rows_ahead_start(session_store(s), &wanted, uids_a_page,
					       walk->arena->max);
}

/* The page itself, without anybody's having read it before. */
static void read_page(struct walk *walk)
{
	size_t count = num_min(walk->count, ROWS_RANGES_MAX);
	struct uid_range *rest = rest_of(walk, walk->arena, count);
	uint32_t next = 0;

	walk->outcome = STORE_INVALID;
	if (rest)
		walk->outcome = store_rows_among(
			session_store(walk->s), walk->account, walk->mailbox,
			(struct uid_set){rest, count}, walk->columns, walk->arena,
			&walk->rows, &walk->row_count, &next);
	if (walk->outcome != STORE_OK)
		return;
	uint64_t uids = pass(walk, rest, count, next);

	if (walk->is_through && walk->count > 0)
		ask_ahead(walk, uids);
}

static void turn_page(struct walk *walk)
{
	arena_reset(walk->arena);
	walk->row_at = walk->row_count = 0;
	if (!walk->ahead) {
		read_page(walk);
	} else {
		walk->outcome = rows_ahead_take(&walk->ahead, walk->arena, &walk->rows,
						&walk->row_count);
		if (!walk->ahead)
			walk->count = 0;
	}
	if (walk->ahead)
		task_turn();
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

const struct message_row *walk_page_after(const struct walk *walk, size_t *count)
{
	*count = 0;
	return walk->ahead ? rows_ahead_look(walk->ahead, count) : NULL;
}
