#include "imap/selected.h"

#include "imap/context.h"
#include "imap/events.h"
#include "imap/fetch.h"
#include "imap/permanent.h"
#include "imap/recent.h"
#include "imap/session.h"
#include "imap/walk.h"
#include "store/acl.h"

enum { TRIES = 5, ROW_BYTES = 64 << 10, KEYWORDS_BYTES = 32 << 10 };

void selected_leave(struct session *s)
{
	buf_fini(&s->box.keywords);
	numbers_fini(&s->box.numbers);
	uids_fini(&s->box.gone);
	uids_fini(&s->box.flags);
	uids_fini(&s->box.fresh);
	uids_fini(&s->box.saved);
	uids_fini(&s->box.recents);
	contexts_end(s);
	uids_fini(&s->box.touched);
	store_watch_close(&s->visited);
	s->box = (struct selected){0};
	if (s->state == IMAP_SELECTED)
		s->state = IMAP_AUTHENTICATED;
}

/* Reads the UIDs in a range into numbers, above what they hold. */
static enum store_outcome load_uids(struct session *s, struct imap_range uids,
				    struct numbers *numbers)
{
	bool is_empty = uids.first > uids.last;
	SCOPED(walk_fini) struct walk walk = walk_through(s, &uids, is_empty ? 0 : 1, 0);

	for (const struct message_row *row; (row = walk_next(&walk));)
		numbers_add(numbers, row->uid, row->uid);
	return walk.outcome;
}

enum store_outcome selected_enter(struct session *s, account_t account, uint64_t mailbox,
				  bool is_read_only, struct mailbox_row *row)
{
	struct selected *box = &s->box;
	enum store_outcome outcome = STORE_OK;

	*row = (struct mailbox_row){0};
	selected_leave(s);
	if (account >= ACCOUNT_VISITS)
		outcome = store_watch_open(session_store(s), &s->visited, account);
	s->visited.also = &s->watch; /* which the session waits for */
	if (outcome == STORE_OK)
		outcome = store_mailbox(session_store(s), account, mailbox, &s->scratch,
					row);
	if (outcome == STORE_OK && !(row->rights & ACL_READ))
		outcome = STORE_DENIED;
	if (outcome != STORE_OK) {
		selected_leave(s);
		return outcome;
	}
	box->mailbox = mailbox;
	box->account = account;
	box->keywords = BUF(KEYWORDS_BYTES);
	box->rights = row->rights;
	box->is_read_only = is_read_only;
	box->change = row->change; /* the row is as it was then */
	box->modseq = box->told = num_min(row->modseq, row->change);
	box->count = row->exists;
	box->uid_next = row->uid_next;
	box->uid_validity = row->uid_validity;
	s->state = IMAP_SELECTED;
	recent_enter(s, row);
	return STORE_OK;
}

bool selected_is(const struct session *s, account_t account, uint64_t mailbox)
{
	return s->state == IMAP_SELECTED && account == s->box.account &&
	       mailbox == s->box.mailbox;
}

/* What the client has not been told of is gone without a trace: it will not be among the
 * new messages either. */
static void known_gone(struct selected *box, struct uid_range uids)
{
	if (uids.first < box->uid_next)
		uids_add(&box->gone, uids.first,
			 (uint32_t)num_min(uids.last, box->uid_next - 1));
}

/* Messages that this session did not store itself, to be told with what NOTIFY asked for
 * (RFC 5465 §5.2). */
static void collect_new(struct session *s, const struct change_row *row)
{
	struct selected *box = &s->box;

	if (row->uids.last < box->uid_next)
		return;
	box->has_new = true;
	box->new_upto = row->uids.last;
	if ((events_items(s) || box->contexts) &&
	    !events_is_own(s, box->account, row->change))
		uids_add(&box->fresh, row->uids.first, row->uids.last);
}

