/* COPY, MOVE, EXPUNGE and STORE: what changes messages.  RFC 9051 §6.4.3, §6.4.6 to
 * §6.4.9; RFC 4315 §2.1. */
#include "imap/across.h"
#include "imap/events.h"
#include "imap/fetch.h"
#include "imap/inprogress.h"
#include "imap/limit.h"
#include "imap/walk.h"

static err_t reply_unreadable(struct session *s)
{
	return reply_bye(s, "[UNAVAILABLE] The mailbox cannot be read now; "
			    "connect again in a minute");
}

/* The messages the command is about; other than SELECTED_OK, it was answered. */
static enum selected_set named(struct session *s, const struct imap_command *command,
			       const struct imap_sequence_set *set,
			       struct imap_range **list, size_t *count, err_t *err)
{
	const char *reason = "";
	enum selected_set found = selected_uids(
		s, set, command->is_uid ? BY_UID : BY_NUMBER, list, count, &reason);

	if (found == SELECTED_BAD)
		*err = reply_bad(s, command, "%s", reason);
	if (found == SELECTED_LOST)
		*err = reply_unreadable(s);
	return found;
}

static void uid_set_write(struct buf *out, struct uid_set set)
{
	for (size_t i = 0; i < set.count; i++) {
		struct imap_range range = {set.ranges[i].first, set.ranges[i].last};

		if (i > 0)
			buf_add_byte(out, ',');
		imap_ranges_write(out, &range, 1);
	}
}

/* Messages left the mailbox: the client that uses QRESYNC learns the mod-sequence once it
 * was told of all.  RFC 7162 §3.2.7. */
static err_t removed(struct session *s, const struct imap_command *command,
		     const char *text)
{
	if (!s->is_qresync)
		return reply_ok(s, command, "%s", text);
	TRY(selected_tell(s, events_selected(s, MOMENT_REMOVED)));
	if (s->is_done)
		return OK;
	return reply_only_ok(s, command, "[HIGHESTMODSEQ %llu] %s",
			     (unsigned long long)s->box.told, text);
}

/* COPYUID is the tagged response's for COPY; for MOVE it goes ahead of the EXPUNGEs (RFC
 * 6851 §4.3). */
static err_t copied(struct session *s, const struct imap_command *command,
		    const struct op_result *op)
{
	SCOPED(buf_fini) struct buf code = BUF(IMAP_OUT_MAX / 2);

	if (op->uids.count == 0)
		return reply_ok(s, command, "None of them was there");
	buf_printf(&code, "[COPYUID %u ", op->uid_validity);
	uid_set_write(&code, op->uids);
	buf_add_byte(&code, ' ');
	uid_set_write(&code, op->to_uids);
	buf_add_byte(&code, ']');
	if (command->verb == IMAP_COPY)
		return reply_ok(s, command, "%.*s They are there",
				STR_FMT(buf_str(&code)));
	buf_printf(&s->out, "* OK %.*s They are there\r\n", STR_FMT(buf_str(&code)));
	return removed(s, command, "They have moved");
}

/* At most: not all in the ranges need be there. */
static uint64_t how_many(const struct session *s, const struct imap_range *list,
			 size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += (uint64_t)list[i].last - list[i].first + 1;
	return num_min(total, s->box.count);
}

/* Within one's own account, in one commit. */
static enum store_outcome copy_within(struct session *s,
				      const struct imap_command *command,
				      const struct imap_range *list, size_t count,
				      uint64_t to, struct op_result *done)
{
	enum store_op_kind kind = command->verb == IMAP_COPY ? OP_COPY : OP_MOVE;
	struct store_op op = {.kind = kind};
	struct store_commit commit = {.account = s->box.account, .ops = &op, .count = 1};
	struct store_result result;

	op.copy.mailbox = s->box.mailbox;
	op.copy.to_mailbox = to;
	if (!uids_for_store(&s->scratch, list, count, &op.copy.uids))
		return STORE_INVALID;
	enum store_outcome outcome = inprogress_commit(
		s, command, how_many(s, list, count), &commit, &s->scratch, &result);

	if (outcome == STORE_OK)
		*done = result.ops[0];
	if (outcome == STORE_OK && done->uids.count > 0)
		events_own(s, s->box.account, result.change);
	return outcome;
}

/* The copies are durable; now exactly what was copied goes. */
static enum store_outcome remove_sources(struct session *s, struct uid_set uids)
{
	struct store_op op = {.kind = OP_EXPUNGE};
	struct store_commit commit = {.account = s->box.account, .ops = &op, .count = 1};
	struct store_result result;

