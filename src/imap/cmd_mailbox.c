/* CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE.  RFC 9051 §6.3.4 to §6.3.8. */
#include "imap/gone.h"
#include "imap/others.h"
#include "imap/shares.h"
#include "store/role.h"

static enum store_outcome commit_one(struct session *s, account_t account,
				     const struct store_op *op,
				     struct store_result *result)
{
	struct store_commit commit = {.account = account, .ops = op, .count = 1};
	struct store_result made;
	enum store_outcome outcome =
		store_commit(session_store(s), &commit, &s->scratch, &made);

	if (outcome == STORE_OK && (op->kind != OP_MOVE || made.ops[0].uids.count > 0))
		events_own(s, account, made.change);
	if (result)
		*result = made;
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

/* One's own mailboxes are not called as if they were others'. */
static bool is_reserved(const struct mailboxes *all, struct str path)
{
	return all->account < ACCOUNT_VISITS && shares_name(path);
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
			enum store_outcome outcome =
				commit_one(s, all->account, &op, &result);

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
	enum store_outcome outcome = mailboxes_load_for(s, path, &all);

	if (outcome == STORE_OK && is_reserved(&all, path))
		return reply_no(
			s, command,
			"[CANNOT] Names there are for mailboxes of others; choose "
			"another");
	if (outcome == STORE_OK && mailboxes_find(&all, path))
		outcome = STORE_CONFLICT;
	if (outcome == STORE_OK)
		outcome = make_above(s, &all, path, &op.mailbox.parent, &op.mailbox.name);
	if (outcome == STORE_OK)
		outcome = commit_one(s, all.account, &op, &result);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_ok(s, command, "[MAILBOXID (" MAILBOX_ID ")] It is there",
			(unsigned long long)result.ops[0].mailbox); /* RFC 8474 §4.1 */
}

err_t on_delete(struct session *s, const struct imap_command *command)
{
	struct store_op op = {.kind = OP_MAILBOX_DELETE};
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
	if (mailbox->row.rights & ACL_DELETE && s->box.mailbox == mailbox->row.id &&
	    s->box.account == mailbox->account)
		selected_leave(s);
	outcome = commit_one(s, mailbox->account, &op, NULL);
	if (outcome == STORE_CONFLICT)
		return reply_no(
			s, command,
			"[HASCHILDREN] Other mailboxes are below it, which you may "
			"not see; they must go first");
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
	enum store_outcome outcome = commit_one(s, s->login.account, &op, &result);

	if (outcome != STORE_OK)
		return outcome;
	struct store_op move = {.kind = OP_MOVE};

	move.copy = (struct op_copy){.mailbox = MAILBOX_INBOX,
				     .to_mailbox = result.ops[0].mailbox,
				     .uids = {&all, 1}};
	return commit_one(s, s->login.account, &move, NULL);
}

static bool is_below(struct str path, struct str above)
{
	return str_starts(path, above) &&
	       (path.len == above.len || path.ptr[above.len] == '/');
}

/* Whether the new name is among these mailboxes, too; and if not, why it cannot be. */
static enum store_outcome is_among(struct session *s, const struct mailboxes *all,
				   struct str to, bool *is_same)
{
	struct mailboxes others;
	enum store_outcome outcome = STORE_OK;

