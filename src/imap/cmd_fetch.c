/* FETCH, UID FETCH: which messages, and what becomes of them by it.  RFC 9051 §6.4.5,
 * RFC 7162 §3.1.4, RFC 9394. */
#include "imap/events.h"
#include "imap/fetch.h"
#include "imap/limit.h"
#include "imap/named.h"
#include "imap/resync.h"
#include "imap/walk.h"

static bool any_unseen(struct session *s, const struct imap_range *list, size_t count)
{
	struct walk walk = walk_over(s, list, count, 0);

	for (const struct message_row *row; (row = walk_next(&walk));) {
		if (!(row->flags & FLAG_SEEN))
			return true;
	}
	return false;
}

/* Reading text sets \Seen, told with the text (RFC 9051 §6.4.5).  If it cannot be set,
 * the text is read nevertheless. */
static void mark_seen(struct session *s, const struct imap_range *list, size_t count,
		      struct uids *seen)
{
	struct store_op op = {.kind = OP_FLAGS};
	struct store_commit commit = {.account = s->box.account, .ops = &op, .count = 1};
	struct store_result result;

	if (!any_unseen(s, list, count)) /* a commit costs a flush */
		return;
	op.flags = (struct op_flags){.mailbox = s->box.mailbox,
				     .mode = FLAGS_ADD,
				     .flags = FLAG_SEEN,
				     .unchanged_since = UINT64_MAX};
	if (!uids_for_store(&s->scratch, list, count, &op.flags.uids) ||
	    store_commit(session_store(s), &commit, &s->scratch, &result) != STORE_OK)
		return;
	uids_copy(seen, result.ops[0].uids);
	if (seen->count > 0)
		events_own(s, s->box.account, result.change);
}

static bool sets_seen(const struct imap_fetch *fetch)
{
	for (size_t i = 0; i < fetch->section_count; i++) {
		if (!fetch->sections[i].is_peek)
			return true;
	}
	return false;
}

/* Says what went, and leaves of the list what changed.  RFC 7162 §3.1.4.1, §3.2.6. */
static enum store_outcome only_changed(struct session *s, const struct imap_fetch *fetch,
				       struct imap_range **list, size_t *count,
				       struct uids *changed)
{
	enum store_outcome outcome = STORE_OK;

	if (!fetch->has_changed_since)
		return STORE_OK;
	if (fetch->wants_vanished)
		outcome = resync_vanished(s, *list, *count, fetch->changed_since);
	if (outcome == STORE_OK)
		outcome = resync_changed(s, *list, *count, fetch->changed_since, changed);
	*list = changed->list;
	*count = changed->count;
	return outcome;
}

/* Leaves of the list the part that was asked for, before anything else is.  RFC 9394
 * §3.3, §3.4. */
static enum store_outcome only_part(struct session *s, const struct imap_fetch *fetch,
				    struct imap_range **list, size_t *count,
				    struct uids *part)
{
	uint64_t begin, end;

	if (!fetch->is_partial)
		return STORE_OK;
	enum store_outcome outcome = selected_number(s);

	if (outcome != STORE_OK)
		return outcome;
	imap_partial_places(&fetch->partial,
			    numbers_among(&s->box.numbers, *list, *count), &begin, &end);
	numbers_part(&s->box.numbers, *list, *count, begin, end, part);
	*list = part->list;
	*count = part->count;
	return STORE_OK;
}

static err_t fetched(struct session *s, const struct imap_command *command,
		     enum store_outcome outcome)
{
	if (outcome == STORE_CONFLICT)
		return reply_no(s, command,
				"[UNKNOWN-CTE] The encoding of a part is not known; "
				"fetch it with BODY");
	if (outcome == STORE_DAMAGED)
		return reply_no(s, command,
				"[CORRUPTION] A message is damaged on our disk; the "
				"others are whole");
	if (outcome == STORE_INVALID)
		return reply_no(
			s, command,
			"[LIMIT] A message is too big for that; fetch it in parts");
	if (outcome != STORE_OK)
		return reply_no(s, command,
				"[UNAVAILABLE] Some messages cannot be read now; the "
				"others are here, try again in a minute");
	return reply_ok(s, command, "That is all");
}

err_t on_fetch(struct session *s, const struct imap_command *command)
{
	const struct imap_fetch *fetch = &command->fetch;
	SCOPED(uids_fini) struct uids seen = {0}, changed = {0}, part = {0};
	struct imap_range *list;
	bool is_broken;
	err_t err = OK;
	size_t count;

	if (fetch->wants_vanished && !s->is_qresync)
		return reply_bad(s, command, "ENABLE QRESYNC first");
	if (!named_uids(s, command, &fetch->set, &list, &count, &err))
		return err;
	if (fetch->items & IMAP_FETCH_MODSEQ)
		session_condstore(s);
	enum store_outcome outcome = only_part(s, fetch, &list, &count, &part);

	if (outcome == STORE_OK)
		outcome = limit_ranges(s, &list, &count);
	if (outcome == STORE_OK)
		outcome = only_changed(s, fetch, &list, &count, &changed);
	if (outcome != STORE_OK)
		return fetched(s, command, outcome);
	if (sets_seen(fetch) && !s->box.is_read_only)
		mark_seen(s, list, count, &seen);
	outcome = fetch_asked(s, list, count, fetch, seen.count > 0 ? &seen : NULL,
			      &is_broken);
	if (is_broken)
		return ERR_IO; /* within a literal nothing can be said any more */
	return fetched(s, command, outcome);
}
