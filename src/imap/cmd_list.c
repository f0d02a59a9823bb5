/* LIST, LSUB and STATUS.  RFC 9051 §6.3.9, §6.3.11; RFC 3501 §6.3.9. */
#include "imap/gone.h"
#include "imap/metadata.h"
#include "imap/shares.h"
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

/* What it also returns, of what is a mailbox.  What cannot be told is left out (RFC 8440
 * §3, RFC 9590 §3). */
static void list_besides(struct session *s, const struct imap_list *list,
			 const struct mailbox *mailbox)
{
	uint64_t longest;

	if (list->returns & IMAP_LIST_MYRIGHTS)
		mailbox_write_rights(s, mailbox);
	if (!(list->returns & IMAP_LIST_METADATA))
		return;
	session_send(s);
	(void)metadata_write(s, mailbox, &list->metadata, &longest);
}

static enum store_outcome list_one(struct session *s, const struct imap_list *list,
				   struct mailbox *mailbox)
{
	bool is_above = is_above_match(list, mailbox);
	enum store_outcome outcome = STORE_OK;

	if (!mailbox->is_visible)
		return STORE_OK;
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
	if ((list->returns & IMAP_LIST_STATUS) && !mailbox->row.is_container &&
	    (mailbox->row.rights & ACL_READ)) {
		outcome = mailbox_refresh(s, mailbox, list->status_items);
		if (outcome == STORE_OK)
			outcome = mailbox_write_status(s, mailbox, list->status_items);
	}
	if (mailbox->row.id != 0 && mailbox->row.rights != 0)
		list_besides(s, list, mailbox);
	if (s->out.len > SEND_BYTES)
		session_send(s);
	/* It went meanwhile, or the right to it. */
	return outcome == STORE_ABSENT || outcome == STORE_DENIED ? STORE_OK : outcome;
}

/* Could a pattern match what is below the root, or only the root itself? */
static bool may_match(const struct imap_list *list, struct str root, bool *below)
{
	bool may = false;

	*below = false;
	for (size_t i = 0; i < list->pattern_count; i++) {
		struct str pattern = list->patterns[i];
		SCOPED(buf_fini) struct buf whole = BUF(2 * IMAP_LIST_PATTERN_BYTES);

		buf_add(&whole, list->reference);
		buf_add(&whole, pattern);
		size_t wild = 0;

		while (wild < whole.len && whole.ptr[wild] != '*' &&
		       whole.ptr[wild] != '%')
			wild++;
		struct str front = str_first(buf_str(&whole), wild);
		size_t common = front.len < root.len ? front.len : root.len;

		if (!str_same(str_first(front, common), str_first(root, common)))
			continue;
		may = true;
		*below |= str_find_byte(buf_str(&whole), '*') < whole.len ||
			  str_find_byte(buf_str(&whole), '/') < whole.len;
	}
	return may;
}

typedef enum store_outcome list_writer(struct session *s, const struct imap_list *list,
				       struct mailbox *mailbox);

/* Of one owner; the root of his namespace is told once for all. */
static enum store_outcome list_owner(struct session *s, const struct imap_list *list,
				     account_t owner, struct mailbox roots[2],
				     list_writer *one)
{
	struct mailboxes all;
	enum store_outcome outcome = shares_load(s, owner, &all);

	if (outcome == STORE_OK)
		outcome = shares_mark_subscribed(s, &all);
	if (outcome == STORE_ABSENT || outcome == STORE_DENIED)
		return STORE_OK; /* the hint was an old one */
	if (outcome != STORE_OK || !all.list[1].has_children)
		return outcome;
	struct mailbox *root = &roots[str_same(all.list[0].path, SHARED_ROOT)];

	all.list[0].has_subscribed_below |= root->has_subscribed_below;
	*root = all.list[0];
	for (size_t i = 1;
	     i < all.count && outcome == STORE_OK && !conn_is_broken(s->conn); i++)
		outcome = one(s, list, &all.list[i]);
	return outcome;
}