	*is_same = all->account == s->login.account && !shares_name(to);
	if (*is_same)
		return STORE_OK;
	outcome = mailboxes_load_for(s, to, &others);
	*is_same = outcome == STORE_OK && others.account == all->account &&
		   !is_reserved(&others, to);
	return outcome;
}

/* Deviates: RFC 9051 §6.3.6 notes that the old name stays subscribed and the new one is
 * not.  Here the subscription goes with the mailbox, as it does with its number (RFC
 * 8474) and its rights: who shows only what is subscribed would else lose the mailbox
 * that he has just renamed, and keep a name that leads nowhere.  A client that does it
 * itself, as the note says, meets no error. */
err_t on_rename(struct session *s, const struct imap_command *command)
{
	struct store_op op = {.kind = OP_MAILBOX_RENAME};
	struct str to = command->rename.to;
	struct mailboxes all;
	bool is_same = false;
	enum store_outcome outcome = mailboxes_load_for(s, command->rename.from, &all);

	if (outcome == STORE_OK)
		outcome = is_among(s, &all, to, &is_same);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	struct mailbox *mailbox = mailboxes_find(&all, command->rename.from);

	if (!mailbox || mailbox->row.rights == 0)
		return reply_store(s, command, STORE_ABSENT);
	bool is_inbox = mailbox->row.id == MAILBOX_INBOX;

	if (!is_same || (is_inbox && all.account != s->login.account))
		return reply_no(s, command,
				"[CANNOT] It stays whose it is; copy the messages there "
				"instead");
	if (mailboxes_find(&all, to))
		return reply_store(s, command, STORE_CONFLICT);
	if (!is_name(to) || (!is_inbox && is_below(to, mailbox->path)))
		return reply_no(s, command,
				"[CANNOT] That cannot be its name; choose another, not "
				"below itself");
	op.mailbox.mailbox = mailbox->row.id;
	outcome = make_above(s, &all, to, &op.mailbox.parent, &op.mailbox.name);
	if (outcome == STORE_OK && is_inbox)
		outcome = rename_inbox(s, op.mailbox.parent, op.mailbox.name);
	else if (outcome == STORE_OK)
		outcome = commit_one(s, all.account, &op, NULL);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_ok(s, command, "It has a new name");
}

/* To somebody else's mailbox one subscribes in one's own account. */
static enum store_outcome subscribe_there(struct session *s,
					  const struct mailbox *mailbox, bool is_on)
{
	struct store_op op = {.kind = is_on ? OP_KV_PUT : OP_KV_DELETE};
	struct pair_key name;

	op.kv.key = pair_subscription(&name, mailbox->owner, mailbox->row.id);
	enum store_outcome outcome = commit_one(s, s->login.account, &op, NULL);

	if (outcome == STORE_OK)
		others_subscribed(s);
	return outcome == STORE_ABSENT && !is_on ? STORE_OK : outcome;
}

/* A name that no mailbox has.  That one is subscribed to it nobody takes from it but the
 * client; to others one cannot subscribe (RFC 9051 §6.3.7: a server MAY look), since that
 * would be a mistake in typing.  From any one can unsubscribe (§6.3.8). */
static enum store_outcome subscribe_gone(struct session *s, struct str path, bool is_on)
{
	struct store_op op = {.kind = OP_KV_DELETE};
	struct pair_key name;
	bool is_subscribed;
	enum store_outcome outcome = gone_is_subscribed(s, path, &is_subscribed);

	if (outcome != STORE_OK || is_on)
		return outcome == STORE_OK && !is_subscribed ? STORE_ABSENT : outcome;
	op.kv.key = pair_gone(&name, path);
	if (is_subscribed)
		outcome = commit_one(s, s->login.account, &op, NULL);
	return outcome == STORE_ABSENT ? STORE_OK : outcome;
}

static enum store_outcome subscribe(struct session *s, struct str path, bool is_on)
{
	struct store_op op = {.kind = OP_MAILBOX_SUBSCRIBE};
	struct mailbox *mailbox;
	enum store_outcome outcome = mailbox_find(s, path, &mailbox);

	if (outcome == STORE_OK && !(mailbox->row.rights & ACL_LOOKUP))
		outcome = STORE_ABSENT;
	if (outcome == STORE_ABSENT)
		return subscribe_gone(s, path, is_on);
	if (outcome != STORE_OK)
		return outcome;
	op.mailbox.mailbox = mailbox->row.id;
	op.mailbox.is_subscribed = is_on;
	return mailbox->account >= ACCOUNT_VISITS
		       ? subscribe_there(s, mailbox, is_on)
		       : commit_one(s, mailbox->account, &op, NULL);
}

err_t on_subscribe(struct session *s, const struct imap_command *command)
{
	enum store_outcome outcome =
		subscribe(s, command->mailbox, command->verb == IMAP_SUBSCRIBE);

	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_ok(s, command, "Noted");
}