	op.expunge = (struct op_expunge){.mailbox = s->box.mailbox, .uids = uids};
	enum store_outcome outcome =
		store_commit(session_store(s), &commit, &s->scratch, &result);

	if (outcome == STORE_OK)
		events_own(s, s->box.account, result.change);
	return outcome;
}

static err_t copy_across(struct session *s, const struct imap_command *command,
			 const struct imap_range *list, size_t count,
			 const struct mailbox *to)
{
	bool is_move = command->verb == IMAP_MOVE;
	enum { TAKES = ACL_TRASH | ACL_EXPUNGE }; /* RFC 6851 §4.4 */
	struct op_result done;

	if (is_move && (s->box.rights & TAKES) != TAKES)
		return reply_store(s, command, STORE_DENIED);
	enum store_outcome outcome = across_copy(s, list, count, to, &done);

	if (outcome == STORE_INVALID)
		return reply_no(s, command,
				"[LIMIT] At most %d messages at once go to somebody "
				"else's mailbox, or from it",
				ACROSS_MAX);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	if (is_move && done.uids.count > 0)
		outcome = remove_sources(s, done.uids);
	if (outcome != STORE_OK)
		return reply_no(
			s, command,
			"[UNAVAILABLE] They were copied, but could not be removed "
			"here; delete them by hand, or the copies");
	return copied(s, command, &done);
}

static err_t copy_or_move(struct session *s, const struct imap_command *command)
{
	enum store_op_kind kind = command->verb == IMAP_COPY ? OP_COPY : OP_MOVE;
	struct op_result done;
	struct imap_range *list;
	struct mailbox *mailbox;
	size_t count;
	err_t err = OK;

	if (named(s, command, &command->copy.set, &list, &count, &err) != SELECTED_OK)
		return err;
	enum store_outcome outcome = mailbox_find(s, command->copy.mailbox, &mailbox);

	if (outcome == STORE_ABSENT)
		return reply_no(s, command,
				"[TRYCREATE] There is no such mailbox; create it first");
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	if (mailbox->row.is_container)
		return reply_no(s, command,
				"[CANNOT] That mailbox holds other mailboxes, but no "
				"messages; choose another");
	if (kind == OP_MOVE && s->box.is_read_only)
		return reply_no(s, command,
				"[READ-ONLY] The mailbox is open for reading only; "
				"SELECT it to change it");
	if (count == 0)
		return reply_ok(s, command, "None of them was there");
	bool fits = true;

	if (kind == OP_MOVE)
		outcome = limit_ranges(s, &list, &count);
	else
		outcome = limit_copy(s, list, count, &fits);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	if (!fits) /* COPY is atomic */
		return reply_no(
			s, command,
			"[MESSAGELIMIT %u] Too many messages to copy; try it with "
			"fewer",
			limit_of_saving(s));
	if (across_is(s, mailbox))
		return copy_across(s, command, list, count, mailbox);
	outcome = copy_within(s, command, list, count, mailbox->row.id, &done);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return copied(s, command, &done);
}

err_t on_copy(struct session *s, const struct imap_command *command)
{
	return copy_or_move(s, command);
}

err_t on_move(struct session *s, const struct imap_command *command)
{
	return copy_or_move(s, command);
}

/* With MESSAGELIMIT, of a UID EXPUNGE those that have \Deleted count.  RFC 9738 §3.1. */
static enum store_outcome only_marked(struct session *s, struct uids *marked,
				      struct imap_range **list, size_t *count)
{
	uint32_t max = s->service->command_messages_max;

	if (max == 0 || s->box.count <= max)
		return STORE_OK;
	struct walk walk = walk_over(s, *list, *count, 0);

	for (const struct message_row *row; (row = walk_next(&walk));) {
		if (row->flags & FLAG_DELETED)
			uids_add(marked, row->uid, row->uid);
	}
	*list = marked->list;
	*count = marked->count;
	return walk.outcome == STORE_OK ? limit_ranges(s, list, count) : walk.outcome;
}

