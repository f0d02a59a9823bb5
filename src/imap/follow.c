#include "imap/follow.h"

#include "base/mem.h"
#include "imap/annotated.h"
#include "imap/events.h"
#include "imap/mailboxes.h"

enum { SEND_BYTES = 32 << 10, ROW_BYTES = 64 << 10, PATH_BYTES = 16 << 10 };

void follow_fini(struct follow *f)
{
	store_watch_close(&f->watch);
	roster_fini(&f->roster);
	mem_free(f->changed);
	mem_free(f->lost);
	*f = (struct follow){0};
}

/* ---- names ------------------------------------------------------------------------ */

/* RFC 5465 §5.4, §5.5, §5.9. */
void follow_write_name(struct session *s, const struct follow *f,
		       const struct roster_entry *entry, struct str old_path,
		       bool is_no_access)
{
	SCOPED(buf_fini) struct buf path = BUF(PATH_BYTES);
	struct mailbox mailbox = {.row = {.role = entry->role,
					  .is_container = entry->is_container,
					  .is_subscribed = entry->is_subscribed},
				  .has_children = entry->children > 0};

	roster_path(&f->roster, entry, &path);
	buf_add_c(&s->out, "* LIST (");
	mailbox_write_attributes(&s->out, &mailbox, true);
	if (is_no_access)
		buf_add_c(&s->out, " \\NoAccess");
	buf_add_c(&s->out, ") \"/\" ");
	imap_write_mailbox(&s->out, buf_str(&path), session_is_utf8(s));
	if (old_path.len > 0) {
		buf_add_c(&s->out, " (\"OLDNAME\" (");
		imap_write_mailbox(&s->out, old_path, session_is_utf8(s));
		buf_add_c(&s->out, "))");
	}
	buf_add_c(&s->out, "\r\n");
}

void follow_write_gone(struct session *s, struct str path, const char *attributes)
{
	buf_printf(&s->out, "* LIST (%s) \"/\" ", attributes);
	imap_write_mailbox(&s->out, path, session_is_utf8(s));
	buf_add_c(&s->out, "\r\n");
}

/* Whoever comes or goes also affects the mailbox above.  RFC 5465 §5.4. */
static void write_above(struct session *s, const struct follow *f, uint64_t parent)
{
	const struct roster_entry *entry = roster_find(&f->roster, parent);

	if (entry && (entry->events & IMAP_EVENT_MAILBOX_NAME))
		follow_write_name(s, f, entry, STR(""), false);
}

static void name_added(struct session *s, struct events *e, struct follow *f,
		       const struct mailbox_row *row, bool is_own)
{
	struct roster_entry *entry = roster_put(&f->roster, row);

	events_watch(e, f, entry);
	if (is_own)
		return;
	if (entry->events & IMAP_EVENT_MAILBOX_NAME)
		follow_write_name(s, f, entry, STR(""), false);
	write_above(s, f, row->parent);
}

/* Renamed, or its subscription changed, or nothing of interest. */
static void name_changed(struct session *s, struct events *e, struct follow *f,
			 struct roster_entry *entry, const struct mailbox_row *row,
			 bool is_own)
{
	SCOPED(buf_fini) struct buf old = BUF(PATH_BYTES);
	bool is_renamed =
		entry->parent != row->parent || !str_same(entry->name, row->name);
	bool is_other = entry->is_subscribed != row->is_subscribed;
	unsigned wanted = entry->events;

	if (!is_renamed && !is_other)
		return;
	roster_path(&f->roster, entry, &old);
	entry = roster_put(&f->roster, row);
	/* Its children are renamed, too (RFC 5465 §5.4). */
	for (size_t i = 0; is_renamed && i < f->roster.count; i++)
		events_watch(e, f, &f->roster.list[i]);
	events_watch(e, f, entry);
	wanted |= entry->events;
	is_renamed &= (wanted & IMAP_EVENT_MAILBOX_NAME) != 0;
	is_other &= (wanted & IMAP_EVENT_SUBSCRIPTION_CHANGE) != 0;
	if (!is_own && (is_renamed || is_other))
		follow_write_name(s, f, entry, is_renamed ? buf_str(&old) : STR(""),
				  false);
}

