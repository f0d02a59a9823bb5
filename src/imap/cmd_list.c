/* LIST, LSUB and STATUS.  RFC 9051 §6.3.9, §6.3.11; RFC 3501 §6.3.9. */
#include "imap/mailboxes.h"
#include "store/role.h"

enum { SEND_BYTES = 32 << 10 };

static bool matches(const struct imap_list *list, struct str path)
{
	for (size_t i = 0; i < list->pattern_count; i++) {
		if (imap_list_match(list->reference, list->patterns[i], path, '/'))
			return true;
	}
	return false;
}

static bool is_selected_by(const struct imap_list *list, const struct mailbox *mailbox)
{
	if ((list->select & IMAP_LIST_SUBSCRIBED) && !mailbox->row.is_subscribed)
		return false;
	return !(list->select & IMAP_LIST_SPECIAL_USE) ||
	       role_use(mailbox->row.role).len > 0;
}

/* RECURSIVEMATCH: the mailbox is told of because of one below that is subscribed.  RFC
 * 9051 §6.3.9.1. */
static bool is_above_match(const struct imap_list *list, const struct mailbox *mailbox)
{
	return (list->select & IMAP_LIST_RECURSIVEMATCH) &&
	       (list->select & IMAP_LIST_SUBSCRIBED) && mailbox->has_subscribed_below;
}

static enum store_outcome list_one(struct session *s, const struct imap_list *list,
				   const struct mailbox *mailbox)
{
	bool is_above = is_above_match(list, mailbox);
	enum store_outcome outcome = STORE_OK;

	if (!matches(list, mailbox->path) ||
	    (!is_selected_by(list, mailbox) && !is_above))
		return STORE_OK;
	buf_add_c(&s->out, "* LIST (");
	mailbox_write_attributes(&s->out, mailbox,
				 (list->select | list->returns) & IMAP_LIST_SUBSCRIBED);
	buf_add_c(&s->out, ") \"/\" ");
	imap_write_mailbox(&s->out, mailbox->path, session_is_utf8(s));
	if (is_above)
		buf_add_c(&s->out, " (\"CHILDINFO\" (\"SUBSCRIBED\"))");
	buf_add_c(&s->out, "\r\n");
	if ((list->returns & IMAP_LIST_STATUS) && !mailbox->row.is_container)
		outcome = mailbox_write_status(s, mailbox, list->status_items);
	if (s->out.len > SEND_BYTES)
		session_send(s);
	return outcome == STORE_ABSENT ? STORE_OK : outcome; /* it went meanwhile */
}

err_t on_list(struct session *s, const struct imap_command *command)
{
	const struct imap_list *list = &command->list;
	struct mailboxes all;

	if (!list->is_extended && list->patterns[0].len == 0) {
		/* RFC 9051 §6.3.9: what is the delimiter? */
		buf_add_c(&s->out, "* LIST (\\Noselect) \"/\" \"\"\r\n");
		return reply_ok(s, command, "That is the delimiter");
	}
	enum store_outcome outcome = mailboxes_load(s, &all);

	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	if (list->status_items & IMAP_STATUS_HIGHESTMODSEQ)
		session_condstore(s);
	for (size_t i = 0; i < all.count && !conn_is_broken(s->conn); i++) {
		outcome = list_one(s, list, &all.list[i]);
		if (outcome != STORE_OK)
			return reply_store(s, command, outcome);
	}
	return reply_ok(s, command, "That is all");
}

/* The old form shows, besides the subscribed ones that match, those above a subscribed
 * one that are not subscribed themselves, if only they match ("%").  RFC 3501 §6.3.9. */
err_t on_lsub(struct session *s, const struct imap_command *command)
{
	const struct imap_list *list = &command->list;
	struct mailboxes all;
	enum store_outcome outcome = mailboxes_load(s, &all);

	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	bool has_percent = str_find_byte(list->patterns[0], '%') < list->patterns[0].len;

	for (size_t i = 0; i < all.count && !conn_is_broken(s->conn); i++) {
		const struct mailbox *mailbox = &all.list[i];
		bool is_above = has_percent && mailbox->has_subscribed_below;

		if ((!mailbox->row.is_subscribed && !is_above) ||
		    !matches(list, mailbox->path))
			continue;
		buf_add_c(&s->out,
			  mailbox->row.is_subscribed && !mailbox->row.is_container
				  ? "* LSUB () \"/\" "
				  : "* LSUB (\\Noselect) \"/\" ");
		imap_write_mailbox(&s->out, mailbox->path, session_is_utf8(s));
		buf_add_c(&s->out, "\r\n");
		if (s->out.len > SEND_BYTES)
			session_send(s);
	}
	return reply_ok(s, command, "That is all");
}

err_t on_status(struct session *s, const struct imap_command *command)
{
	struct mailbox *mailbox;
	enum store_outcome outcome = mailbox_find(s, command->status.mailbox, &mailbox);

	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	if (mailbox->row.is_container)
		return reply_no(
			s, command,
			"[CANNOT] That mailbox holds other mailboxes, but no messages");
	if (command->status.items & IMAP_STATUS_HIGHESTMODSEQ)
		session_condstore(s);
	outcome = mailbox_write_status(s, mailbox, command->status.items);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_ok(s, command, "That is all");
}