err_t on_expunge(struct session *s, const struct imap_command *command)
{
	SCOPED(uids_fini) struct uids marked = {0};
	struct store_op op = {.kind = OP_EXPUNGE};
	struct store_commit commit = {.account = s->box.account, .ops = &op, .count = 1};
	struct store_result result;
	struct imap_range *list = NULL;
	size_t count = 0;
	err_t err = OK;

	if (s->box.is_read_only)
		return reply_no(s, command,
				"[READ-ONLY] The mailbox is open for reading only; "
				"SELECT it to change it");
	op.expunge = (struct op_expunge){.mailbox = s->box.mailbox, .only_deleted = true};
	if (command->is_uid) {
		if (named(s, command, &command->copy.set, &list, &count, &err) !=
		    SELECTED_OK)
			return err;
		if (only_marked(s, &marked, &list, &count) != STORE_OK)
			return reply_bye(s, "[UNAVAILABLE] The mailbox cannot be read "
					    "now; connect again in a minute");
		if (count == 0) /* to the store, none would be all */
			return reply_ok(s, command, "None of them was there");
		if (!uids_for_store(&s->scratch, list, count, &op.expunge.uids))
			return reply_store(s, command, STORE_INVALID);
	}
	enum store_outcome outcome = inprogress_commit(s, command, s->box.count, &commit,
						       &s->scratch, &result);

	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	if (result.ops[0].uids.count == 0)
		return reply_ok(s, command, "There was nothing to remove");
	events_own(s, s->box.account, result.change);
	return removed(s, command, "They are gone");
}

static enum flags_mode mode_of(enum imap_store_how how)
{
	switch (how) {
	case IMAP_STORE_REPLACE:
		return FLAGS_SET;
	case IMAP_STORE_ADD:
		return FLAGS_ADD;
	case IMAP_STORE_REMOVE:
		break;
	}
	return FLAGS_REMOVE;
}

/* The messages that had changed since, as the client names them.  RFC 7162 §3.1.3. */
static void modified_write(struct session *s, bool is_uid, const struct uids *refused,
			   struct buf *code)
{
	struct imap_set_writer writer = {.out = code};

	if (refused->count == 0)
		return;
	buf_add_c(code, "[MODIFIED ");
	for (size_t i = 0; i < refused->count; i++) {
		for (uint64_t uid = refused->list[i].first; uid <= refused->list[i].last;
		     uid++)
			imap_set_add(&writer, is_uid ? (uint32_t)uid
						     : numbers_of_uid(&s->box.numbers,
								      (uint32_t)uid));
	}
	imap_set_end(&writer);
	buf_add_c(code, "] ");
}

enum { STORE_SLICE = 25000, SLICE_BYTES = 8 << 20 };

struct storing {
	struct session *s;
	const struct imap_command *command;
	struct uids refused; /* of all slices */
	struct arena arena;  /* of one */
	bool is_long;        /* there are several */
};

/* The store tells with the commit what flags they have, if nothing else is asked. */
static bool wants_runs(const struct storing *st)
{
	return !st->command->store.is_silent && !st->s->is_condstore;
}

/* What the client is told of its STORE: flags unless it wants none, but always those of
 * the messages that were refused; and what it needs to keep its mod-sequences. */
static enum store_outcome tell_stored(const struct storing *st, const struct uids *asked,
				      const struct op_result *result)
{
	struct session *s = st->s;
	const struct imap_store *store = &st->command->store;
	SCOPED(uids_fini) struct uids done = {0}, refused = {0};
	unsigned items = st->command->is_uid || s->is_condstore ? IMAP_FETCH_UID : 0u;
	enum store_outcome outcome = STORE_OK;

	if (wants_runs(st) && result->run_count > 0)
		return fetch_runs(s, result->runs, result->run_count,
				  items | IMAP_FETCH_FLAGS);
	items |= s->is_condstore ? IMAP_FETCH_MODSEQ : 0u;
	if (!store->is_silent)
		return fetch_items(s, asked->list, asked->count,
				   items | IMAP_FETCH_FLAGS);
	uids_copy(&refused, result->refused);
	uids_copy(&done, result->uids);
	if (store->has_unchanged_since) {
		uids_clear(&done);
		for (size_t i = 0; i < asked->count; i++)
			uids_add(&done, asked->list[i].first, asked->list[i].last);
	}
	uids_subtract(&done, &refused);
	if (s->is_condstore)
		outcome = fetch_items(s, done.list, done.count, items);
	if (outcome == STORE_OK)
		outcome = fetch_items(s, refused.list, refused.count,
				      items | IMAP_FETCH_FLAGS);
	return outcome;
}

static enum store_outcome store_slice(struct storing *st, const struct uids *asked)
{
	struct session *s = st->s;
	const struct imap_store *store = &st->command->store;
	struct store_op op = {.kind = OP_FLAGS};
	struct store_commit commit = {.account = s->box.account, .ops = &op, .count = 1};
	struct store_result result;

