#include "imap/context.h"

#include "base/mem.h"
#include "imap/esearch.h"
#include "imap/fetch.h"
#include "imap/sorting.h"

enum {
	CONTEXTS_MAX = 10,            /* of a session */
	CONTEXT_ARENA_MAX = 1 << 20,  /* what it looks for */
	CONTEXTS_BYTES_MAX = 8 << 20, /* what all of a session found */
	SEND_BYTES = 32 << 10,
};

struct context {
	struct context *next;
	struct arena arena;
	struct str tag;
	bool is_uid;
	struct match match;
	struct found found;
	struct imap_fetch items; /* of messages that are new; empty if none */
};

void context_free(struct context **context)
{
	if (!*context)
		return;
	match_fini(&(*context)->match);
	found_fini(&(*context)->found);
	arena_fini(&(*context)->arena);
	mem_free(*context);
	*context = NULL;
}

void contexts_end(struct session *s)
{
	while (s->box.contexts) {
		struct context *first = s->box.contexts;

		s->box.contexts = first->next;
		context_free(&first);
	}
}

static bool init(struct context *context, struct session *s,
		 const struct imap_command *command)
{
	const struct imap_search *search = &command->search;
	struct arena *arena = &context->arena;
	struct imap_search_key *key = imap_search_key_copy(arena, search->key);
	const char *reason;
	struct match_for what = {.key = key,
				 .is_scored = imap_search_by_relevancy(search) &&
					      command->verb == IMAP_SORT};

	context->is_uid = command->is_uid;
	return key && arena_copy(arena, command->tag, &context->tag) &&
	       arena_copy(arena, find_charset(search), &what.charset) &&
	       imap_fetch_copy(arena, &search->update, &context->items) &&
	       match_init_lasting(&context->match, s, arena, what, &reason);
}

struct context *context_new(struct session *s, const struct imap_command *command)
{
	struct context *context = NEW(struct context);

	context->match.s = s;
	arena_init(&context->arena, CONTEXT_ARENA_MAX);
	if (!init(context, s, command))
		context_free(&context);
	return context;
}

static size_t bytes_of(const struct found *found)
{
	return found->uids.count * sizeof *found->uids.list +
	       found->order.count * sizeof *found->order.list + found->order.keys.len +
	       found->scores.count * sizeof *found->scores.list;
}

/* One that is not sorted has room in any case: RFC 5267 §4.3.1, MUST. */
static bool has_room(const struct session *s, const struct found *found)
{
	size_t count = 0, bytes = bytes_of(found);

	for (const struct context *c = s->box.contexts; c; c = c->next) {
		count++;
		bytes += bytes_of(&c->found);
	}
	if (count == 0 && !found->is_sorted)
		return true;
	return count < CONTEXTS_MAX && bytes <= CONTEXTS_BYTES_MAX;
}

bool context_begin(struct session *s, struct context **context, struct found *found)
{
	struct context *begun = *context;

	if (!begun || !has_room(s, found))
		return false;
	match_rest(&begun->match);
	begun->found = *found;
	*found = (struct found){0};
	begun->found.order.keys.max = CONTEXTS_BYTES_MAX;
	if (!begun->match.is_scored) /* they are of no more use */
		scores_fini(&begun->found.scores);
	begun->next = s->box.contexts;
	s->box.contexts = begun;
	*context = NULL;
	return true;
}

struct context *context_find(const struct session *s, struct str tag)
{
	struct context *c = s->box.contexts;

	while (c && !str_same(c->tag, tag))
		c = c->next;
	return c;
}

bool context_cancel(struct session *s, struct str tag)
{
	for (struct context **at = &s->box.contexts; *at; at = &(*at)->next) {
		struct context *found = *at;

		if (!str_same(found->tag, tag))
			continue;
		*at = found->next;
		context_free(&found);
		return true;
	}
	return false;
}

/* ---- telling ----------------------------------------------------------------------- */

/* "* ESEARCH (TAG "b1") UID REMOVEFROM (0 32768)": places and what is there. */
struct telling {
	struct session *s;
	const struct context *context;
	const char *what;
	bool has_begun;
	struct imap_set_writer set;
};

static struct telling telling_of(struct session *s, const struct context *context,
				 const char *what)
{
	return (struct telling){.s = s, .context = context, .what = what};
}

/* A set at a place, 0 if it is not sorted. */
static void tell_place(struct telling *t, size_t place)
{
	struct buf *out = &t->s->out;

	imap_set_end(&t->set);
	if (out->len > SEND_BYTES)
		session_send(t->s);
	if (!t->has_begun) {
		esearch_begin(t->s, t->context->tag, t->context->is_uid);
		buf_printf(out, " %s (", t->what);
	} else {
		buf_add_byte(out, ' ');
	}
	t->has_begun = true;
	buf_printf(out, "%zu ", place);
	t->set = (struct imap_set_writer){.out = out};
}

static void tell_uid(struct telling *t, uint32_t uid)
{
	uint32_t number = esearch_number(t->s, t->context->is_uid, uid);

	if (number != 0)
		imap_set_add(&t->set, number);
	if (t->s->out.len > SEND_BYTES)
		session_send(t->s);
}

static void telling_end(struct telling *t)
{
	if (!t->has_begun)
		return;
	imap_set_end(&t->set);
	buf_add_c(&t->s->out, ")\r\n");
}