static void collect_row(struct session *s, const struct change_row *row)
{
	struct selected *box = &s->box;

	switch (row->kind) {
	case CHANGE_MAILBOX:
	case CHANGE_ANNOTATION:
	case CHANGE_SHARES:
		return;
	case CHANGE_RIGHTS:
		box->has_new_rights = true;
		return;
	case CHANGE_MAILBOX_GONE:
		box->is_gone = true;
		return;
	case CHANGE_MESSAGE_NEW:
		collect_new(s, row);
		break;
	case CHANGE_MESSAGE_GONE:
		known_gone(box, row->uids);
		break;
	case CHANGE_MESSAGE_FLAGS:
		break;
	}
	box->modseq = num_max(box->modseq, row->change);
	if (row->kind != CHANGE_MESSAGE_FLAGS)
		return;
	if (box->contexts) /* it does not matter who changed them */
		uids_add(&box->touched, row->uids.first, row->uids.last);
	if (!events_is_own(s, box->account, row->change))
		uids_add(&box->flags, row->uids.first, row->uids.last);
}

enum store_outcome selected_collect(struct session *s)
{
	struct selected *box = &s->box;
	bool more = true;

	while (more) {
		struct change_row *rows;
		size_t count;

		arena_reset(&s->page);
		enum store_outcome outcome = store_changes(
			session_store(s), box->account, box->mailbox, box->change,
			&s->page, &rows, &count, &box->change, &more);

		if (outcome == STORE_ABSENT)
			box->is_gone = true;
		if (outcome != STORE_OK)
			return outcome;
		for (size_t i = 0; i < count; i++)
			collect_row(s, &rows[i]);
	}
	uids_sort(&box->gone);
	uids_sort(&box->flags);
	uids_sort(&box->touched);
	uids_sort(&box->fresh);
	return STORE_OK;
}

/* The client knows count messages below uid_next; now fewer may be there.  If the ones
 * that went are exactly those that changes told of, they get their places back until the
 * client learns that they went. */
static bool restore_gone(struct selected *box)
{
	uint64_t missing = box->count - numbers_total(&box->numbers);

	if (uids_total(&box->gone) != missing)
		return false;
	numbers_insert(&box->numbers, &box->gone);
	return true;
}

/* The client knows as many messages as there are UIDs below uid_next: all of them. */
static bool number_whole(struct selected *box)
{
	if (box->count != box->uid_next - 1)
		return false;
	numbers_clear(&box->numbers);
	if (box->count > 0)
		numbers_add(&box->numbers, 1, box->count);
	return true;
}

enum store_outcome selected_number(struct session *s)
{
	struct selected *box = &s->box;

	if (!box->is_numbered)
		box->is_numbered = number_whole(box);
	if (box->is_numbered)
		return STORE_OK;
	for (int i = 0; i < TRIES; i++) {
		struct imap_range known = {1, box->uid_next - 1};

		numbers_clear(&box->numbers);
		enum store_outcome outcome = load_uids(s, known, &box->numbers);

		if (outcome != STORE_OK)
			return outcome;
		box->is_numbered = numbers_total(&box->numbers) == box->count;
		if (box->is_numbered)
			return STORE_OK;
		outcome = selected_collect(s);
		if (outcome != STORE_OK)
			return outcome;
		if (numbers_total(&box->numbers) < box->count && restore_gone(box)) {
			box->is_numbered = numbers_total(&box->numbers) == box->count;
			if (box->is_numbered)
				return STORE_OK;
		}
	}
	return STORE_CONFLICT;
}

/* All at once, as UIDs, and only those that the client knows of.  RFC 7162 §3.2.10.2. */
static void tell_vanished(struct session *s, const struct uids *gone)
{
	struct selected *box = &s->box;
	struct imap_set_writer writer = {.out = &s->out};
	bool has_any = false;

	for (size_t i = 0; i < gone->count; i++) {
		uint32_t low = numbers_up_to(&box->numbers, gone->list[i].first - 1);
		uint32_t high = numbers_up_to(&box->numbers, gone->list[i].last);

		if (!has_any && low < high)
			buf_add_c(&s->out, "* VANISHED ");
		has_any |= low < high;
		while (low++ < high)
			imap_set_add(&writer, numbers_uid(&box->numbers, low));
		if (s->out.len > 32 << 10)
			session_send(s);
	}
	imap_set_end(&writer);
	if (has_any)
		buf_add_c(&s->out, "\r\n");
}

