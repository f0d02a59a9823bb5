#include "imap/others.h"

#include "base/mem.h"
#include "imap/shares.h"

enum {
	LOOK_S = 30,     /* we look so often, even if nobody wakes us */
	LOST_MAX = 1000, /* mailboxes that are remembered to have been \NoAccess */
	PATH_BYTES = 16 << 10,
	LISTING_BYTES = 16 << 20,
	SEND_BYTES = 32 << 10,
};

void others_end(struct events *e)
{
	for (size_t i = 0; i < e->shared_count; i++) {
		follow_fini(e->shared[i]);
		mem_free(e->shared[i]);
	}
	mem_free(e->shared);
	e->shared = NULL;
	e->shared_count = e->shared_room = 0;
}

/* ---- what was said to be \NoAccess --------------------------------------------------
 */

static bool lost_take(struct follow *f, uint64_t mailbox)
{
	for (size_t i = 0; i < f->lost_count; i++) {
		if (f->lost[i] != mailbox)
			continue;
		f->lost[i] = f->lost[--f->lost_count];
		return true;
	}
	return false;
}

static void lost_add(struct follow *f, uint64_t mailbox)
{
	(void)lost_take(f, mailbox); /* so that it is there once */
	if (f->lost_count == LOST_MAX)
		return;
	MEM_ROOM(f->lost, f->lost_count, f->lost_room);
	f->lost[f->lost_count++] = mailbox;
}

/* ---- a look at one owner's mailboxes ------------------------------------------------
 */

/* What is to be told of one that is there. */
struct news {
	bool is_new, is_told, is_no_access;
	struct str old_path; /* "": it has its name still */
};

struct looking {
	struct session *s;
	struct events *e;
	struct follow *f;
	enum look how;
	struct mailboxes all;
	struct news *news; /* of each in all */
};

/* In the order of the list, the first two of which are no mailboxes. */
static struct mailbox *visible(struct looking *l, size_t i)
{
	struct mailbox *mailbox = &l->all.list[i];

	return mailbox->row.id != 0 && mailbox->is_visible ? mailbox : NULL;
}

/* Who shares nothing any more has no mailboxes. */
static enum store_outcome load(struct looking *l)
{
	struct session *s = l->s;
	enum store_outcome outcome = shares_load(s, l->f->owner, &l->all);

	if (outcome == STORE_OK)
		outcome = shares_mark_subscribed(s, &l->all);
	if (outcome == STORE_ABSENT || outcome == STORE_DENIED) {
		l->all = (struct mailboxes){0};
		outcome = STORE_OK;
	}
	if (outcome == STORE_OK && l->all.count > 1)
		roster_root(&l->f->roster, l->all.list[1].path);
	l->news = ARENA_ARRAY(&s->scratch, struct news, l->all.count + 1);
	return outcome == STORE_OK && !l->news ? STORE_INVALID : outcome;
}

/* Which are new, and how many. */
static size_t compare(struct looking *l)
{
	struct roster *roster = &l->f->roster;
	size_t count = 0;

	for (size_t i = 0; i < roster->count; i++)
		roster->list[i].is_there = roster->list[i].is_affected = false;
	for (size_t i = 0; i < l->all.count; i++) {
		struct mailbox *mailbox = visible(l, i);
		struct roster_entry *entry =
			mailbox ? roster_find(roster, mailbox->row.id) : NULL;

		if (entry)
			entry->is_there = true;
		l->news[i].is_new = mailbox && !entry;
		count += l->news[i].is_new;
	}
	return count;
}

static void mark_above(struct looking *l, uint64_t parent)
{
	struct roster_entry *entry = roster_find(&l->f->roster, parent);

	if (entry)
		entry->is_affected = true;
}

/* It may no longer be known of: for this client it was deleted (RFC 5465 §5.4), and it is
 * told why (§5.9). */