static void name_gone(struct session *s, struct follow *f, uint64_t id, bool is_own)
{
	struct roster *roster = &f->roster;
	const struct roster_entry *entry = roster_find(roster, id);
	SCOPED(buf_fini) struct buf path = BUF(PATH_BYTES);

	if (!entry)
		return;
	bool is_told = !is_own && (entry->events & IMAP_EVENT_MAILBOX_NAME);
	bool is_subscribed = f->account < ACCOUNT_VISITS && entry->is_subscribed;
	uint64_t parent = entry->parent;

	roster_path(roster, entry, &path);
	roster_remove(roster, id);
	if (is_told)
		follow_write_gone(s, buf_str(&path),
				  is_subscribed ? "\\NonExistent \\Subscribed"
						: "\\NonExistent");
	if (!is_own)
		write_above(s, f, parent);
}

/* What became of a mailbox of one's own whose name, place or subscription may have
 * changed.  One above that we do not know yet was made later, and is looked at first. */
static enum store_outcome mailbox_changed(struct session *s, struct events *e,
					  uint64_t id, bool is_own, unsigned depth)
{
	struct follow *f = &e->own;
	SCOPED(arena_fini) struct arena arena;
	struct mailbox_row row;

	arena_init(&arena, ROW_BYTES);
	enum store_outcome outcome =
		store_mailbox(session_store(s), f->account, id, &arena, &row);

	if (outcome == STORE_ABSENT)
		return STORE_OK; /* that it went is told in its turn */
	if (outcome == STORE_OK && row.parent != 0 && depth > 0 &&
	    !roster_find(&f->roster, row.parent))
		outcome = mailbox_changed(s, e, row.parent, is_own, depth - 1);
	if (outcome != STORE_OK)
		return outcome;
	struct roster_entry *entry = roster_find(&f->roster, id);

	if (entry)
		name_changed(s, e, f, entry, &row, is_own);
	else if (events_has_room(e, 1))
		name_added(s, e, f, &row, is_own);
	else
		return STORE_CONFLICT; /* more than we follow */
	return STORE_OK;
}

/* ---- messages --------------------------------------------------------------------- */

