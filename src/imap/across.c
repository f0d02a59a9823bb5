#include "imap/across.h"

#include "imap/events.h"
#include "imap/shares.h"
#include "imap/walk.h"

struct across {
	struct session *s;
	const struct mailbox *to;
	struct store_op *ops;
	struct uid_range *sources, *seen; /* one UID each */
	size_t count, seen_count;
};

bool across_is(const struct session *s, const struct mailbox *to)
{
	return to->account != s->box.account || to->account >= ACCOUNT_VISITS;
}

static bool keep_words(struct arena *arena, struct keywords from, struct keywords *to)
{
	struct str *words = ARENA_ARRAY(arena, struct str, from.count + 1);

	for (size_t i = 0; words && i < from.count; i++)
		if (!arena_copy(arena, from.words[i], &words[i]))
			return false;
	*to = (struct keywords){words, from.count};
	return words;
}

/* The row is good until the next; what is kept of it is copied. */
static enum store_outcome add_row(struct across *a, const struct message_row *row)
{
	struct session *s = a->s;

	if (a->count == ACROSS_MAX)
		return STORE_INVALID;
	struct store_op *op = &a->ops[a->count];

	op->kind = OP_APPEND;
	op->append = (struct op_append){
		.mailbox = a->to->row.id,
		.body = {.from_account = s->box.account,
			 .from_message = row->message,
			 .from_mailbox = s->box.mailbox,
			 .from_uid = row->uid},
		.received_at = row->received_at,
		.received_zone = row->received_zone,
		.flags = row->flags,
	};
	if (!arena_copy(&s->scratch, row->trace, &op->append.trace) ||
	    !keep_words(&s->scratch, row->keywords, &op->append.keywords))
		return STORE_INVALID;
	a->sources[a->count++] = (struct uid_range){row->uid, row->uid};
	return STORE_OK;
}

static enum store_outcome gather(struct across *a, const struct imap_range *list,
				 size_t count)
{
	struct arena *arena = &a->s->scratch;
	struct walk walk = walk_over(a->s, list, count, ROW_KEYWORDS | ROW_MESSAGE);
	enum store_outcome outcome = STORE_OK;

	a->ops = ARENA_ARRAY(arena, struct store_op, ACROSS_MAX);
	a->sources = ARENA_ARRAY(arena, struct uid_range, ACROSS_MAX);
	a->seen = ARENA_ARRAY(arena, struct uid_range, ACROSS_MAX);
	if (!a->ops || !a->sources || !a->seen)
		return STORE_INVALID;
	for (const struct message_row *row;
	     outcome == STORE_OK && (row = walk_next(&walk));)
		outcome = add_row(a, row);
	return outcome == STORE_OK ? walk.outcome : outcome;
}

/* New UIDs ascend, as the messages do. */
static enum store_outcome told(struct across *a, const struct store_result *made,
			       struct op_result *result)
{
	struct uid_range *uids =
		ARENA_ARRAY(&a->s->scratch, struct uid_range, a->count + 1);

	if (!uids)
		return STORE_INVALID;
	for (size_t i = 0; i < a->count; i++) {
		uint32_t uid = made->ops[i].uid;

		uids[i] = (struct uid_range){uid, uid};
		if (a->ops[i].append.flags & FLAG_SEEN)
			a->seen[a->seen_count++] = uids[i];
	}
	*result = (struct op_result){.mailbox = a->to->row.id,
				     .uid_validity = made->ops[0].uid_validity,
				     .uids = {a->sources, a->count},
				     .to_uids = {uids, a->count}};
	return STORE_OK;
}

enum store_outcome across_copy(struct session *s, const struct imap_range *list,
			       size_t count, const struct mailbox *to,
			       struct op_result *result)
{
	struct across a = {.s = s, .to = to};
	struct store_result made;
	enum store_outcome outcome = gather(&a, list, count);

	*result = (struct op_result){0};
	if (outcome != STORE_OK || a.count == 0)
		return outcome;
	struct store_commit commit = {
		.account = to->account, .ops = a.ops, .count = a.count};

	outcome = store_commit(session_store(s), &commit, &s->scratch, &made);
	if (outcome == STORE_OK)
		events_own(s, to->account, made.change);
	if (outcome == STORE_OK)
		outcome = told(&a, &made, result);
	if (outcome == STORE_OK)
		shares_mark_seen(s, to->account, to->row.id,
				 (struct uid_set){a.seen, a.seen_count});
	return outcome;
}
