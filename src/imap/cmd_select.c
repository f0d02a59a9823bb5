/* SELECT, EXAMINE, CLOSE and UNSELECT.  RFC 9051 §6.3.2, §6.3.3, §6.4.1, §6.4.2. */
#include "imap/events.h"
#include "imap/mailboxes.h"
#include "imap/permanent.h"
#include "imap/recent.h"
#include "imap/resync.h"

/* Which mailbox it is; INBOX without reading the others. */
static enum store_outcome find_id(struct session *s, struct str name, account_t *account,
				  uint64_t *id)
{
	struct mailbox *mailbox;

	*id = MAILBOX_INBOX;
	*account = s->login.account;
	if (str_same(name, STR("INBOX")))
		return STORE_OK;
	enum store_outcome outcome = mailbox_find(s, name, &mailbox);

	if (outcome != STORE_OK)
		return outcome;
	*id = mailbox->row.id;
	*account = mailbox->account;
	return mailbox->row.is_container ? STORE_DENIED : STORE_OK;
}

static void write_selected(struct session *s, struct str name,
			   const struct mailbox_row *row)
{
	buf_printf(&s->out, "* %u EXISTS\r\n", row->exists);
	permanent_write_flags(s);
	if (s->is_rev2) {
		buf_add_c(&s->out, "* LIST () \"/\" ");
		imap_write_mailbox(&s->out, name, true);
		buf_add_c(&s->out, "\r\n");
	} else {
		recent_write(s);
	}
	/* RFC 3501 §6.3.1: without it the client asks.  To find another first one would
	 * take a look at all messages, and IMAP4rev2 has it no more. */
	if (!s->is_rev2 && row->exists > 0 && row->unseen == row->exists)
		buf_add_c(&s->out, "* OK [UNSEEN 1] All of them are\r\n");
	permanent_write(s);
	buf_printf(&s->out,
		   "* OK [UIDVALIDITY %u] UIDs are valid\r\n"
		   "* OK [UIDNEXT %u] The next UID\r\n"
		   "* OK [HIGHESTMODSEQ %llu] The highest so far\r\n"
		   "* OK [MAILBOXID (" MAILBOX_ID ")] Its name may change, this not\r\n",
		   s->box.uid_validity, s->box.uid_next, (unsigned long long)s->box.told,
		   (unsigned long long)s->box.mailbox);
}

err_t on_select(struct session *s, const struct imap_command *command)
{
	const struct imap_select *select = &command->select;
	bool is_read_only = command->verb == IMAP_EXAMINE;
	bool was_selected = s->state == IMAP_SELECTED;
	struct mailbox_row row;
	uint64_t id;
	account_t account;

	if (select->is_qresync && !s->is_qresync) /* RFC 7162 §3.2.5 */
		return reply_bad(s, command, "ENABLE QRESYNC first");
	if (select->numbers.count > 0 && s->is_uid_only) /* RFC 9586 §3.7 */
		return reply_bad(s, command, "%s", UID_REQUIRED);
	enum store_outcome outcome = find_id(s, select->mailbox, &account, &id);

	/* Whatever comes of it, the old one is left.  RFC 9051 §6.3.2. */
	selected_leave(s);
	s->is_condstore |= select->is_condstore;
	if (was_selected)
		buf_add_c(&s->out, "* OK [CLOSED] The previous mailbox is closed\r\n");
	if (outcome == STORE_OK)
		outcome = selected_enter(s, account, id, is_read_only, &row);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	write_selected(s, select->mailbox, &row);
	if (select->is_qresync && select->uid_validity == s->box.uid_validity)
		outcome = resync_select(s, select);
	if (outcome != STORE_OK)
		return reply_bye(s, "[UNAVAILABLE] The mailbox cannot be read now; "
				    "connect again in a minute");
	return reply_only_ok(s, command,
			     permanent_is_read_only(s) ? "[READ-ONLY] It is open"
						       : "[READ-WRITE] It is open");
}

/* What has \Deleted goes without a word.  RFC 9051 §6.4.1. */
err_t on_close(struct session *s, const struct imap_command *command)
{
	struct store_op op = {.kind = OP_EXPUNGE};
	struct store_commit commit = {.account = s->box.account, .ops = &op, .count = 1};
	struct store_result result = {0};
	enum store_outcome outcome = STORE_OK;

	op.expunge = (struct op_expunge){.mailbox = s->box.mailbox, .only_deleted = true};
	if (!s->box.is_read_only)
		outcome = store_commit(session_store(s), &commit, &s->scratch, &result);
	if (outcome == STORE_OK && result.count > 0 && result.ops[0].uids.count > 0)
		events_own(s, s->box.account, result.change);
	selected_leave(s);
	if (outcome == STORE_DENIED)
		outcome = STORE_OK; /* RFC 4314 §4: then nothing is expunged */
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_only_ok(s, command, "It is closed");
}

err_t on_unselect(struct session *s, const struct imap_command *command)
{
	selected_leave(s);
	return reply_only_ok(s, command, "It is closed");
}