static void message_changed(struct follow *f, uint64_t mailbox, unsigned event)
{
	struct roster_entry *entry = roster_find(&f->roster, mailbox);

	if (!entry || !(entry->events & event))
		return;
	if (entry->pending == 0) {
		MEM_ROOM(f->changed, f->changed_count, f->changed_room);
		f->changed[f->changed_count++] = mailbox;
	}
	entry->pending |= event;
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
static enum store_outcome tell_status(struct session *s, struct follow *f, uint64_t id)
{
	struct roster_entry *entry = roster_find(&f->roster, id);
	SCOPED(buf_fini) struct buf path = BUF(PATH_BYTES);
	SCOPED(arena_fini) struct arena arena;
	struct mailbox mailbox = {.account = f->account};

	arena_init(&arena, ROW_BYTES);
	if (!entry || !(entry->events & IMAP_EVENTS_OF_MESSAGES) ||
	    selected_is(s, f->account, id))
		return STORE_OK; /* it has gone, or says more itself now */
	unsigned items = status_items(s, entry);

	roster_path(&f->roster, entry, &path);
	mailbox.path = buf_str(&path);
	enum store_outcome outcome =
		store_mailbox(session_store(s), f->account, id, &arena, &mailbox.row);

	if (outcome == STORE_OK && (mailbox.row.rights & ACL_READ))
		mailbox_write_status(s, &mailbox, items);
	return outcome == STORE_ABSENT || outcome == STORE_DENIED ? STORE_OK : outcome;
}

enum store_outcome follow_tell_messages(struct session *s, struct follow *f)
{
	while (f->changed_count > 0) {
		uint64_t id = f->changed[f->changed_count - 1];
		enum store_outcome outcome = tell_status(s, f, id);
		struct roster_entry *entry = roster_find(&f->roster, id);

		if (outcome != STORE_OK)
			return outcome;
		if (entry)
			entry->pending = 0;
		f->changed_count--;
		if (s->out.len > SEND_BYTES)
			session_send(s);
	}
	return STORE_OK;
}

/* ---- annotations ------------------------------------------------------------------ */

/* Of the server they are in one's own account, and everybody's own.  RFC 5465 §5.6, §5.7.
 */
static bool wants_annotation(const struct events *e, const struct follow *f,
			     uint64_t mailbox)
{
	const struct roster_entry *entry = roster_find(&f->roster, mailbox);

	if (mailbox == 0)
		return f == &e->own && (e->wish.events & IMAP_EVENT_SERVER_METADATA);
	return entry && (entry->events & IMAP_EVENT_MAILBOX_METADATA);
}

/* Those that a page of the log tells of, by the names that the mailboxes have now. */
static void tell_annotations(struct session *s, const struct events *e,
			     const struct follow *f, struct annotated *annotated)
{
	annotated_sort(annotated);
	for (size_t i = 0; i < annotated->count;) {
		SCOPED(buf_fini) struct buf path = BUF(PATH_BYTES);
		uint64_t mailbox = annotated->list[i].mailbox;
		const struct roster_entry *entry = roster_find(&f->roster, mailbox);

		if (entry)
			roster_path(&f->roster, entry, &path);
		i = wants_annotation(e, f, mailbox)
			    ? annotated_write(s, annotated, i, buf_str(&path))
			    : annotated_skip(annotated, i);
		if (s->out.len > SEND_BYTES)
			session_send(s);
	}
}

/* ---- the log ---------------------------------------------------------------------- */

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
	case CHANGE_ANNOTATION:
	case CHANGE_RIGHTS:
	case CHANGE_SHARES:
		break;
	}
	return 0;
}

static enum store_outcome take_row(struct session *s, struct events *e, struct follow *f,
				   const struct change_row *row,
				   struct annotated *annotated)
{
	bool is_own = events_is_own(s, f->account, row->change);

	switch (row->kind) {
	case CHANGE_MAILBOX:
		if (f == &e->own)
			return mailbox_changed(s, e, row->mailbox, is_own,
					       MAILBOX_DEPTH_MAX);
		f->is_stale = true;
		break;
	case CHANGE_MAILBOX_GONE:
		name_gone(s, f, row->mailbox, is_own);
		break;
	case CHANGE_RIGHTS: /* one's own are always the same */
		f->is_stale |= f != &e->own;
		break;
	case CHANGE_SHARES:
		e->has_shares_changed = true;
		e->is_by_others |= !is_own;
		break;
	case CHANGE_ANNOTATION:
		if (!is_own)
			annotated_add(annotated, row);
		break;
	case CHANGE_MESSAGE_NEW:
	case CHANGE_MESSAGE_FLAGS:
	case CHANGE_MESSAGE_GONE:
		if (!is_own && !selected_is(s, f->account, row->mailbox))
			message_changed(f, row->mailbox, event_of(row->kind));
		break;
	}
	return STORE_OK;
}

enum store_outcome follow_read(struct session *s, struct events *e, struct follow *f)
{
	bool more = true;

	while (more) {
		SCOPED(annotated_fini)
		struct annotated annotated = {.self = s->login.account};
		struct change_row *rows;
		size_t count;
		uint64_t upto;

		arena_reset(&s->page);
		enum store_outcome outcome =
			store_changes(session_store(s), f->account, 0, f->upto, &s->page,
				      &rows, &count, &upto, &more);

		for (size_t i = 0; outcome == STORE_OK && i < count; i++) {
			outcome = take_row(s, e, f, &rows[i], &annotated);
			if (s->out.len > SEND_BYTES)
				session_send(s);
		}
		if (outcome != STORE_OK)
			return outcome;
		tell_annotations(s, e, f, &annotated);
		f->upto = upto;
	}
	return STORE_OK;
}
