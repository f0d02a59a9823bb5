#include "imap/events.h"

#include "base/mem.h"
#include "imap/mailboxes.h"
#include "imap/others.h"

enum { SEND_BYTES = 32 << 10, PATH_BYTES = 16 << 10 };

struct events *events_new(struct arena *arena, const struct imap_notify *wish)
{
	struct events *e = NEW(struct events);

	e->arena = *arena;
	arena_init(arena, arena->max);
	e->wish = *wish;
	e->is_asked = true;
	for (size_t i = 0; i < wish->group_count; i++) {
		const struct imap_event_group *group = &wish->groups[i];

		if (group->watched <= IMAP_WATCH_SELECTED_DELAYED)
			e->selected = group;
		else
			e->others |= group->events;
	}
	return e;
}

void events_forget_others(struct events *e)
{
	e->others = 0;
	e->has_shares_changed = e->awaits_others = false;
	follow_fini(&e->own);
	others_end(e);
}

void events_free(struct events **events)
{
	struct events *e = *events;

	if (!e)
		return;
	*events = NULL;
	events_forget_others(e);
	arena_fini(&e->arena);
	mem_free(e);
}

bool events_has_room(const struct events *e, size_t more)
{
	size_t count = e->own.roster.count;

	for (size_t i = 0; i < e->shared_count; i++)
		count += e->shared[i]->roster.count;
	return more <= ROSTER_MAX && count <= ROSTER_MAX - more;
}

/* ---- which mailboxes -------------------------------------------------------------- */

static bool is_at_or_below(struct str path, struct str above)
{
	return str_starts(path, above) &&
	       (path.len == above.len || path.ptr[above.len] == '/');
}

static bool is_listed(const struct imap_event_group *group, struct str path)
{
	for (size_t i = 0; i < group->mailbox_count; i++) {
		if (group->watched == IMAP_WATCH_SUBTREE
			    ? is_at_or_below(path, group->mailboxes[i])
			    : str_same(path, group->mailboxes[i]))
			return true;
	}
	return false;
}

static bool is_in_group(const struct imap_event_group *group,
			const struct mailbox *mailbox)
{
	const struct mailbox_row *row = &mailbox->row;
	bool is_own = mailbox->account < ACCOUNT_VISITS;

	switch (group->watched) {
	case IMAP_WATCH_SELECTED:
	case IMAP_WATCH_SELECTED_DELAYED:
		return false;
	case IMAP_WATCH_INBOXES: /* RFC 5465 §6.3: where delivery leaves mail */
		return is_own && (row->id == MAILBOX_INBOX || row->role == ROLE_JUNK);
	case IMAP_WATCH_PERSONAL:
		return is_own;
	case IMAP_WATCH_SUBSCRIBED:
		return row->is_subscribed;
	case IMAP_WATCH_SUBTREE:
	case IMAP_WATCH_MAILBOXES:
		return is_listed(group, mailbox->path);
	}
	return false;
}

unsigned events_of(const struct events *e, const struct mailbox *mailbox, bool *is_named)
{
	unsigned found = 0;

	*is_named = false;
	for (size_t i = 0; i < e->wish.group_count; i++) {
		if (!is_in_group(&e->wish.groups[i], mailbox))
			continue;
		*is_named = true;
		found |= e->wish.groups[i].events;
	}
	if (mailbox->row.is_container)
		found &= ~(unsigned)IMAP_EVENTS_OF_MESSAGES;
	return found;
}

/* RFC 5465 §5 wants l and r for all events; that a mailbox is there, who has l may know
 * (§5.4), and so may who has a right to one below it. */
void events_watch(const struct events *e, const struct follow *f,
		  struct roster_entry *entry)
{
	enum { READS = ACL_LOOKUP | ACL_READ };
	unsigned of_names = IMAP_EVENT_MAILBOX_NAME | IMAP_EVENT_SUBSCRIPTION_CHANGE;
	SCOPED(buf_fini) struct buf path = BUF(PATH_BYTES);
	struct mailbox mailbox = {.row = {.id = entry->id,
					  .role = entry->role,
					  .is_container = entry->is_container,
					  .is_subscribed = entry->is_subscribed},
				  .account = f->account};
	bool is_named;

