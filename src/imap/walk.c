#include "imap/walk.h"

#include "imap/session.h"

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

static void turn_page(struct walk *walk)
{
	struct session *s = walk->s;
	struct uid_range rest = {walk->next ? walk->next : walk->list[0].first,
				 walk->list[0].last};

	arena_reset(walk->arena);
	walk->row_at = walk->row_count = 0;
	walk->outcome = store_rows(session_store(s), walk->account, walk->mailbox, rest,
				   walk->columns, walk->arena, &walk->rows,
				   &walk->row_count, &walk->next);
	if (walk->next == 0 || walk->next > rest.last) {
		walk->list++;
		walk->count--;
		walk->next = 0;
	}
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
	return &walk->rows[walk->row_at++];
}

const struct message_row *walk_page(const struct walk *walk, size_t *count)
{
	ASSERT(walk->row_at > 0);
	*count = walk->row_count - (walk->row_at - 1);
	return &walk->rows[walk->row_at - 1];
}
