#include "imap/resync.h"

#include "imap/fetch.h"
#include "imap/walk.h"

static void add_list(struct uids *set, const struct imap_range *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		uids_add(set, list[i].first, list[i].last);
}

/* What the change log tells since, of what the client was told or is about to be told. */
struct history {
	struct uids changed, gone;
	bool is_whole; /* false: the log begins later */
};

static void history_fini(struct history *history)
{
	uids_fini(&history->changed);
	uids_fini(&history->gone);
}

static enum store_outcome read_log(struct session *s, uint64_t since,
				   struct history *history)
{
	const struct selected *box = &s->box;
	bool more = since < box->change;

	history->is_whole = since <= box->change;
	while (more) {
		struct change_row *rows;
		size_t count;

		arena_reset(&s->page);
		enum store_outcome outcome =
			store_changes(session_store(s), s->box.account, box->mailbox,
				      since, &s->page, &rows, &count, &since, &more);

		history->is_whole = outcome != STORE_CONFLICT;
		if (outcome != STORE_OK)
			return history->is_whole ? outcome : STORE_OK;
		for (size_t i = 0; i < count && rows[i].change <= box->change; i++) {
			struct uids *set = rows[i].kind == CHANGE_MESSAGE_GONE
						   ? &history->gone
						   : &history->changed;

			if (rows[i].kind >= CHANGE_MESSAGE_NEW &&
			    rows[i].kind <= CHANGE_MESSAGE_GONE)
				uids_add(set, rows[i].uids.first, rows[i].uids.last);
		}
		more &= since < box->change;
	}
	uids_sort(&history->changed);
	uids_sort(&history->gone);
	return STORE_OK;
}

/* Those of the list that may have changed. */
static void candidates(const struct history *history, const struct imap_range *list,
		       size_t count, struct uids *wanted)
{
	add_list(wanted, list, count);
	if (history->is_whole)
		uids_intersect(wanted, &history->changed);
}

enum store_outcome resync_changed(struct session *s, const struct imap_range *list,
				  size_t count, uint64_t since, struct uids *changed)
{
	SCOPED(history_fini) struct history history = {0};
	SCOPED(uids_fini) struct uids wanted = {0};
	enum store_outcome outcome = read_log(s, since, &history);

	if (outcome != STORE_OK)
		return outcome;
	candidates(&history, list, count, &wanted);
	SCOPED(walk_fini)
	struct walk walk = walk_through(s, wanted.list, wanted.count, ROW_MODSEQ);

	for (const struct message_row *row; (row = walk_next(&walk));) {
		if (row->modseq > since)
			uids_add(changed, row->uid, row->uid);
	}
	return walk.outcome;
}

static void write_vanished(struct session *s, const struct uids *gone)
{
	if (gone->count == 0)
		return;
	buf_add_c(&s->out, "* VANISHED (EARLIER) ");
	for (size_t i = 0; i < gone->count; i++) {
		if (i > 0)
			buf_add_byte(&s->out, ',');
		imap_ranges_write(&s->out, &gone->list[i], 1);
		if (s->out.len > 32 << 10)
			session_send(s);
	}
	buf_add_c(&s->out, "\r\n");
}

/* The UID up to which the client's samples show that it knows all that went.  RFC 7162
 * §3.2.5.2. */
static uint32_t matched_up_to(struct session *s, const struct imap_select *select)
{
	const struct imap_range *uids = select->uids.ranges;
	uint32_t matched = 0, uid = 0;

	for (size_t i = 0, u = 0; i < select->numbers.count; i++) {
		struct imap_range numbers = select->numbers.ranges[i];

		for (uint64_t number = numbers.first; number <= numbers.last; number++) {
			uid = uid == 0 ? uids[u].first : uid + 1;
			if (number > numbers_total(&s->box.numbers) ||
			    numbers_uid(&s->box.numbers, (uint32_t)number) != uid)
				return matched;
			matched = uid;
			if (uid == uids[u].last) {
				u++;
				uid = 0;
			}
		}
	}
	return matched;
}

/* What a log that is too short leaves to say: all that are not there (RFC 7162 §3.2.6).
 */
static enum store_outcome
only_absent(struct session *s, const struct imap_select *samples, struct uids *gone)
{
	SCOPED(uids_fini) struct uids known = {0}, passed = {0};
	enum store_outcome outcome = selected_number(s);

	if (outcome != STORE_OK)
		return outcome;
	for (size_t i = 0; i < s->box.numbers.count; i++)
		uids_add(&known, s->box.numbers.runs[i].first,
			 s->box.numbers.runs[i].last);
	uids_subtract(gone, &known);
	uint32_t matched = samples ? matched_up_to(s, samples) : 0;

	if (matched > 0)
		uids_add(&passed, 1, matched);
	uids_subtract(gone, &passed);
	return STORE_OK;
}

static enum store_outcome tell_vanished(struct session *s, const struct history *history,
					const struct imap_range *list, size_t count,
					const struct imap_select *samples)
{
	SCOPED(uids_fini) struct uids vanished = {0};
	enum store_outcome outcome = STORE_OK;

	add_list(&vanished, list, count);
	if (history->is_whole) {
		uids_intersect(&vanished, &history->gone);
		uids_subtract(&vanished, &s->box.gone); /* they are told in their turn */
	} else {
		outcome = only_absent(s, samples, &vanished);
	}
	if (outcome == STORE_OK)
		write_vanished(s, &vanished);
	return outcome;
}

enum store_outcome resync_vanished(struct session *s, const struct imap_range *list,
				   size_t count, uint64_t since)
{
	SCOPED(history_fini) struct history history = {0};
	enum store_outcome outcome = read_log(s, since, &history);

	return outcome == STORE_OK ? tell_vanished(s, &history, list, count, NULL)
				   : outcome;
}

enum store_outcome resync_select(struct session *s, const struct imap_select *select)
{
	SCOPED(history_fini) struct history history = {0};
	SCOPED(uids_fini) struct uids known = {0}, all = {0}, changed = {0};

	if (s->box.uid_next == 1)
		return STORE_OK;
	uids_add(&all, 1, s->box.uid_next - 1);
	if (select->has_known)
		add_list(&known, select->known.ranges, select->known.count);
	else
		uids_add(&known, 1, s->box.uid_next - 1);
	uids_intersect(&known, &all);
	enum store_outcome outcome = read_log(s, select->modseq, &history);

	if (outcome == STORE_OK)
		outcome = tell_vanished(s, &history, known.list, known.count, select);
	if (outcome != STORE_OK)
		return outcome;
	candidates(&history, known.list, known.count, &changed);
	return fetch_changed(s, changed.list, changed.count,
			     IMAP_FETCH_UID | IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ,
			     select->modseq);
}
