#include "imap/recent.h"

#include "base/log.h"
#include "wire/imap/token.h"

enum { ROW_BYTES = 16 << 10 };

uint32_t recent_count(const struct session *s, account_t account,
		      const struct mailbox_row *row)
{
	if (s->is_rev2)
		return 0;
	return selected_is(s, account, row->id) ? s->box.recent : row->recent;
}

bool recent_is(const struct session *s, uint32_t uid)
{
	return !s->is_rev2 && uids_has(&s->box.recents, uid);
}

unsigned recent_flags(const struct session *s, const struct message_row *row)
{
	return row->flags | (recent_is(s, row->uid) ? IMAP_RECENT : 0u);
}

void recent_write(struct session *s)
{
	if (!s->is_rev2)
		buf_printf(&s->out, "* %u RECENT\r\n", s->box.recent);
	s->box.owes_recent = false;
}

static bool sees_any(const struct session *s)
{
	return !s->is_rev2 && s->box.account < ACCOUNT_VISITS;
}

/* The first that is recent of those from there on to the last that is told now.  Where
 * that cannot be found out they all are ("SHOULD be considered recent"). */
static uint32_t take(struct session *s, uint32_t from)
{
	SCOPED(arena_fini) struct arena arena;
	struct store_op op = {.kind = OP_RECENT,
			      .recent = {s->box.mailbox, s->box.uid_next}};
	struct store_commit commit = {.account = s->box.account, .ops = &op, .count = 1};
	struct store_result result = {0};
	struct mailbox_row row;
	enum store_outcome outcome;

	arena_init(&arena, ROW_BYTES);
	if (s->box.is_read_only)
		outcome = store_mailbox(session_store(s), s->box.account, s->box.mailbox,
					&arena, &row);
	else
		outcome = store_commit(session_store(s), &commit, &arena, &result);
	if (outcome != STORE_OK) {
		LOG(DEBUG, "recent not known", KV_INT("session", s->id),
		    KV("outcome", store_outcome_text(outcome)));
		return from;
	}
	return s->box.is_read_only ? row.recent_from : result.ops[0].uid;
}

static void add(struct selected *box, uint32_t from, uint32_t below)
{
	if (from < below)
		uids_add(&box->recents, from, below - 1);
	uids_sort(&box->recents);
}

void recent_look(struct session *s, const struct mailbox_row *row)
{
	if (!sees_any(s) || row->recent == 0)
		return;
	s->box.recent = row->recent;
	add(&s->box, row->recent_from > 0 ? row->recent_from : 1, s->box.uid_next);
}

void recent_enter(struct session *s, const struct mailbox_row *row)
{
	uint32_t first = row->recent_from;

	if (!sees_any(s) || row->recent == 0)
		return;
	if (!s->box.is_read_only)
		first = take(s, row->recent_from);
	if (first == row->recent_from) {
		recent_look(s, row);
		return;
	}
	/* Somebody else was told of some meanwhile. */
	add(&s->box, first, s->box.uid_next);
	if (first < s->box.uid_next && selected_number(s) == STORE_OK)
		recent_gone(s);
	s->box.owes_recent = false;
}

bool recent_goes_along(const struct session *s, account_t account, uint64_t mailbox,
		       struct store_op *op)
{
	*op = (struct store_op){.kind = OP_RECENT, .recent = {mailbox, UINT32_MAX}};
	return selected_is(s, account, mailbox) && sees_any(s) && !s->box.is_read_only;
}

void recent_took(struct session *s, uint32_t first, uint32_t below)
{
	struct selected *box = &s->box;

	add(box, (uint32_t)num_max(first, box->uid_next), below);
	box->recent_taken = below;
}

void recent_come(struct session *s, const struct numbers *fresh)
{
	struct selected *box = &s->box;
	uint32_t from = (uint32_t)num_max(numbers_uid(fresh, 1), box->recent_taken);

	box->owes_recent = true;
	if (!sees_any(s))
		return;
	if (from < box->uid_next)
		add(box, (uint32_t)num_max(from, take(s, from)), box->uid_next);
	box->recent +=
		(uint32_t)numbers_among(fresh, box->recents.list, box->recents.count);
}

void recent_gone(struct session *s)
{
	struct selected *box = &s->box;
	uint32_t before = box->recent;

	box->recent = (uint32_t)numbers_among(&box->numbers, box->recents.list,
					      box->recents.count);
	box->owes_recent |= box->recent != before;
}