	roster_path(&f->roster, entry, &path);
	mailbox.path = buf_str(&path);
	entry->wanted = events_of(e, &mailbox, &is_named);
	entry->events = entry->wanted;
	if ((entry->rights & READS) != READS)
		entry->events &= of_names;
}

bool events_is_blocked(const struct roster_entry *entry)
{
	return (entry->rights & ACL_LOOKUP) && (entry->wanted & ~entry->events) != 0;
}

/* ---- the beginning ---------------------------------------------------------------- */

/* What STATUS has to say at once.  RFC 5465 §3.1; a group without events asks for a
 * snapshot (§5). */
static unsigned items_for(unsigned events)
{
	unsigned items = IMAP_STATUS_UIDVALIDITY;

	if (events == 0 || (events & IMAP_EVENT_MESSAGE_NEW))
		items |= IMAP_STATUS_MESSAGES | IMAP_STATUS_UIDNEXT;
	if (events == 0 || (events & IMAP_EVENT_FLAG_CHANGE))
		items |= IMAP_STATUS_HIGHESTMODSEQ | IMAP_STATUS_UNSEEN;
	return items;
}

void events_write_status(struct session *s, const struct events *e,
			 struct mailbox *mailbox)
{
	bool is_named;
	unsigned found = events_of(e, mailbox, &is_named);

	if (!is_named || !e->wish.wants_status || mailbox->row.is_container ||
	    !(mailbox->row.rights & ACL_READ) ||
	    selected_is(s, mailbox->account, mailbox->row.id) ||
	    (found != 0 && !(found & IMAP_EVENTS_OF_MESSAGES)) ||
	    mailbox_refresh(s, mailbox, items_for(found)) != STORE_OK)
		return;
	mailbox_write_status(s, mailbox, items_for(found));
	if (s->out.len > SEND_BYTES)
		session_send(s);
}

static void load_own(struct events *e, const struct mailboxes *all)
{
	if (e->others == 0)
		return;
	for (size_t i = 0; i < all->count; i++)
		roster_add(&e->own.roster, &all->list[i].row);
	roster_settle(&e->own.roster);
	for (size_t i = 0; i < e->own.roster.count; i++)
		events_watch(e, &e->own, &e->own.roster.list[i]);
}

enum store_outcome events_begin(struct session *s, struct events *e)
{
	account_t self = s->login.account;
	struct account_summary summary;
	struct mailboxes all;
	enum store_outcome outcome = store_summary(session_store(s), self, &summary);

	if (outcome == STORE_OK)
		outcome = mailboxes_load(s, &all);
	if (outcome != STORE_OK)
		return outcome;
	if (all.count > ROSTER_MAX)
		return STORE_INVALID;
	e->own.owner = e->own.account = self;
	e->own.upto = summary.change;
	load_own(e, &all);
	for (size_t i = 0; i < all.count; i++)
		events_write_status(s, e, &all.list[i]);
	outcome = others_renew(s, e, LOOK_FIRST);
	if (e->others == 0)
		events_forget_others(e); /* it was for the snapshot */
	return outcome == STORE_CONFLICT ? STORE_INVALID : outcome;
}

/* ---- what the session did itself -------------------------------------------------- */

void events_own(struct session *s, account_t account, uint64_t change)
{
	struct own_change *latest = &s->own[(s->own_at - 1) % SESSION_OWN_MAX];

	if (s->own_at > 0 && latest->account == account && latest->last + 1 == change)
		latest->last = change;
	else
		s->own[s->own_at++ % SESSION_OWN_MAX] =
			(struct own_change){account, change, change};
}

void events_disown(struct session *s)
{
	memset(s->own, 0, sizeof s->own);
	s->own_at = 0;
}

bool events_is_own(const struct session *s, account_t account, uint64_t change)
{
	for (size_t i = 0; i < SESSION_OWN_MAX; i++) {
		const struct own_change *own = &s->own[i];

		if (own->account == account && own->first <= change &&
		    change <= own->last)
			return true;
	}
	return false;
}

