/* CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE.  RFC 9051 §6.3.4 to §6.3.8. */
#include "imap/events.h"
#include "imap/mailboxes.h"
#include "store/role.h"

static enum store_outcome commit_one(struct session *s, const struct store_op *op,
				     struct store_result *result)
{
	struct store_commit commit = {.account = s->login.account, .ops = op, .count = 1};
	enum store_outcome outcome =
		store_commit(session_store(s), &commit, &s->scratch, result);

	if (outcome == STORE_OK && (op->kind != OP_MOVE || result->ops[0].uids.count > 0))
		events_own(s, result->change);
	return outcome;
}

/* A name of ours: its levels are not empty and not too long, nor are there too many. */
static bool is_name(struct str path)
{
	size_t depth = 0;

	while (depth == 0 || path.len > 0) {
		bool is_last = str_find_byte(path, '/') == path.len;
		struct str level = str_cut(&path, '/');

		if (level.len == 0 || level.len > MAILBOX_NAME_MAX ||
		    ++depth > MAILBOX_DEPTH_MAX || (!is_last && path.len == 0))
			return false;
	}
	return true;
}

/* Finds what is there of the path and makes the levels above its last.  RFC 9051 §6.3.4
 * SHOULD.  *last is the name of the last level, *parent what it belongs into. */
static enum store_outcome make_above(struct session *s, const struct mailboxes *all,
				     struct str path, uint64_t *parent, struct str *last)
{
	const char *begin = path.ptr;

	*parent = 0;
	for (;;) {
		size_t slash = str_find_byte(path, '/');

		*last = path;
		if (slash == path.len)
			return STORE_OK;
		struct str above = {begin, (size_t)(path.ptr - begin) + slash};
		const struct mailbox *found = mailboxes_find(all, above);

		if (found) {
			*parent = found->row.id;
		} else {
			struct store_op op = {.kind = OP_MAILBOX_CREATE};
			struct store_result result;

			op.mailbox.parent = *parent;
			op.mailbox.name = str_first(path, slash);
			enum store_outcome outcome = commit_one(s, &op, &result);

			if (outcome != STORE_OK)
				return outcome;
			*parent = result.ops[0].mailbox;
		}
		path = str_skip(path, slash + 1);
	}
}

err_t on_create(struct session *s, const struct imap_command *command)
{
	struct str path = command->create.mailbox;
	struct store_op op = {.kind = OP_MAILBOX_CREATE};
	struct mailboxes all;
	struct store_result result;

	op.mailbox.role = role_of_use(command->create.use);
	if (command->create.use.len > 0 && op.mailbox.role == ROLE_NONE)
		return reply_no(
			s, command,
			"[USEATTR] Mailboxes have no such special use here"); /* RFC 6154
									       */
	if (!is_name(path))
		return reply_no(
			s, command,
			"[CANNOT] That cannot be a mailbox's name; choose another");
	enum store_outcome outcome = mailboxes_load(s, &all);

	if (outcome == STORE_OK && mailboxes_find(&all, path))
		outcome = STORE_CONFLICT;
	if (outcome == STORE_OK)
		outcome = make_above(s, &all, path, &op.mailbox.parent, &op.mailbox.name);
	if (outcome == STORE_OK)
		outcome = commit_one(s, &op, &result);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_ok(s, command, "[MAILBOXID (" MAILBOX_ID ")] It is there",
			(unsigned long long)result.ops[0].mailbox); /* RFC 8474 §4.1 */
}

err_t on_delete(struct session *s, const struct imap_command *command)
{
	struct store_op op = {.kind = OP_MAILBOX_DELETE};
	struct store_result result;
	struct mailbox *mailbox;
	enum store_outcome outcome = mailbox_find(s, command->mailbox, &mailbox);

	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	if (mailbox->row.id == MAILBOX_INBOX)
		return reply_no(s, command,
				"[CANNOT] INBOX cannot be deleted; new mail comes there");
	if (mailbox->has_children)
		return reply_no(s, command,
				"[HASCHILDREN] Other mailboxes are below it; delete or "
				"move them first");
	op.mailbox.mailbox = mailbox->row.id;
	if (s->box.mailbox == mailbox->row.id)
		selected_leave(s);
	outcome = commit_one(s, &op, &result);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_ok(s, command, "It is gone");
}

/* INBOX is not renamed: its messages move.  RFC 9051 §6.3.6. */
static enum store_outcome rename_inbox(struct session *s, uint64_t parent,
				       struct str name)
{
	static const struct uid_range all = {1, UINT32_MAX};
	struct store_op op = {.kind = OP_MAILBOX_CREATE};
	struct store_result result;

	op.mailbox.parent = parent;
	op.mailbox.name = name;
	enum store_outcome outcome = commit_one(s, &op, &result);

	if (outcome != STORE_OK)
		return outcome;
	struct store_op move = {.kind = OP_MOVE};

	move.copy = (struct op_copy){.mailbox = MAILBOX_INBOX,
				     .to_mailbox = result.ops[0].mailbox,
				     .uids = {&all, 1}};
	return commit_one(s, &move, &result);
}

static bool is_below(struct str path, struct str above)
{
	return str_starts(path, above) &&
	       (path.len == above.len || path.ptr[above.len] == '/');
}

err_t on_rename(struct session *s, const struct imap_command *command)
{
	struct store_op op = {.kind = OP_MAILBOX_RENAME};
	struct store_result result;
	struct str to = command->rename.to;
	struct mailboxes all;
	enum store_outcome outcome = mailboxes_load(s, &all);

	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	struct mailbox *mailbox = mailboxes_find(&all, command->rename.from);

	if (!mailbox)
		return reply_store(s, command, STORE_ABSENT);
	if (mailboxes_find(&all, to))
		return reply_store(s, command, STORE_CONFLICT);
	bool is_inbox = mailbox->row.id == MAILBOX_INBOX;

	if (!is_name(to) || (!is_inbox && is_below(to, mailbox->path)))
		return reply_no(s, command,
				"[CANNOT] That cannot be its name; choose another, not "
				"below itself");
	op.mailbox.mailbox = mailbox->row.id;
	outcome = make_above(s, &all, to, &op.mailbox.parent, &op.mailbox.name);
	if (outcome == STORE_OK && is_inbox)
		outcome = rename_inbox(s, op.mailbox.parent, op.mailbox.name);
	else if (outcome == STORE_OK)
		outcome = commit_one(s, &op, &result);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_ok(s, command, "It has a new name");
}

err_t on_subscribe(struct session *s, const struct imap_command *command)
{
	struct store_op op = {.kind = OP_MAILBOX_SUBSCRIBE};
	struct store_result result;
	struct mailbox *mailbox;
	enum store_outcome outcome = mailbox_find(s, command->mailbox, &mailbox);

	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	op.mailbox.mailbox = mailbox->row.id;
	op.mailbox.is_subscribed = command->verb == IMAP_SUBSCRIBE;
	outcome = commit_one(s, &op, &result);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_ok(s, command, "Noted");
}
