/* COPY, MOVE and EXPUNGE.  RFC 9051 §6.4.3, §6.4.7 to §6.4.9; RFC 4315 §2.1. */
#include "imap/across.h"
#include "imap/events.h"
#include "imap/inprogress.h"
#include "imap/limit.h"
#include "imap/named.h"
#include "imap/walk.h"

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
		s, command, named_at_most(s, list, count), &commit, &s->scratch, &result);

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

	if (!named_uids(s, command, &command->copy.set, &list, &count, &err))
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
		if (!named_uids(s, command, &command->copy.set, &list, &count, &err))
			return err;
		if (only_marked(s, &marked, &list, &count) != STORE_OK)
			return named_unreadable(s);
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