/* ---- the selected mailbox --------------------------------------------------------- */

enum {
	SELECTED_EVENTS = IMAP_EVENT_MESSAGE_NEW | IMAP_EVENT_MESSAGE_EXPUNGE |
			  IMAP_EVENT_FLAG_CHANGE
};

/* RFC 9051 §7.5.1: EXPUNGE may not be sent while the client counts with sequence numbers.
 * Between commands it may only if the client said that it does not count with them at all
 * (RFC 5465 §5.3, §6.1). */
unsigned events_selected(const struct session *s, enum moment moment)
{
	bool is_asked = s->events && s->events->is_asked;
	const struct imap_event_group *group = is_asked ? s->events->selected : NULL;
	unsigned wanted = group ? group->events & SELECTED_EVENTS : 0;
	unsigned but_gone = ~(unsigned)IMAP_EVENT_MESSAGE_EXPUNGE;

	if (!is_asked) /* RFC 5465 §3.1: as it was before */
		wanted = moment == MOMENT_REST ? 0 : SELECTED_EVENTS;
	switch (moment) {
	case MOMENT_NUMBERS:
		return wanted & but_gone;
	case MOMENT_COMMAND:
	case MOMENT_IDLE:
		return wanted;
	case MOMENT_REMOVED:
		return wanted | IMAP_EVENT_MESSAGE_EXPUNGE;
	case MOMENT_REST:
		break;
	}
	if (group && group->watched == IMAP_WATCH_SELECTED_DELAYED)
		wanted &= but_gone;
	return wanted;
}

bool events_at_rest(const struct session *s)
{
	if (!s->events)
		return false;
	return s->events->others != 0 ||
	       (s->state == IMAP_SELECTED && events_selected(s, MOMENT_REST) != 0);
}

const struct imap_fetch *events_items(const struct session *s)
{
	const struct imap_event_group *group = s->events ? s->events->selected : NULL;
	bool has_some =
		group && (group->items.items != 0 || group->items.section_count > 0);

	return has_some ? &group->items : NULL;
}

/* ---- the story -------------------------------------------------------------------- */

/* RFC 5465 §5.8. */
static void overflow(struct session *s)
{
	buf_add_c(&s->out,
		  "* OK [NOTIFICATIONOVERFLOW] Too much has happened to tell it; "
		  "look at your mailboxes, and say NOTIFY again\r\n");
	s->events->selected = NULL;
	events_forget_others(s->events);
}

/* Deviates: of mailboxes of others only those are told that are subscribed to, where RFC
 * 5464 §4.4 has all: whoever shares with everybody would be followed by everybody. */
void events_enable_metadata(struct session *s)
{
	static const struct imap_event_group groups[] = {
		{.watched = IMAP_WATCH_PERSONAL,
		 .events = IMAP_EVENT_MAILBOX_METADATA | IMAP_EVENT_SERVER_METADATA},
		{.watched = IMAP_WATCH_SUBSCRIBED, .events = IMAP_EVENT_MAILBOX_METADATA},
	};
	const struct imap_notify wish = {.is_set = true,
					 .groups = groups,
					 .group_count = COUNT_OF(groups),
					 .events = groups[0].events};
	struct arena none;

	if (s->events)
		return;
	arena_init(&none, 0);
	s->events = events_new(&none, &wish);
	s->events->is_asked = false;
	enum store_outcome outcome = events_begin(s, s->events);

	if (outcome == STORE_INVALID)
		overflow(s);
	else if (outcome != STORE_OK)
		events_free(&s->events); /* it can be enabled again */
}

err_t events_tell(struct session *s)
{
	struct events *e = s->events;

	if (!e || e->others == 0)
		return OK;
	enum store_outcome outcome = follow_read(s, e, &e->own);

	if (outcome == STORE_OK)
		outcome = follow_tell_messages(s, &e->own);
	if (outcome == STORE_OK)
		outcome = others_tell(s, e);
	/* The log does not reach back so far.  If the store does not answer, there is
	 * another time. */
	if (outcome == STORE_CONFLICT)
		overflow(s);
	if (s->out.len > 0)
		session_send(s);
	return OK;
}
