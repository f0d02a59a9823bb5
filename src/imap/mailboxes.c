#include "imap/mailboxes.h"

#include <stdlib.h>

#include "imap/recent.h"
#include "imap/shares.h"
#include "imap/walk.h"
#include "store/role.h"

/* The mailboxes by their numbers: a parent is found at once, however many there are. */
struct by_id {
	struct mailbox **list;
	size_t count;
};

static int compare_ids(const void *a, const void *b)
{
	const struct mailbox *const *one = a, *const *other = b;

	return ((*one)->row.id > (*other)->row.id) - ((*one)->row.id < (*other)->row.id);
}

static bool by_id_make(struct session *s, const struct mailboxes *all, struct by_id *ids)
{
	ids->count = all->count;
	ids->list = ARENA_ARRAY(&s->scratch, struct mailbox *, all->count + 1);
	if (!ids->list)
		return false;
	for (size_t i = 0; i < all->count; i++)
		ids->list[i] = &all->list[i];
	qsort(ids->list, ids->count, sizeof *ids->list, compare_ids);
	return true;
}

/* Parents stand before their children: what does not is no parent. */
static struct mailbox *above_of(const struct by_id *ids, const struct mailbox *mailbox)
{
	struct mailbox wanted = {.row = {.id = mailbox->row.parent}}, *key = &wanted;
	struct mailbox **found =
		bsearch(&key, ids->list, ids->count, sizeof *ids->list, compare_ids);

	return found && *found < mailbox ? *found : NULL;
}

static bool join(struct session *s, struct mailbox *mailbox)
{
	if (!mailbox->above) {
		mailbox->path = mailbox->row.name;
		return true;
	}
	mailbox->path =
		arena_printf(&s->scratch, "%.*s/%.*s", STR_FMT(mailbox->above->path),
			     STR_FMT(mailbox->row.name));
	return mailbox->path.len > 0;
}

static void mark_above(struct mailbox *mailbox)
{
	if (mailbox->is_visible)
		for (struct mailbox *above = mailbox->above;
		     above && !(above->is_visible && above->has_children);
		     above = above->above)
			above->is_visible = above->has_children = true;
	if (!mailbox->row.is_subscribed)
		return;
	for (struct mailbox *above = mailbox->above;
	     above && !above->has_subscribed_below; above = above->above)
		above->has_subscribed_below = true;
}

enum store_outcome mailboxes_load_of(struct session *s, account_t account, size_t front,
				     struct mailboxes *all)
{
	struct mailbox_row *rows;
	size_t count;
	enum store_outcome outcome =
		store_mailboxes(session_store(s), account, &s->scratch, &rows, &count);

	*all = (struct mailboxes){.account = account, .owner = account};
	if (outcome != STORE_OK)
		return outcome;
	all->list = ARENA_ARRAY(&s->scratch, struct mailbox, front + count + 1);
	if (!all->list)
		return STORE_INVALID;
	for (size_t i = 0; i < count; i++)
		all->list[front + i].row = rows[i];
	all->count = front + count;
	return STORE_OK;
}

enum store_outcome mailboxes_name(struct session *s, struct mailboxes *all)
{
	struct by_id ids;
	size_t front = 0;

	if (!by_id_make(s, all, &ids))
		return STORE_INVALID;
	while (front < all->count && all->list[front].row.id == 0)
		front++;
	for (size_t i = 0; i < all->count; i++) {
		struct mailbox *mailbox = &all->list[i];

		mailbox->account = all->account;
		mailbox->owner = all->owner;
		if (i < front)
			continue;
		mailbox->is_visible = mailbox->row.rights & ACL_LOOKUP;
		mailbox->row.is_container |= mailbox->row.rights == 0;
		if (mailbox->row.parent != 0)
			mailbox->above = above_of(&ids, mailbox);
		else if (front > 0)
			mailbox->above = &all->list[front - 1];
		if (!join(s, mailbox))
			return STORE_INVALID;
		mark_above(mailbox);
	}
	return STORE_OK;
}

enum store_outcome mailboxes_load(struct session *s, struct mailboxes *all)
{
	enum store_outcome outcome = mailboxes_load_of(s, s->login.account, 0, all);

	return outcome == STORE_OK ? mailboxes_name(s, all) : outcome;
}

/* Who has had a mailbox by the name of a namespace keeps it. */
enum store_outcome mailboxes_load_for(struct session *s, struct str path,
				      struct mailboxes *all)
{
	account_t owner, visit;

	if (!shares_name(path))
		return mailboxes_load(s, all);
	enum store_outcome outcome = shares_find(s, path, &owner, &visit);

	if (outcome == STORE_OK)
		return shares_load(s, owner, all);
	return outcome == STORE_ABSENT ? mailboxes_load(s, all) : outcome;
}

struct mailbox *mailboxes_find(const struct mailboxes *all, struct str path)
{
	for (size_t i = 0; i < all->count; i++) {
		if (str_same(all->list[i].path, path))
			return &all->list[i];
	}
	return NULL;
}

