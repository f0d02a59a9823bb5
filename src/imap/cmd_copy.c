/* COPY, MOVE, EXPUNGE and STORE: what changes messages.  RFC 9051 §6.4.3, §6.4.6 to
 * §6.4.9; RFC 4315 §2.1. */
#include "imap/fetch.h"
#include "imap/mailboxes.h"

/* The messages the command is about; other than SELECTED_OK, it was answered. */
static enum selected_set named(struct session *s, const struct imap_command *command,
			       const struct imap_sequence_set *set,
			       struct imap_range **list, size_t *count, err_t *err)
{
	const char *reason = "";
	enum selected_set found =
		selected_uids(s, set, command->is_uid, list, count, &reason);

	if (found == SELECTED_BAD)
		*err = reply_bad(s, command, "%s", reason);
	if (found == SELECTED_LOST)
		*err = reply_bye(s, "[UNAVAILABLE] The mailbox cannot be read now");
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
	return reply_ok(s, command, "They have moved");
}

static err_t copy_or_move(struct session *s, const struct imap_command *command)
{
	struct store_op op = {.kind = command->verb == IMAP_COPY ? OP_COPY : OP_MOVE};
	struct store_commit commit = {
		.account = s->login.account, .ops = &op, .count = 1};
	struct store_result result;
	struct imap_range *list;
	struct mailbox *mailbox;
	size_t count;
	err_t err = OK;

	if (named(s, command, &command->copy.set, &list, &count, &err) != SELECTED_OK)
		return err;
	enum store_outcome outcome = mailbox_find(s, command->copy.mailbox, &mailbox);

	if (outcome == STORE_ABSENT)
		return reply_no(s, command, "[TRYCREATE] There is no such mailbox");
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	if (mailbox->row.is_container)
		return reply_no(s, command, "[CANNOT] It holds no messages");
	if (op.kind == OP_MOVE && s->box.is_read_only)
		return reply_no(s, command,
				"[READ-ONLY] The mailbox is open to read only");
	if (count == 0)
		return reply_ok(s, command, "None of them was there");
	op.copy.mailbox = s->box.mailbox;
	op.copy.to_mailbox = mailbox->row.id;
	if (!uids_for_store(&s->scratch, list, count, &op.copy.uids))
		return reply_store(s, command, STORE_INVALID);
	outcome = store_commit(session_store(s), &commit, &s->scratch, &result);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return copied(s, command, &result.ops[0]);
}

err_t on_copy(struct session *s, const struct imap_command *command)
{
	return copy_or_move(s, command);
}

err_t on_move(struct session *s, const struct imap_command *command)
{
	return copy_or_move(s, command);
}

err_t on_expunge(struct session *s, const struct imap_command *command)
{
	struct store_op op = {.kind = OP_EXPUNGE};
	struct store_commit commit = {
		.account = s->login.account, .ops = &op, .count = 1};
	struct imap_range *list = NULL;
	size_t count = 0;
	err_t err = OK;

	if (s->box.is_read_only)
		return reply_no(s, command,
				"[READ-ONLY] The mailbox is open to read only");
	op.expunge = (struct op_expunge){.mailbox = s->box.mailbox, .only_deleted = true};
	if (command->is_uid) {
		if (named(s, command, &command->copy.set, &list, &count, &err) !=
		    SELECTED_OK)
			return err;
		if (count == 0) /* to the store, none would be all */
			return reply_ok(s, command, "None of them was there");
		if (!uids_for_store(&s->scratch, list, count, &op.expunge.uids))
			return reply_store(s, command, STORE_INVALID);
	}
	enum store_outcome outcome =
		store_commit(session_store(s), &commit, &s->scratch, NULL);

	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_ok(s, command, "They are gone");
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

err_t on_store(struct session *s, const struct imap_command *command)
{
	const struct imap_store *store = &command->store;
	struct store_op op = {.kind = OP_FLAGS};
	struct store_commit commit = {
		.account = s->login.account, .ops = &op, .count = 1};
	SCOPED(uids_fini) struct uids own = {0};
	struct store_result result;
	struct imap_range *list;
	size_t count;
	err_t err = OK;

	if (s->box.is_read_only)
		return reply_no(s, command,
				"[READ-ONLY] The mailbox is open to read only");
	if (store->flags.keyword_count > KEYWORDS_MAX)
		return reply_no(s, command, "[LIMIT] Too many keywords");
	if (named(s, command, &store->set, &list, &count, &err) != SELECTED_OK)
		return err;
	if (count == 0)
		return reply_ok(s, command, "None of them was there");
	op.flags = (struct op_flags){
		.mailbox = s->box.mailbox,
		.mode = mode_of(store->how),
		.flags = (uint8_t)store->flags.system,
		.keywords = {store->flags.keywords, store->flags.keyword_count},
		.unchanged_since = UINT64_MAX,
	};
	if (!uids_for_store(&s->scratch, list, count, &op.flags.uids))
		return reply_store(s, command, STORE_INVALID);
	/* What others did before is told before, so that only our own is passed over. */
	TRY(selected_tell(s, false));
	if (s->is_done)
		return OK;
	enum store_outcome outcome =
		store_commit(session_store(s), &commit, &s->scratch, &result);

	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	uids_copy(&own, result.ops[0].uids);
	if (selected_collect(s, &own, result.change) != STORE_OK)
		return reply_bye(s, "[UNAVAILABLE] The mailbox cannot be read now");
	if (!store->is_silent) {
		unsigned items =
			IMAP_FETCH_FLAGS | (command->is_uid ? IMAP_FETCH_UID : 0u);

		outcome = fetch_items(s, list, count, items);
		if (outcome != STORE_OK)
			return reply_store(s, command, outcome);
	}
	return reply_ok(s, command, "Stored");
}