/* From the end, so that each number is right when the client reads it. */
static void tell_expunged(struct session *s, const struct uids *gone)
{
	struct selected *box = &s->box;

	for (size_t i = gone->count; i-- > 0;) {
		uint32_t low = numbers_up_to(&box->numbers, gone->list[i].first - 1);
		uint32_t high = numbers_up_to(&box->numbers, gone->list[i].last);

		for (; high > low; high--) {
			buf_printf(&s->out, "* %u EXPUNGE\r\n", high);
			if (s->out.len > 32 << 10)
				session_send(s);
		}
	}
}

static void tell_gone(struct session *s)
{
	struct selected *box = &s->box;
	struct uids gone = box->gone;

	box->gone = (struct uids){0};
	contexts_tell_gone(s, &gone);
	if (s->is_qresync || s->is_uid_only) /* RFC 9586 §3.4 */
		tell_vanished(s, &gone);
	else
		tell_expunged(s, &gone);
	numbers_remove(&box->numbers, &gone);
	box->count = numbers_total(&box->numbers);
	recent_gone(s);
	uids_fini(&gone);
}

static enum store_outcome tell_new(struct session *s)
{
	struct selected *box = &s->box;
	SCOPED(numbers_fini) struct numbers fresh = {0};
	/* What came since will be told when its change is, or it would be told without
	 * what NOTIFY asked for. */
	struct imap_range uids = {box->uid_next, box->new_upto};
	enum store_outcome outcome = load_uids(s, uids, &fresh);

	if (outcome != STORE_OK)
		return outcome;
	box->has_new = false;
	if (numbers_total(&fresh) == 0)
		return STORE_OK;
	for (size_t i = 0; box->is_numbered && i < fresh.count; i++)
		numbers_add(&box->numbers, fresh.runs[i].first, fresh.runs[i].last);
	box->count += numbers_total(&fresh);
	box->uid_next = numbers_last_uid(&fresh) + 1;
	buf_printf(&s->out, "* %u EXISTS\r\n", box->count);
	recent_come(s, &fresh);
	return STORE_OK;
}

void selected_write_fetch(struct session *s, uint32_t number, uint32_t uid)
{
	buf_add(&s->out, STR("* "));
	buf_add_u64(&s->out, s->is_uid_only ? uid : number);
	buf_add(&s->out, s->is_uid_only ? STR(" UIDFETCH (") : STR(" FETCH ("));
}

static void flags_write(struct session *s, const struct message_row *row)
{
	uint32_t number = numbers_of_uid(&s->box.numbers, row->uid);

	if (number == 0)
		return;
	permanent_meet(s, &row->keywords);
	selected_write_fetch(s, number, row->uid);
	buf_printf(&s->out, "UID %u FLAGS ", row->uid);
	imap_write_flags(&s->out, recent_flags(s, row), row->keywords.words,
			 row->keywords.count);
	if (s->is_condstore) {
		buf_printf(&s->out, " MODSEQ (%llu)", (unsigned long long)row->modseq);
		s->box.sent = num_max(s->box.sent, row->modseq);
	}
	buf_add_c(&s->out, ")\r\n");
}

static enum store_outcome tell_flags(struct session *s, const struct uids *flags)
{
	unsigned columns = ROW_KEYWORDS | (s->is_condstore ? ROW_MODSEQ : 0);
	struct walk walk = walk_over(s, flags->list, flags->count, columns);

	for (const struct message_row *row; (row = walk_next(&walk));) {
		flags_write(s, row);
		if (s->out.len > 32 << 10)
			session_send(s);
	}
	return walk.outcome;
}

/* What came to the mailbox and what was touched is looked at again. */
static enum store_outcome tell_contexts(struct session *s, uint32_t known_below)
{
	struct selected *box = &s->box;
	SCOPED(uids_fini) struct uids changed = box->touched, unknown = {0};