enum store_outcome mailbox_find(struct session *s, struct str path,
				struct mailbox **found)
{
	struct mailboxes all;
	enum store_outcome outcome = mailboxes_load_for(s, path, &all);

	*found = NULL;
	if (outcome != STORE_OK)
		return outcome;
	*found = mailboxes_find(&all, path);
	/* Without any right it only stands above one of which we may know. */
	return *found && (*found)->row.rights != 0 ? STORE_OK : STORE_ABSENT;
}

enum store_outcome mailbox_refresh(struct session *s, struct mailbox *mailbox,
				   unsigned items)
{
	struct mailbox_row row;

	if (mailbox->account < ACCOUNT_VISITS && !(items & IMAP_STATUS_RECENT))
		return STORE_OK;
	enum store_outcome outcome = store_mailbox(session_store(s), mailbox->account,
						   mailbox->row.id, &s->scratch, &row);

	if (outcome != STORE_OK)
		return outcome;
	row.is_subscribed = mailbox->row.is_subscribed;
	mailbox->row = row;
	return row.rights & ACL_READ ? STORE_OK : STORE_DENIED;
}

void mailbox_write_attributes(struct buf *out, const struct mailbox *mailbox,
			      bool tells_subscribed)
{
	struct str use = role_use(mailbox->row.role);

	buf_add_c(out, mailbox->has_children ? "\\HasChildren" : "\\HasNoChildren");
	if (mailbox->is_nonexistent)
		buf_add_c(out, " \\NonExistent"); /* RFC 5258 §3: implies \Noselect */
	else if (mailbox->row.is_container)
		buf_add_c(out, " \\Noselect");
	if (tells_subscribed && mailbox->row.is_subscribed)
		buf_add_c(out, " \\Subscribed");
	if (use.len > 0) /* RFC 6154 §2: may be said without being asked */
		buf_printf(out, " %.*s", STR_FMT(use));
}

/* What EXPUNGE would free: the sum of the sizes of what has \Deleted, in octets.  RFC
 * 9208 §4.1.4. */
static enum store_outcome sum_deleted(struct session *s, const struct mailbox *mailbox,
				      uint64_t *sum)
{
	struct imap_range all = {1, UINT32_MAX};
	struct walk walk = walk_over(s, &all, 1, ROW_MESSAGE);

	*sum = 0;
	if (mailbox->row.deleted == 0)
		return STORE_OK;
	walk.account = mailbox->account;
	walk.mailbox = mailbox->row.id;
	for (const struct message_row *message; (message = walk_next(&walk));)
		*sum += message->flags & FLAG_DELETED ? message->size : 0;
	return walk.outcome;
}

static void write_status_item(struct session *s, const struct mailbox *mailbox,
			      enum imap_status_item item, uint64_t deleted_bytes)
{
	const struct mailbox_row *row = &mailbox->row;
	uint64_t value = 0;

	buf_add(&s->out, imap_status_item_name(item));
	buf_add_byte(&s->out, ' ');
	switch (item) {
	case IMAP_STATUS_MESSAGES:
		value = row->exists;
		break;
	case IMAP_STATUS_UIDNEXT:
		value = row->uid_next;
		break;
	case IMAP_STATUS_UIDVALIDITY:
		value = row->uid_validity;
		break;
	case IMAP_STATUS_UNSEEN:
		value = row->unseen;
		break;
	case IMAP_STATUS_DELETED:
		value = row->deleted;
		break;
	case IMAP_STATUS_SIZE:
		value = row->bytes;
		break;
	case IMAP_STATUS_RECENT:
		value = recent_count(s, mailbox->account, row);
		break;
	case IMAP_STATUS_HIGHESTMODSEQ:
		value = row->modseq;
		break;
	case IMAP_STATUS_MAILBOXID:
		buf_printf(&s->out, "(" MAILBOX_ID ")", (unsigned long long)row->id);
		return;
	case IMAP_STATUS_APPENDLIMIT:
		value = s->service->message_bytes_max;
		break;
	case IMAP_STATUS_DELETED_STORAGE:
		value = deleted_bytes;
		break;
	}
	buf_add_u64(&s->out, value);
}

enum store_outcome mailbox_write_status(struct session *s, const struct mailbox *mailbox,
					unsigned items)
{
	uint64_t deleted_bytes = 0;
	bool is_first = true;
	enum store_outcome outcome = STORE_OK;

	if (items & IMAP_STATUS_DELETED_STORAGE)
		outcome = sum_deleted(s, mailbox, &deleted_bytes);
	if (outcome != STORE_OK)
		return outcome;
	buf_add_c(&s->out, "* STATUS ");
	imap_write_mailbox(&s->out, mailbox->path, session_is_utf8(s));
	buf_add_c(&s->out, " (");
	for (unsigned bit = 1; bit <= IMAP_STATUS_DELETED_STORAGE; bit <<= 1) {
		if (!(items & bit))
			continue;
		if (!is_first)
			buf_add_byte(&s->out, ' ');
		write_status_item(s, mailbox, (enum imap_status_item)bit, deleted_bytes);
		is_first = false;
	}
	buf_add_c(&s->out, ")\r\n");
	return STORE_OK;
}