static void lose(struct looking *l, const struct roster_entry *entry)
{
	SCOPED(buf_fini) struct buf path = BUF(PATH_BYTES);
	bool wants_name = entry->events & IMAP_EVENT_MAILBOX_NAME;
	bool was_there = entry->rights & ACL_LOOKUP;
	uint64_t id = entry->id, parent = entry->parent;

	roster_path(&l->f->roster, entry, &path);
	if (l->how != LOOK_FIRST && (wants_name || (was_there && entry->events)))
		follow_write_gone(l->s, buf_str(&path),
				  !was_there   ? "\\NonExistent"
				  : wants_name ? "\\NonExistent \\NoAccess"
					       : "\\NoAccess");
	if (was_there && entry->events)
		lost_add(l->f, id);
	roster_remove(&l->f->roster, id);
	mark_above(l, parent);
}

static void take_new(struct looking *l)
{
	struct roster *roster = &l->f->roster;

	for (size_t i = 0; i < l->all.count; i++)
		if (l->news[i].is_new)
			roster_add(roster, &l->all.list[i].row);
	roster_settle(roster);
	for (size_t i = 0; i < l->all.count; i++)
		if (l->news[i].is_new)
			mark_above(l, l->all.list[i].row.parent);
}

static bool reads(unsigned events)
{
	return events &
	       ~(unsigned)(IMAP_EVENT_MAILBOX_NAME | IMAP_EVENT_SUBSCRIPTION_CHANGE);
}

static void judge_new(struct looking *l, const struct roster_entry *entry,
		      struct news *news)
{
	bool was_lost = lost_take(l->f, entry->id);

	news->is_no_access = events_is_blocked(entry);
	news->is_told = (entry->events & IMAP_EVENT_MAILBOX_NAME) ||
			(was_lost && entry->events != 0) || news->is_no_access;
	if (news->is_no_access)
		lost_add(l->f, entry->id);
}

/* One that was there before: its name, its subscription and the rights to it. */
static void judge_known(struct looking *l, const struct mailbox *mailbox,
			struct news *news)
{
	struct roster_entry *entry = roster_find(&l->f->roster, mailbox->row.id);
	SCOPED(buf_fini) struct buf old = BUF(PATH_BYTES);
	struct roster_entry before = *entry; /* its name goes with the put */
	bool was_blocked = events_is_blocked(entry);
	bool is_renamed = entry->parent != mailbox->row.parent ||
			  !str_same(entry->name, mailbox->row.name);

	roster_path(&l->f->roster, entry, &old);
	entry = roster_put(&l->f->roster, &mailbox->row);
	events_watch(l->e, l->f, entry);
	unsigned asked = before.events | entry->events;
	bool is_blocked = events_is_blocked(entry);
	bool has_come = (entry->rights & ~before.rights & ACL_LOOKUP) ||
			before.is_container != entry->is_container;
	bool is_lost = reads(before.events) && !reads(entry->events);

	if (is_renamed && (asked & IMAP_EVENT_MAILBOX_NAME))
		news->is_told =
			arena_copy(&l->s->scratch, buf_str(&old), &news->old_path);
	news->is_told |=
		(asked & IMAP_EVENT_MAILBOX_NAME) && (has_come || entry->is_affected);
	news->is_told |= l->how == LOOK_TELL &&
			 (asked & IMAP_EVENT_SUBSCRIPTION_CHANGE) &&
			 before.is_subscribed != entry->is_subscribed;
	news->is_no_access = is_blocked || is_lost;
	news->is_told |= is_lost || (is_blocked && !was_blocked);
	if (news->is_no_access)
		lost_add(l->f, entry->id);
	else if (entry->events != 0)
		news->is_told |= lost_take(l->f, entry->id);
}

static void judge_all(struct looking *l)
{
	for (size_t i = 0; i < l->all.count; i++) {
		struct mailbox *mailbox = visible(l, i);
		struct news *news = &l->news[i];

		if (!mailbox)
			continue;
		struct roster_entry *entry = roster_find(&l->f->roster, mailbox->row.id);

		if (!news->is_new) {
			judge_known(l, mailbox, news);
			continue;
		}
		events_watch(l->e, l->f, entry);
		judge_new(l, entry, news);
	}
}