	box->touched = (struct uids){0};
	uids_add(&unknown, box->uid_next, UINT32_MAX);
	if (box->uid_next > known_below)
		uids_add(&changed, known_below, box->uid_next - 1);
	uids_sort(&changed);
	uids_subtract(&changed, &unknown); /* they are looked at when they are told */
	if (changed.count == 0)
		return STORE_OK;
	enum store_outcome outcome = selected_number(s);

	return outcome == STORE_OK ? contexts_tell_changed(s, &changed) : outcome;
}

/* What NOTIFY asked to be told of them, behind EXISTS.  RFC 5465 §5.2. */
static err_t tell_fresh(struct session *s, uint32_t known_below)
{
	SCOPED(uids_fini) struct uids fresh = s->box.fresh, told = {0};
	const struct imap_fetch *items = events_items(s);

	s->box.fresh = (struct uids){0};
	if (known_below > 1)
		uids_add(&told, 1, known_below - 1);
	uids_subtract(&fresh, &told);
	return items && fresh.count > 0 ? fetch_unasked(s, fresh.list, fresh.count, items)
					: OK;
}

static enum store_outcome tell_changed(struct session *s, uint32_t known_below)
{
	SCOPED(uids_fini) struct uids fresh = {0}, flags = s->box.flags;

	s->box.flags = (struct uids){0};
	uids_add(&fresh, known_below, UINT32_MAX);
	uids_subtract(&flags, &fresh); /* new ones are fetched anyway */
	return tell_flags(s, &flags);
}

static err_t lost(struct session *s, enum store_outcome outcome)
{
	if (outcome == STORE_DENIED) /* RFC 4314 §5.1.1 */
		return reply_bye(s, "[NOPERM] You may no longer read the mailbox that "
				    "you had open; connect again");
	if (s->box.is_gone && s->box.account >= ACCOUNT_VISITS)
		return reply_bye(s, "[NOPERM] The mailbox that you had open was deleted, "
				    "or you may no longer use it; connect again");
	if (s->box.is_gone)
		return reply_bye(
			s, "The mailbox that you had open was deleted; connect again");
	return reply_bye(s,
			 "[UNAVAILABLE] The mailbox cannot be followed (%s); select it "
			 "again",
			 store_outcome_text(outcome));
}

/* Of somebody else's mailbox.  Its list has changed: for us or for others. */
static enum store_outcome tell_rights(struct session *s)
{
	SCOPED(arena_fini) struct arena arena;
	struct mailbox_row row;

	arena_init(&arena, ROW_BYTES);
	if (!s->box.has_new_rights)
		return STORE_OK;
	enum store_outcome outcome = store_mailbox(session_store(s), s->box.account,
						   s->box.mailbox, &arena, &row);

	if (outcome != STORE_OK)
		return outcome;
	s->box.has_new_rights = false;
	permanent_change(s, row.rights);
	return STORE_OK;
}

err_t selected_tell(struct session *s, unsigned events)
{
	struct selected *box = &s->box;
	enum store_outcome outcome = selected_collect(s);
	uint32_t known_below = box->uid_next;
	bool tells_gone = (events & IMAP_EVENT_MESSAGE_EXPUNGE) && box->gone.count > 0;
	bool tells_new = (events & IMAP_EVENT_MESSAGE_NEW) && box->has_new;
	bool tells_flags = (events & IMAP_EVENT_FLAG_CHANGE) && box->flags.count > 0;

	if (outcome == STORE_OK && !box->is_gone)
		outcome = tell_rights(s);
	if (outcome != STORE_OK || box->is_gone)
		return lost(s, outcome);
	if (tells_gone || tells_flags)
		outcome = selected_number(s);
	if (outcome == STORE_OK && tells_gone)
		tell_gone(s);
	if (outcome == STORE_OK && tells_new)
		outcome = tell_new(s);
	if (box->owes_recent)
		recent_write(s);
	if (outcome == STORE_OK && tells_flags)
		outcome = tell_changed(s, known_below);
	if (outcome == STORE_OK && box->contexts)
		outcome = tell_contexts(s, known_below);
	if (outcome == STORE_OK && tells_new) /* behind ESEARCH (RFC 5465 §5.2) */
		TRY(tell_fresh(s, known_below));
	if (outcome != STORE_OK)
		return lost(s, outcome);
	if (box->gone.count == 0 && box->flags.count == 0 && !box->has_new)
		box->told = box->modseq;
	if (s->out.len > 0)
		session_send(s);
	return OK;
}