/* What others share, after one's own. */
static enum store_outcome list_others(struct session *s, const struct imap_list *list,
				      list_writer *one)
{
	struct mailbox roots[2] = {0};
	account_t *owners;
	size_t count;
	bool below, below_shared;
	bool may = may_match(list, OTHERS_ROOT, &below);

	may |= may_match(list, SHARED_ROOT, &below_shared);
	if (!may)
		return STORE_OK;
	enum store_outcome outcome = shares_owners(s, &owners, &count);

	for (size_t i = 0; i < count && outcome == STORE_OK; i++)
		outcome = list_owner(s, list, owners[i], roots, one);
	for (size_t i = 0; i < 2 && outcome == STORE_OK; i++)
		if (roots[i].path.len > 0)
			outcome = one(s, list, &roots[i]);
	return outcome;
}

err_t on_list(struct session *s, const struct imap_command *command)
{
	const struct imap_list *list = &command->list;
	struct mailboxes all, gone = {0};

	if (!list->is_extended && list->patterns[0].len == 0) {
		/* RFC 9051 §6.3.9: what is the delimiter? */
		buf_add_c(&s->out, "* LIST (\\Noselect) \"/\" \"\"\r\n");
		return reply_ok(s, command, "That is the delimiter");
	}
	enum store_outcome outcome = mailboxes_load(s, &all);

	if (outcome == STORE_OK && (list->select & IMAP_LIST_SUBSCRIBED))
		outcome = gone_load(s, &all, &gone);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	if (list->status_items & IMAP_STATUS_HIGHESTMODSEQ)
		session_condstore(s);
	for (size_t i = 0; i < all.count && !conn_is_broken(s->conn); i++) {
		outcome = list_one(s, list, &all.list[i]);
		if (outcome != STORE_OK)
			return reply_store(s, command, outcome);
	}
	for (size_t i = 0; i < gone.count && !conn_is_broken(s->conn); i++)
		(void)list_one(s, list, &gone.list[i]); /* asks the store nothing */
	outcome = list_others(s, list, list_one);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_ok(s, command, "That is all");
}

/* The old form shows, besides the subscribed ones that match, those above a subscribed
 * one that are not subscribed themselves, if only they match ("%").  RFC 3501 §6.3.9. */
static enum store_outcome lsub_one(struct session *s, const struct imap_list *list,
				   struct mailbox *mailbox)
{
	struct str pattern = list->patterns[0];
	bool has_percent = str_find_byte(pattern, '%') < pattern.len;
	bool is_above = has_percent && mailbox->has_subscribed_below;

	if (!mailbox->is_visible || (!mailbox->row.is_subscribed && !is_above) ||
	    !matches(list, mailbox->path))
		return STORE_OK;
	if (mailbox->row.is_subscribed && mailbox->is_nonexistent)
		buf_add_c(&s->out, "* LSUB (\\NonExistent) \"/\" ");
	else if (mailbox->row.is_subscribed && !mailbox->row.is_container)
		buf_add_c(&s->out, "* LSUB () \"/\" ");
	else
		buf_add_c(&s->out, "* LSUB (\\Noselect) \"/\" ");
	imap_write_mailbox(&s->out, mailbox->path, session_is_utf8(s));
	buf_add_c(&s->out, "\r\n");
	if (s->out.len > SEND_BYTES)
		session_send(s);
	return STORE_OK;
}

err_t on_lsub(struct session *s, const struct imap_command *command)
{
	const struct imap_list *list = &command->list;
	struct mailboxes all, gone;
	enum store_outcome outcome = mailboxes_load(s, &all);

	if (outcome == STORE_OK)
		outcome = gone_load(s, &all, &gone);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	for (size_t i = 0; i < all.count && !conn_is_broken(s->conn); i++)
		(void)lsub_one(s, list, &all.list[i]);
	for (size_t i = 0; i < gone.count && !conn_is_broken(s->conn); i++)
		(void)lsub_one(s, list, &gone.list[i]);
	outcome = list_others(s, list, lsub_one);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_ok(s, command, "That is all");
}

err_t on_status(struct session *s, const struct imap_command *command)
{
	struct mailbox *mailbox;
	enum store_outcome outcome = mailbox_find(s, command->status.mailbox, &mailbox);

	if (outcome == STORE_OK && !mailbox->row.is_container)
		outcome = mailbox_refresh(s, mailbox, command->status.items);
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
