/* ESEARCH: searching in several mailboxes.  RFC 7377.
 *
 * Each mailbox is entered as if it were selected, searched, and left; the one that is
 * selected is searched as the client knows it. */
#include "imap/esearch.h"
#include "imap/recent.h"
#include "imap/shares.h"

/* Of one account. */
struct group {
	struct mailboxes all;
	bool *is_taken; /* so that none is searched twice */
};

/* Which mailboxes, and in which order they are answered: as they were named. */
struct targets {
	struct group *groups; /* one's own, then those of others */
	size_t group_count;
	struct mailbox **list;
	size_t count, room;
};

static bool is_here(const struct session *s, const struct mailbox *mailbox)
{
	return selected_is(s, mailbox->account, mailbox->row.id);
}

/* RFC 7377 §2.2: who lacks the rights l and r is not told of it. */
static void take(struct targets *t, struct group *group, struct mailbox *mailbox)
{
	enum { NEEDS = ACL_LOOKUP | ACL_READ };
	size_t at = (size_t)(mailbox - group->all.list);

	if (group->is_taken[at] || mailbox->row.is_container ||
	    (mailbox->row.rights & NEEDS) != NEEDS)
		return;
	group->is_taken[at] = true;
	t->list[t->count++] = mailbox;
}

static bool is_below(const struct mailbox *mailbox, const struct mailbox *top)
{
	while (mailbox && mailbox != top)
		mailbox = mailbox->above;
	return mailbox;
}

static bool is_meant(const struct session *s, const struct imap_source *source,
		     const struct mailbox *named, const struct mailbox *mailbox)
{
	bool is_own = mailbox->account == s->login.account;

	switch (source->kind) {
	case IMAP_SOURCE_SELECTED:
		return is_here(s, mailbox);
	case IMAP_SOURCE_INBOXES:
		return is_own && mailbox->row.id == MAILBOX_INBOX;
	case IMAP_SOURCE_PERSONAL:
		return is_own;
	case IMAP_SOURCE_SUBSCRIBED:
		return mailbox->row.is_subscribed;
	case IMAP_SOURCE_SUBTREE:
		return named && is_below(mailbox, named);
	case IMAP_SOURCE_SUBTREE_ONE:
		return named && (mailbox == named || mailbox->above == named);
	case IMAP_SOURCE_MAILBOX:
		return mailbox == named; /* NULL: there is no such mailbox */
	}
	return false;
}

/* Whether mailboxes of others can be meant. */
static bool leads_out(const struct session *s, const struct imap_source *source)
{
	switch (source->kind) {
	case IMAP_SOURCE_SELECTED:
		return s->box.account >= ACCOUNT_VISITS;
	case IMAP_SOURCE_INBOXES:
	case IMAP_SOURCE_PERSONAL:
		return false;
	case IMAP_SOURCE_SUBSCRIBED:
		return true;
	case IMAP_SOURCE_SUBTREE:
	case IMAP_SOURCE_SUBTREE_ONE:
	case IMAP_SOURCE_MAILBOX:
		break;
	}
	return shares_name(source->mailbox);
}

static enum store_outcome add_group(struct session *s, struct targets *t,
				    const struct mailboxes *all)
{
	struct group *group = &t->groups[t->group_count++];

	*group = (struct group){.all = *all};
	group->is_taken = ARENA_ARRAY(&s->scratch, bool, all->count + 1);
	t->room += all->count;
	return group->is_taken ? STORE_OK : STORE_INVALID;
}

static enum store_outcome add_others(struct session *s, struct targets *t,
				     account_t owner)
{
	struct mailboxes all;
	enum store_outcome outcome = shares_load(s, owner, &all);

	if (outcome == STORE_OK)
		outcome = shares_mark_subscribed(s, &all);
	if (outcome == STORE_ABSENT || outcome == STORE_DENIED)
		return STORE_OK; /* the hint was an old one */
	return outcome == STORE_OK ? add_group(s, t, &all) : outcome;
}

static enum store_outcome load_groups(struct session *s, bool with_others,
				      struct targets *t)
{
	struct mailboxes own;
	account_t *owners = NULL;
	size_t count = 0;
	enum store_outcome outcome = mailboxes_load(s, &own);

	if (outcome == STORE_OK && with_others)
		outcome = shares_owners(s, &owners, &count);
	if (outcome != STORE_OK)
		return outcome;
	t->groups = ARENA_ARRAY(&s->scratch, struct group, count + 1);
	if (!t->groups)
		return STORE_INVALID;
	outcome = add_group(s, t, &own);
	for (size_t i = 0; i < count && outcome == STORE_OK; i++)
		outcome = add_others(s, t, owners[i]);
	return outcome;
}

static void take_meant(struct session *s, const struct imap_source *source,
		       struct targets *t)
{
	for (size_t i = 0; i < t->group_count; i++) {
		struct group *group = &t->groups[i];
		const struct mailbox *named =
			mailboxes_find(&group->all, source->mailbox);

		for (size_t at = 0; at < group->all.count; at++) {
			if (is_meant(s, source, named, &group->all.list[at]))
				take(t, group, &group->all.list[at]);
		}
	}
}

static enum store_outcome
find_targets(struct session *s, const struct imap_sources *sources, struct targets *t)
{
	bool with_others = false;

	for (size_t i = 0; i < sources->count; i++)
		with_others |= leads_out(s, &sources->list[i]);
	enum store_outcome outcome = load_groups(s, with_others, t);

	if (outcome != STORE_OK)
		return outcome;
	t->list = ARENA_ARRAY(&s->scratch, struct mailbox *, t->room + 1);
	if (!t->list)
		return STORE_INVALID;
	for (size_t i = 0; i < sources->count; i++)
		take_meant(s, &sources->list[i], t);
	return STORE_OK;
}