/* Sequence numbers a:b are all that is there between two UIDs, since new messages come
 * only behind the last that the client knows. */
static enum selected_set by_number(struct session *s, struct imap_sequence_set *set,
				   const char **reason)
{
	const struct numbers *numbers = &s->box.numbers;
	uint32_t total = numbers_total(numbers);

	if (total == 0 && set->star_from != 0) {
		*reason = "there are no messages";
		return SELECTED_BAD;
	}
	imap_sequence_set_resolve(set, total);
	for (size_t i = 0; i < set->count; i++) {
		struct imap_range *range = &set->ranges[i];

		if (range->last > total) {
			*reason = "there are not so many messages"; /* RFC 9051 §9 */
			return SELECTED_BAD;
		}
		*range = (struct imap_range){numbers_uid(numbers, range->first),
					     numbers_uid(numbers, range->last)};
	}
	return SELECTED_OK;
}

/* Leniency: what a search names by a number that is not there it does not find. */
static void only_there(struct imap_sequence_set *set, uint32_t total)
{
	size_t kept = 0;

	imap_sequence_set_resolve(set, total);
	for (size_t i = 0; i < set->count && set->ranges[i].first <= total; i++)
		set->ranges[kept++] = (struct imap_range){
			set->ranges[i].first,
			(uint32_t)num_min(set->ranges[i].last, total)};
	set->count = kept;
}

/* A command never touches messages that the client has not been told of. */
static void known_only(const struct selected *box, struct imap_sequence_set *set)
{
	while (set->count > 0 && set->ranges[set->count - 1].first >= box->uid_next)
		set->count--;
	if (set->count > 0 && set->ranges[set->count - 1].last >= box->uid_next)
		set->ranges[set->count - 1].last = box->uid_next - 1;
}

enum selected_set selected_uids(struct session *s, const struct imap_sequence_set *set,
				enum selected_by by, struct imap_range **list,
				size_t *count, const char **reason)
{
	struct imap_sequence_set copy = *set;
	enum selected_set found = SELECTED_OK;

	if (set->is_saved) {
		*list = s->box.saved.list;
		*count = s->box.saved.count;
		return SELECTED_OK;
	}
	/* "1:*" is all there is, whatever the last of them. */
	if ((by != BY_UID || set->star_from > 1) && selected_number(s) != STORE_OK)
		return SELECTED_LOST;
	copy.ranges = ARENA_ARRAY(&s->scratch, struct imap_range, set->count + 1);
	if (!copy.ranges) {
		*reason = "the set of messages is too long";
		return SELECTED_BAD;
	}
	if (set->count > 0)
		memcpy(copy.ranges, set->ranges, set->count * sizeof *set->ranges);
	if (by == BY_NUMBER_THERE)
		only_there(&copy, numbers_total(&s->box.numbers));
	if (by == BY_UID) /* RFC 9051 §9: "*" of an empty mailbox is UIDNEXT */
		imap_sequence_set_resolve(&copy,
					  s->box.is_numbered && s->box.count > 0
						  ? numbers_last_uid(&s->box.numbers)
						  : s->box.uid_next);
	else
		found = by_number(s, &copy, reason);
	known_only(&s->box, &copy);
	*list = copy.ranges;
	*count = copy.count;
	if (found == SELECTED_OK && copy.count > UID_RANGES_MAX) {
		*reason = "the set of messages is too long";
		return SELECTED_BAD;
	}
	return found;
}
