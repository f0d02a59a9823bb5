#include "imap/events.h"

#include "base/mem.h"
#include "imap/mailboxes.h"

enum { SEND_BYTES = 32 << 10, ROW_BYTES = 64 << 10, PATH_BYTES = 16 << 10 };

struct events *events_new(struct arena *arena, const struct imap_notify *wish)
{
	struct events *e = NEW(struct events);

	e->arena = *arena;
	arena_init(arena, arena->max);
	e->wish = *wish;
	for (size_t i = 0; i < wish->group_count; i++) {
		const struct imap_event_group *group = &wish->groups[i];

		if (group->watched <= IMAP_WATCH_SELECTED_DELAYED)
			e->selected = group;
		else
			e->others |= group->events;
	}
	return e;
}

static void forget_others(struct events *e)
{
	e->others = 0;
	e->changed_count = 0;
	roster_fini(&e->roster);
}

void events_free(struct events **events)
{
	struct events *e = *events;

	if (!e)
		return;
	*events = NULL;
	forget_others(e);
	mem_free(e->changed);
	arena_fini(&e->arena);
	mem_free(e);
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
			const struct mailbox_row *row, struct str path)
{
	switch (group->watched) {
	case IMAP_WATCH_SELECTED:
	case IMAP_WATCH_SELECTED_DELAYED:
		return false;
	case IMAP_WATCH_INBOXES: /* RFC 5465 §6.3: where delivery leaves mail */
		return row->id == MAILBOX_INBOX || row->role == ROLE_JUNK;
	case IMAP_WATCH_PERSONAL:
		return true; /* those of others are not followed */
	case IMAP_WATCH_SUBSCRIBED:
		return row->is_subscribed;
	case IMAP_WATCH_SUBTREE:
	case IMAP_WATCH_MAILBOXES:
		return is_listed(group, path);
	}
	return false;
}

unsigned events_of(const struct events *e, const struct mailbox_row *row, struct str path,
		   bool *is_named)
{
	unsigned found = 0;

	*is_named = false;
	for (size_t i = 0; i < e->wish.group_count; i++) {
		if (!is_in_group(&e->wish.groups[i], row, path))
			continue;
		*is_named = true;
		found |= e->wish.groups[i].events;
	}
	if (row->is_container)
		found &= ~(unsigned)IMAP_EVENTS_OF_MESSAGES;
	return found;
}

void events_load(struct events *e, const struct mailboxes *all)
{
	if (e->others == 0)
		return;
	for (size_t i = 0; i < all->count; i++)
		roster_add(&e->roster, &all->list[i].row);
	roster_settle(&e->roster);
	for (size_t i = 0; i < all->count; i++) {
		const struct mailbox *mailbox = &all->list[i];
		bool is_named;

		roster_find(&e->roster, mailbox->row.id)->events =
			events_of(e, &mailbox->row, mailbox->path, &is_named);
	}
}

static void entry_watch(struct events *e, struct roster_entry *entry)
{
	SCOPED(buf_fini) struct buf path = BUF(PATH_BYTES);
	struct mailbox_row row = {.id = entry->id,
				  .role = entry->role,
				  .is_container = entry->is_container,
				  .is_subscribed = entry->is_subscribed};
	bool is_named;

	roster_path(&e->roster, entry, &path);
	entry->events = events_of(e, &row, buf_str(&path), &is_named);
}

/* ---- what the session did itself -------------------------------------------------- */

void events_own(struct session *s, account_t account, uint64_t change)
{
	s->own[s->own_at++ % SESSION_OWN_MAX] = (struct own_change){account, change};
}