static void tell_all(struct looking *l)
{
	struct session *s = l->s;

	for (size_t i = 0; i < l->all.count; i++) {
		const struct news *news = &l->news[i];
		struct mailbox *mailbox = visible(l, i);
		bool is_told = l->how == LOOK_FIRST ? news->is_no_access : news->is_told;

		if (!mailbox)
			continue;
		if (is_told)
			follow_write_name(s, l->f,
					  roster_find(&l->f->roster, mailbox->row.id),
					  news->old_path, news->is_no_access);
		if (l->how == LOOK_FIRST)
			events_write_status(s, l->e, mailbox);
		if (s->out.len > SEND_BYTES)
			session_send(s);
	}
}

static enum store_outcome look_with(struct looking *l)
{
	struct roster *roster = &l->f->roster;
	enum store_outcome outcome = load(l);

	if (outcome != STORE_OK)
		return outcome;
	if (!events_has_room(l->e, compare(l)))
		return STORE_CONFLICT;
	for (size_t i = roster->count; i-- > 0;)
		if (!roster->list[i].is_there)
			lose(l, &roster->list[i]);
	take_new(l);
	judge_all(l);
	tell_all(l);
	l->f->is_stale = false;
	return STORE_OK;
}

/* The listing has an arena of its own, since this happens again and again within one
 * command: IDLE. */
static enum store_outcome look(struct session *s, struct events *e, struct follow *f,
			       enum look how)
{
	struct looking l = {.s = s, .e = e, .f = f, .how = how};
	struct arena kept = s->scratch;

	arena_init(&s->scratch, LISTING_BYTES);
	enum store_outcome outcome = look_with(&l);

	arena_fini(&s->scratch);
	s->scratch = kept;
	return outcome == STORE_INVALID ? STORE_CONFLICT : outcome; /* too many */
}

/* ---- whose mailboxes ------------------------------------------------------------- */

static bool is_followed(const struct events *e, account_t owner)
{
	for (size_t i = 0; i < e->shared_count; i++)
		if (e->shared[i]->owner == owner)
			return true;
	return false;
}

/* From the log's end on, which is asked for before we look. */
static enum store_outcome follow_owner(struct session *s, struct events *e,
				       account_t owner, enum look how)
{
	struct account_summary summary;
	account_t visit;

	if (owner == s->login.account || is_followed(e, owner))
		return STORE_OK;
	enum store_outcome outcome = shares_visit(s, owner, &visit);

	if (outcome == STORE_ABSENT)
		e->awaits_others = true;
	if (outcome != STORE_OK)
		return outcome == STORE_ABSENT ? STORE_OK : outcome;
	if (e->shared_count == FOLLOWS_MAX)
		return STORE_CONFLICT;
	struct follow *f = NEW(struct follow);

	f->owner = owner;
	f->account = visit;
	outcome = store_watch_open(session_store(s), &f->watch, visit);
	if (outcome == STORE_OK)
		outcome = store_summary(session_store(s), visit, &summary);
	if (outcome == STORE_OK) {
		f->watch.also = &s->watch; /* which the session waits for */
		f->upto = summary.change;
		outcome = look(s, e, f, how == LOOK_QUIET ? LOOK_FIRST : how);
	}
	if (outcome != STORE_OK) {
		follow_fini(f);
		mem_free(f);
		return outcome;
	}
	MEM_ROOM(e->shared, e->shared_count, e->shared_room);
	e->shared[e->shared_count++] = f;
	return STORE_OK;
}

static enum store_outcome follow_all(struct session *s, struct events *e, enum look how)
{
	account_t *owners;
	size_t count;
	enum store_outcome outcome = shares_owners(s, &owners, &count);

	e->awaits_others = true; /* somebody may share with all */
	for (size_t i = 0; i < count && outcome == STORE_OK; i++)
		outcome = follow_owner(s, e, owners[i], how);
	return outcome;
}

static enum store_outcome follow_named(struct session *s, struct events *e,
				       const struct imap_event_group *group,
				       enum look how)
{
	enum store_outcome outcome = STORE_OK;