static void tell_set(struct telling *t, const struct uids *set)
{
	if (set->count == 0)
		return;
	tell_place(t, 0);
	for (size_t i = 0; i < set->count; i++)
		for (uint64_t uid = set->list[i].first; uid <= set->list[i].last; uid++)
			tell_uid(t, (uint32_t)uid);
}

/* What stands side by side goes together; each place is as it is when those before are
 * gone. */
static void remove_sorted(struct telling *t, struct order *order,
			  const struct uids *removed)
{
	size_t kept = 0;
	bool in_run = false;

	for (size_t i = 0; i < order->count; i++) {
		bool goes = uids_has(removed, order->list[i].uid);

		if (goes && !in_run)
			tell_place(t, kept + 1);
		if (goes)
			tell_uid(t, order->list[i].uid);
		else
			order->list[kept++] = order->list[i];
		in_run = goes;
	}
	order->count = kept;
}

static void tell_removed(struct session *s, struct context *context,
			 const struct uids *removed)
{
	struct telling t = telling_of(s, context, "REMOVEFROM");
	struct found *found = &context->found;

	if (removed->count == 0)
		return;
	if (found->is_sorted)
		remove_sorted(&t, &found->order, removed);
	else
		tell_set(&t, removed);
	uids_subtract(&found->uids, removed);
	telling_end(&t);
}

static void tell_placed(void *arg, uint32_t uid, size_t at)
{
	struct telling *t = arg;

	tell_place(t, at + 1);
	tell_uid(t, uid);
}

static enum store_outcome tell_added(struct session *s, struct context *context,
				     const struct uids *added)
{
	struct telling t = telling_of(s, context, "ADDTO");
	struct found *found = &context->found;
	struct sorting sorting = sorting_over(s, &found->order, &found->scores);
	enum store_outcome outcome = STORE_OK;

	if (added->count == 0)
		return STORE_OK;
	if (found->is_sorted)
		outcome = sorting_insert(&sorting, added, tell_placed, &t);
	else
		tell_set(&t, added);
	for (size_t i = 0; i < added->count; i++)
		uids_add(&found->uids, added->list[i].first, added->list[i].last);
	uids_sort(&found->uids);
	telling_end(&t);
	return outcome;
}

static bool is_changed(const struct found *found, uint32_t uid, bool is_found)
{
	return uids_has(&found->uids, uid) != is_found;
}

void contexts_tell_gone(struct session *s, const struct uids *gone)
{
	for (struct context *c = s->box.contexts; c; c = c->next) {
		SCOPED(uids_fini) struct uids removed = {0};

		for (size_t i = 0; i < gone->count; i++)
			uids_add(&removed, gone->list[i].first, gone->list[i].last);
		uids_intersect(&removed, &c->found.uids);
		tell_removed(s, c, &removed);
	}
}

/* What UPDATE asked for of those that others have put there just now: behind EXISTS, and
 * ahead of ESEARCH.  RFC 5465 §7. */
static void tell_items(struct session *s, const struct context *context,
		       const struct uids *added)
{
	SCOPED(uids_fini) struct uids fresh = {0};

	if (context->items.items == 0 && context->items.section_count == 0)
		return;
	for (size_t i = 0; i < added->count; i++)
		uids_add(&fresh, added->list[i].first, added->list[i].last);
	uids_intersect(&fresh, &s->box.fresh);
	if (fresh.count > 0 &&
	    fetch_unasked(s, fresh.list, fresh.count, &context->items) != OK)
		s->is_done = true; /* within a literal nothing can be said any more */
}

static enum store_outcome tell_changed(struct session *s, struct context *context,
				       const struct uids *changed)
{
	SCOPED(uids_fini) struct uids added = {0}, removed = {0};
	struct match *match = &context->match;
	struct walk walk = walk_over(s, changed->list, changed->count, match->columns);

	match->outcome = STORE_OK;
	for (const struct message_row *row; (row = walk_next(&walk));) {
		bool is_found = match_row(match, row, 1);

		if (!is_changed(&context->found, row->uid, is_found))
			continue;
		uids_add(is_found ? &added : &removed, row->uid, row->uid);
		if (is_found && match->is_scored)
			scores_set(&context->found.scores, row->uid, match->score);
	}
	match_rest(match);
	enum store_outcome outcome =
		walk.outcome != STORE_OK ? walk.outcome : match->outcome;

	if (outcome != STORE_OK)
		return outcome;
	tell_removed(s, context, &removed);
	tell_items(s, context, &added);
	return tell_added(s, context, &added);
}

/* It has grown beyond what a session may keep.  What it looks for can be asked again. */
static void give_up(struct session *s, struct context *context)
{
	buf_add_c(&s->out, "* NO [NOUPDATE ");
	imap_write_quoted(&s->out, context->tag);
	buf_add_c(&s->out, "] It has become too much to be kept up to date\r\n");
	(void)context_cancel(s, context->tag); /* it is there */
}

enum store_outcome contexts_tell_changed(struct session *s, const struct uids *changed)
{
	for (struct context *c = s->box.contexts, *next; c; c = next) {
		enum store_outcome outcome = tell_changed(s, c, changed);

		next = c->next;
		if (outcome == STORE_INVALID)
			give_up(s, c);
		else if (outcome != STORE_OK)
			return outcome;
	}
	return STORE_OK;
}