bool events_is_own(const struct session *s, account_t account, uint64_t change)
{
	for (size_t i = 0; i < SESSION_OWN_MAX; i++) {
		if (s->own[i].account == account && s->own[i].change == change)
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
	const struct imap_event_group *group = s->events ? s->events->selected : NULL;
	unsigned wanted = group ? group->events & SELECTED_EVENTS : 0;
	unsigned but_gone = ~(unsigned)IMAP_EVENT_MESSAGE_EXPUNGE;

	if (!s->events) /* RFC 5465 §3.1: as it was before */
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

/* ---- names ------------------------------------------------------------------------ */

/* "* LIST (...) "/" name", of a mailbox that is there.  RFC 5465 §5.4, §5.5. */
static void write_name(struct session *s, const struct roster_entry *entry,
		       struct str old_path)
{
	SCOPED(buf_fini) struct buf path = BUF(PATH_BYTES);
	struct mailbox mailbox = {.row = {.role = entry->role,
					  .is_container = entry->is_container,
					  .is_subscribed = entry->is_subscribed},
				  .has_children = entry->children > 0};

	roster_path(&s->events->roster, entry, &path);
	buf_add_c(&s->out, "* LIST (");
	mailbox_write_attributes(&s->out, &mailbox, true);
	buf_add_c(&s->out, ") \"/\" ");
	imap_write_mailbox(&s->out, buf_str(&path), session_is_utf8(s));
	if (old_path.len > 0) {
		buf_add_c(&s->out, " (\"OLDNAME\" (");
		imap_write_mailbox(&s->out, old_path, session_is_utf8(s));
		buf_add_c(&s->out, "))");
	}
	buf_add_c(&s->out, "\r\n");
}

/* Whoever comes or goes also affects the mailbox above.  RFC 5465 §5.4. */
static void write_above(struct session *s, uint64_t parent)
{
	const struct roster_entry *entry = roster_find(&s->events->roster, parent);

	if (entry && (entry->events & IMAP_EVENT_MAILBOX_NAME))
		write_name(s, entry, STR(""));
}

static void name_added(struct session *s, const struct mailbox_row *row, bool is_own)
{
	struct events *e = s->events;
	struct roster_entry *entry = roster_put(&e->roster, row);

	entry_watch(e, entry);
	if (is_own)
		return;
	if (entry->events & IMAP_EVENT_MAILBOX_NAME)
		write_name(s, entry, STR(""));
	write_above(s, row->parent);
}

/* Renamed, or its subscription changed, or nothing of interest. */
static void name_changed(struct session *s, struct roster_entry *entry,
			 const struct mailbox_row *row, bool is_own)
{
	SCOPED(buf_fini) struct buf old = BUF(PATH_BYTES);
	struct events *e = s->events;
	bool is_renamed =
		entry->parent != row->parent || !str_same(entry->name, row->name);
	bool is_other = entry->is_subscribed != row->is_subscribed;
	unsigned wanted = entry->events;

	if (!is_renamed && !is_other)
		return;
	roster_path(&e->roster, entry, &old);
	entry = roster_put(&e->roster, row);
	/* Its children are renamed, too (RFC 5465 §5.4). */
	for (size_t i = 0; is_renamed && i < e->roster.count; i++)
		entry_watch(e, &e->roster.list[i]);
	entry_watch(e, entry);
	wanted |= entry->events;
	is_renamed &= (wanted & IMAP_EVENT_MAILBOX_NAME) != 0;
	is_other &= (wanted & IMAP_EVENT_SUBSCRIPTION_CHANGE) != 0;
	if (!is_own && (is_renamed || is_other))
		write_name(s, entry, is_renamed ? buf_str(&old) : STR(""));
}

static void name_gone(struct session *s, uint64_t id, bool is_own)
{
	struct roster *roster = &s->events->roster;
	const struct roster_entry *entry = roster_find(roster, id);
	SCOPED(buf_fini) struct buf path = BUF(PATH_BYTES);

	if (!entry)
		return;
	bool is_told = !is_own && (entry->events & IMAP_EVENT_MAILBOX_NAME);
	uint64_t parent = entry->parent;

	roster_path(roster, entry, &path);
	roster_remove(roster, id);
	if (is_told) {
		buf_add_c(&s->out, "* LIST (\\NonExistent) \"/\" ");
		imap_write_mailbox(&s->out, buf_str(&path), session_is_utf8(s));
		buf_add_c(&s->out, "\r\n");
	}
	if (!is_own)
		write_above(s, parent);
}

/* What became of a mailbox whose name, place or subscription may have changed.  One above
 * that we do not know yet was made later, and is looked at first. */
static enum store_outcome mailbox_changed(struct session *s, uint64_t id, bool is_own,
					  unsigned depth)
{
	struct events *e = s->events;
	SCOPED(arena_fini) struct arena arena;
	struct mailbox_row row;

	arena_init(&arena, ROW_BYTES);
	enum store_outcome outcome =
		store_mailbox(session_store(s), s->login.account, id, &arena, &row);

	if (outcome == STORE_ABSENT)
		return STORE_OK; /* that it went is told in its turn */
	if (outcome == STORE_OK && row.parent != 0 && depth > 0 &&
	    !roster_find(&e->roster, row.parent))
		outcome = mailbox_changed(s, row.parent, is_own, depth - 1);
	if (outcome != STORE_OK)
		return outcome;
	struct roster_entry *entry = roster_find(&e->roster, id);

	if (entry)
		name_changed(s, entry, &row, is_own);
	else if (e->roster.count < ROSTER_MAX)
		name_added(s, &row, is_own);
	else
		return STORE_CONFLICT; /* more than we follow */
	return STORE_OK;
}

/* ---- messages elsewhere ----------------------------------------------------------- */

static void message_changed(struct session *s, uint64_t mailbox, unsigned event)
{
	struct events *e = s->events;
	struct roster_entry *entry = roster_find(&e->roster, mailbox);

	if (!entry || !(entry->events & event))
		return;
	if (entry->pending == 0) {
		MEM_ROOM(e->changed, e->changed_count, e->changed_room);
		e->changed[e->changed_count++] = mailbox;
	}
	entry->pending |= event;
}

static unsigned event_of(enum change_kind kind)
{
	switch (kind) {
	case CHANGE_MESSAGE_NEW:
		return IMAP_EVENT_MESSAGE_NEW;
	case CHANGE_MESSAGE_FLAGS:
		return IMAP_EVENT_FLAG_CHANGE;
	case CHANGE_MESSAGE_GONE:
		return IMAP_EVENT_MESSAGE_EXPUNGE;
	case CHANGE_MAILBOX:
	case CHANGE_MAILBOX_GONE:
		break;
	}
	return 0;
}

static enum store_outcome take_row(struct session *s, const struct change_row *row)
{
	bool is_own = events_is_own(s, s->login.account, row->change);

	if (row->kind == CHANGE_MAILBOX)
		return mailbox_changed(s, row->mailbox, is_own, MAILBOX_DEPTH_MAX);
	if (row->kind == CHANGE_MAILBOX_GONE)
		name_gone(s, row->mailbox, is_own);
	else if (!is_own && !selected_is(s, s->login.account, row->mailbox))
		message_changed(s, row->mailbox, event_of(row->kind));
	return STORE_OK;
}

static enum store_outcome read_log(struct session *s)
{
	struct events *e = s->events;
	bool more = true;

	while (more) {
		struct change_row *rows;
		size_t count;
		uint64_t upto;

		arena_reset(&s->page);
		enum store_outcome outcome =
			store_changes(session_store(s), s->login.account, 0, e->upto,
				      &s->page, &rows, &count, &upto, &more);

		for (size_t i = 0; i < count && outcome == STORE_OK; i++) {
			outcome = take_row(s, &rows[i]);
			if (s->out.len > SEND_BYTES)
				session_send(s);
		}
		if (outcome != STORE_OK)
			return outcome;
		e->upto = upto;
	}
	return STORE_OK;
}

/* RFC 5465 §5.1 to §5.3. */
static unsigned status_items(const struct session *s, const struct roster_entry *entry)
{
	unsigned items = IMAP_STATUS_UIDVALIDITY;

	if (entry->pending & (IMAP_EVENT_MESSAGE_NEW | IMAP_EVENT_MESSAGE_EXPUNGE))
		items |= IMAP_STATUS_MESSAGES | IMAP_STATUS_UIDNEXT;
	if (entry->events & IMAP_EVENT_FLAG_CHANGE)
		items |= IMAP_STATUS_UNSEEN;
	if (s->is_condstore)
		items |= IMAP_STATUS_HIGHESTMODSEQ;
	return items;
}

/* One STATUS, whatever happened there since the last. */
static enum store_outcome tell_messages(struct session *s, uint64_t id)
{
	struct events *e = s->events;
	struct roster_entry *entry = roster_find(&e->roster, id);
	SCOPED(buf_fini) struct buf path = BUF(PATH_BYTES);
	SCOPED(arena_fini) struct arena arena = {0};
	struct mailbox mailbox = {.account = s->login.account};

	if (!entry || selected_is(s, s->login.account, id))
		return STORE_OK; /* it has gone, or says more itself now */
	unsigned items = status_items(s, entry);

	roster_path(&e->roster, entry, &path);
	mailbox.path = buf_str(&path);
	arena_init(&arena, ROW_BYTES);
	enum store_outcome outcome = store_mailbox(session_store(s), s->login.account, id,
						   &arena, &mailbox.row);

	if (outcome == STORE_OK)
		mailbox_write_status(s, &mailbox, items);
	return outcome == STORE_ABSENT ? STORE_OK : outcome;
}

static enum store_outcome tell_changed(struct session *s)
{
	struct events *e = s->events;

	while (e->changed_count > 0) {
		uint64_t id = e->changed[e->changed_count - 1];
		enum store_outcome outcome = tell_messages(s, id);
		struct roster_entry *entry = roster_find(&e->roster, id);

		if (outcome != STORE_OK)
			return outcome;
		if (entry)
			entry->pending = 0;
		e->changed_count--;
		if (s->out.len > SEND_BYTES)
			session_send(s);
	}
	return STORE_OK;
}

/* RFC 5465 §5.8. */
static void overflow(struct session *s)
{
	buf_add_c(&s->out,
		  "* OK [NOTIFICATIONOVERFLOW] Too much has happened to tell it; "
		  "look at your mailboxes, and say NOTIFY again\r\n");
	s->events->selected = NULL;
	forget_others(s->events);
}

err_t events_tell(struct session *s)
{
	struct events *e = s->events;

	if (!e || e->others == 0)
		return OK;
	enum store_outcome outcome = read_log(s);

	if (outcome == STORE_OK)
		outcome = tell_changed(s);
	/* The log does not reach back so far.  If the store does not answer, there is
	 * another time. */
	if (outcome == STORE_CONFLICT)
		overflow(s);
	if (s->out.len > 0)
		session_send(s);
	return OK;
}