/* ---- keys -------------------------------------------------------------------------- */

/* The tree as it was said: a search changes it.  NULL at the arena's bound. */
static struct imap_search_key *copy_keys(struct session *s,
					 const struct imap_search_key *from)
{
	struct imap_search_key *first = NULL, **end = &first;

	for (; from; from = from->next) {
		struct imap_search_key *key =
			ARENA_NEW(&s->scratch, struct imap_search_key);

		if (!key)
			return NULL;
		*key = *from;
		key->next = NULL;
		if (from->child && !(key->child = copy_keys(s, from->child)))
			return NULL;
		*end = key;
		end = &key->next;
	}
	return first;
}

static bool has_numbers(const struct imap_search_key *key)
{
	for (; key; key = key->next) {
		if (key->kind == IMAP_SEARCH_SEQUENCE || has_numbers(key->child))
			return true;
	}
	return false;
}

/* ---- one mailbox ------------------------------------------------------------------- */

/* In what is the selected mailbox for the moment: finds, and answers if there is anything
 * (RFC 7377 §2.1).  False: the command has been answered. */
static bool search_here(struct session *s, const struct imap_command *command,
			const struct mailbox *mailbox, err_t *err)
{
	SCOPED(find_fini) struct find find = {.match = {.s = s}};
	SCOPED(found_fini) struct found found = {.in = mailbox};
	struct imap_command one = *command;
	enum store_outcome outcome = STORE_INVALID;

	one.search.key = copy_keys(s, command->search.key);
	if (one.search.key && has_numbers(one.search.key))
		outcome = selected_number(s);
	else if (one.search.key)
		outcome = STORE_OK;
	if (outcome == STORE_OK && !find_begin(&find, s, &one, err))
		return false;
	if (outcome == STORE_OK)
		outcome = esearch_find(&find, &one, &found);
	bool is_told = found_count(&found) > 0 || (one.search.returns & IMAP_RETURN_SAVE);

	if (outcome == STORE_OK && is_told)
		outcome = esearch_write(s, &one, &found);
	if (s->out.len > 0)
		session_send(s);
	/* It was deleted meanwhile, or the right to it taken, or it changes so fast that
	 * it cannot be followed. */
	if (outcome == STORE_OK || outcome == STORE_ABSENT || outcome == STORE_DENIED ||
	    outcome == STORE_CONFLICT)
		return true;
	*err = find_failed(s, command, outcome);
	return false;
}

static bool search_in(struct session *s, const struct imap_command *command,
		      const struct mailbox *mailbox, err_t *err)
{
	if (is_here(s, mailbox))
		return search_here(s, command, mailbox, err);
	struct selected before = s->box;

	s->box = (struct selected){.mailbox = mailbox->row.id,
				   .account = mailbox->account,
				   .rights = mailbox->row.rights,
				   .uid_validity = mailbox->row.uid_validity,
				   .is_read_only = true,
				   .count = mailbox->row.exists,
				   .uid_next = mailbox->row.uid_next};
	recent_look(s, &mailbox->row);
	bool goes_on = search_here(s, command, mailbox, err);

	numbers_fini(&s->box.numbers);
	uids_fini(&s->box.gone);
	uids_fini(&s->box.flags);
	uids_fini(&s->box.saved);
	uids_fini(&s->box.recents);
	s->box = before;
	return goes_on;
}

/* ---- the command ------------------------------------------------------------------- */

/* §2.2: what asks for the selected mailbox needs one, and only its messages can be saved
 * and kept up to date. */
static bool may_be(struct session *s, const struct imap_command *command,
		   const struct imap_sources *sources, err_t *err)
{
	unsigned returns = command->search.returns;

	for (size_t i = 0; i < sources->count; i++) {
		bool is_selected = sources->list[i].kind == IMAP_SOURCE_SELECTED;

		if (is_selected && s->state != IMAP_SELECTED) {
			*err = reply_bad(s, command, "select a mailbox first");
			return false;
		}
		if (!is_selected && (returns & IMAP_RETURN_SAVE)) {
			*err = reply_bad(s, command,
					 "only what is found in the selected mailbox can "
					 "be saved");
			return false;
		}
	}
	if (!(returns & IMAP_RETURN_UPDATE) || s->state == IMAP_SELECTED)
		return true;
	*err = reply_bad(s, command, "select a mailbox first");
	return false;
}

err_t on_esearch(struct session *s, const struct imap_command *command)
{
	static const struct imap_source selected = {.kind = IMAP_SOURCE_SELECTED};
	struct imap_sources sources = command->sources;
	struct targets t = {0};
	err_t err;

	if (sources.count == 0)
		sources = (struct imap_sources){&selected, 1};
	if (!may_be(s, command, &sources, &err))
		return err;
	if (command->search.returns & IMAP_RETURN_SAVE)
		uids_clear(&s->box.saved);
	enum store_outcome outcome = find_targets(s, &sources, &t);

	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	for (size_t i = 0; i < t.count; i++) {
		if (!search_in(s, command, t.list[i], &err))
			return err;
	}
	/* RFC 5267 §4.3.1: SEARCH keeps up to date. */
	if (command->search.returns & IMAP_RETURN_UPDATE)
		esearch_refuse_updates(s, command->tag);
	return reply_ok(s, command, "That is all");
}