	op.flags = (struct op_flags){
		.mailbox = s->box.mailbox,
		.mode = mode_of(store->how),
		.flags = (uint8_t)store->flags.system,
		.keywords = {store->flags.keywords, store->flags.keyword_count},
		.unchanged_since =
			store->has_unchanged_since ? store->unchanged_since : UINT64_MAX,
		.wants_runs = wants_runs(st),
	};
	arena_reset(&st->arena);
	if (!uids_for_store(&st->arena, asked->list, asked->count, &op.flags.uids))
		return STORE_INVALID;
	enum store_outcome outcome =
		inprogress_commit(s, st->command, how_many(s, asked->list, asked->count),
				  &commit, &st->arena, &result);

	if (outcome != STORE_OK)
		return outcome;
	const struct op_result *done = &result.ops[0];

	if (done->uids.count > 0)
		events_own(s, s->box.account, result.change);
	for (size_t i = 0; i < done->refused.count; i++)
		uids_add(&st->refused, done->refused.ranges[i].first,
			 done->refused.ranges[i].last);
	return tell_stored(st, asked, done);
}

/* Each slice happens whole, and one after the other. */
static enum store_outcome store_slices(struct storing *st, struct imap_range *list,
				       size_t count)
{
	struct session *s = st->s;
	enum store_outcome outcome = STORE_OK;
	uint32_t slice = s->service->slice_messages;

	slice = slice > 0 ? slice : STORE_SLICE;
	if (how_many(s, list, count) <= slice)
		return store_slice(st, &(struct uids){.list = list, .count = count});
	st->is_long = true;
	outcome = selected_number(s);

	uint64_t total = numbers_among(&s->box.numbers, list, count);

	for (uint64_t at = 0; outcome == STORE_OK && at < total; at += slice) {
		SCOPED(uids_fini) struct uids part = {0};

		numbers_part(&s->box.numbers, list, count, at, at + slice, &part);
		outcome = store_slice(st, &part);
	}
	return outcome;
}

static err_t stored(const struct storing *st)
{
	struct session *s = st->s;
	SCOPED(buf_fini) struct buf code = BUF(IMAP_OUT_MAX / 2);
	const char *text =
		st->refused.count > 0 ? "Some had changed meanwhile" : "Stored";

	modified_write(s, st->command->is_uid, &st->refused, &code);
	/* After many, what others did waits for the next command unless somebody counts
	 * on more than flags: to look, the store would have to write its index first. */
	if (!st->is_long || s->is_condstore || s->box.contexts || s->events)
		return reply_ok(s, st->command, "%.*s%s", STR_FMT(buf_str(&code)), text);
	return reply_only_ok(s, st->command, "%.*s%s", STR_FMT(buf_str(&code)), text);
}

/* What others did to the mailbox may be why, so that is told first. */
static err_t not_stored(const struct storing *st, enum store_outcome outcome)
{
	struct session *s = st->s;

	if (outcome == STORE_CONFLICT)
		return reply_unreadable(s);
	TRY(selected_tell(s, events_selected(s, MOMENT_NUMBERS)));
	if (s->is_done)
		return OK;
	if (outcome == STORE_DENIED) /* RFC 4314 §4: none of them may be changed */
		return reply_no(s, st->command,
				"[NOPERM] You have no right to change these flags here; "
				"ask whose mailbox it is");
	return reply_store(s, st->command, outcome);
}

err_t on_store(struct session *s, const struct imap_command *command)
{
	const struct imap_store *store = &command->store;
	struct imap_range *list;
	size_t count;
	err_t err = OK;

	if (s->box.is_read_only)
		return reply_no(s, command,
				"[READ-ONLY] The mailbox is open for reading only; "
				"SELECT it to change it");
	if (store->flags.keyword_count > KEYWORDS_MAX)
		return reply_no(s, command,
				"[LIMIT] Too many keywords; a message has at most %d",
				KEYWORDS_MAX);
	if (named(s, command, &store->set, &list, &count, &err) != SELECTED_OK)
		return err;
	if (store->has_unchanged_since)
		session_condstore(s);
	if (limit_ranges(s, &list, &count) != STORE_OK)
		return reply_unreadable(s);
	if (count == 0)
		return reply_ok(s, command, "None of them was there");
	struct storing st = {.s = s, .command = command};

	arena_init(&st.arena, SLICE_BYTES);
	enum store_outcome outcome = store_slices(&st, list, count);

	if (outcome != STORE_OK)
		events_disown(s); /* of the slices that happened */
	err = outcome == STORE_OK ? stored(&st) : not_stored(&st, outcome);
	uids_fini(&st.refused);
	arena_fini(&st.arena);
	return err;
}