	for (size_t i = 0; i < group->mailbox_count && outcome == STORE_OK; i++) {
		struct str path = group->mailboxes[i];
		bool is_root = str_find_byte(path, '/') == path.len;
		account_t owner, visit;

		if (!shares_name(path))
			continue;
		if (is_root && group->watched != IMAP_WATCH_SUBTREE)
			continue;
		if (is_root) {
			outcome = follow_all(s, e, how);
			continue;
		}
		outcome = shares_find(s, path, &owner, &visit);
		e->awaits_others |= outcome == STORE_ABSENT;
		if (outcome == STORE_OK)
			outcome = follow_owner(s, e, owner, how);
		else if (outcome == STORE_ABSENT)
			outcome = STORE_OK;
	}
	return outcome;
}

static enum store_outcome follow_subscribed(struct session *s, struct events *e,
					    enum look how)
{
	account_t *owners;
	size_t count;
	enum store_outcome outcome = shares_subscribed(s, &owners, &count);

	for (size_t i = 0; i < count && outcome == STORE_OK; i++)
		outcome = follow_owner(s, e, owners[i], how);
	return outcome;
}

static enum store_outcome follow_wished(struct session *s, struct events *e,
					enum look how)
{
	enum store_outcome outcome = STORE_OK;

	for (size_t i = 0; i < e->wish.group_count && outcome == STORE_OK; i++) {
		const struct imap_event_group *group = &e->wish.groups[i];

		switch (group->watched) {
		case IMAP_WATCH_SELECTED:
		case IMAP_WATCH_SELECTED_DELAYED:
		case IMAP_WATCH_INBOXES:
		case IMAP_WATCH_PERSONAL:
			break;
		case IMAP_WATCH_SUBSCRIBED:
			outcome = follow_subscribed(s, e, how);
			break;
		case IMAP_WATCH_SUBTREE:
		case IMAP_WATCH_MAILBOXES:
			outcome = follow_named(s, e, group, how);
			break;
		}
	}
	return outcome;
}

enum store_outcome others_renew(struct session *s, struct events *e, enum look how)
{
	struct arena kept = s->scratch;

	e->awaits_others = false;
	e->look_at = deadline_s(LOOK_S);
	arena_init(&s->scratch, LISTING_BYTES);
	enum store_outcome outcome = follow_wished(s, e, how);

	arena_fini(&s->scratch);
	s->scratch = kept;
	return outcome;
}

/* ---- what has happened --------------------------------------------------------------
 */

static enum store_outcome tell_of(struct session *s, struct events *e, struct follow *f)
{
	enum store_outcome outcome = STORE_OK;

	if (f->rings != f->watch.rings || loop_now() >= f->look_at) {
		f->rings = f->watch.rings;
		f->look_at = deadline_s(LOOK_S);
		outcome = follow_read(s, e, f);
	}
	if (outcome == STORE_OK && f->is_stale)
		outcome = look(s, e, f, LOOK_TELL);
	if (outcome == STORE_OK)
		outcome = follow_tell_messages(s, f);
	if (outcome != STORE_OK)
		f->look_at = 0; /* as soon as we come by again */
	return outcome;
}

static enum store_outcome shares_changed(struct session *s, struct events *e)
{
	enum look how = e->is_by_others ? LOOK_TELL : LOOK_QUIET;
	enum store_outcome outcome = STORE_OK;

	e->has_shares_changed = e->is_by_others = false;
	for (size_t i = 0; i < e->shared_count && outcome == STORE_OK; i++)
		outcome = look(s, e, e->shared[i], how);
	if (outcome == STORE_OK)
		outcome = others_renew(s, e, how);
	e->has_shares_changed |= outcome != STORE_OK; /* another time */
	e->is_by_others |= outcome != STORE_OK && how == LOOK_TELL;
	return outcome;
}

void others_subscribed(struct session *s)
{
	struct events *e = s->events;

	if (e && e->others != 0)
		(void)shares_changed(s, e); /* or later: the log tells of it, too */
}

enum store_outcome others_tell(struct session *s, struct events *e)
{
	enum store_outcome outcome = STORE_OK;

	for (size_t i = 0; i < e->shared_count && outcome == STORE_OK; i++)
		outcome = tell_of(s, e, e->shared[i]);
	if (outcome == STORE_OK && e->has_shares_changed)
		outcome = shares_changed(s, e);
	if (outcome == STORE_OK && e->awaits_others && loop_now() >= e->look_at)
		outcome = others_renew(s, e, LOOK_TELL);
	return outcome;
}
