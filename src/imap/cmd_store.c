/* STORE: flags of messages change.  RFC 9051 §6.4.6, RFC 7162 §3.1.3. */
#include "imap/events.h"
#include "imap/fetch.h"
#include "imap/inprogress.h"
#include "imap/limit.h"
#include "imap/named.h"
#include "imap/permanent.h"

static enum flags_mode mode_of(enum imap_store_how how)
{
	switch (how) {
	case IMAP_STORE_REPLACE:
		return FLAGS_SET;
	case IMAP_STORE_ADD:
		return FLAGS_ADD;
	case IMAP_STORE_REMOVE:
		break;
	}
	return FLAGS_REMOVE;
}

/* The messages that had changed since, as the client names them.  RFC 7162 §3.1.3. */
static void modified_write(struct session *s, bool is_uid, const struct uids *refused,
			   struct buf *code)
{
	struct imap_set_writer writer = {.out = code};

	if (refused->count == 0)
		return;
	buf_add_c(code, "[MODIFIED ");
	for (size_t i = 0; i < refused->count; i++) {
		for (uint64_t uid = refused->list[i].first; uid <= refused->list[i].last;
		     uid++)
			imap_set_add(&writer, is_uid ? (uint32_t)uid
						     : numbers_of_uid(&s->box.numbers,
								      (uint32_t)uid));
	}
	imap_set_end(&writer);
	buf_add_c(code, "] ");
}

enum { STORE_SLICE = 25000, SLICE_BYTES = 8 << 20 };

struct storing {
	struct session *s;
	const struct imap_command *command;
	struct uids refused; /* of all slices */
	struct arena arena;  /* of one */
	bool is_long;        /* there are several, */
	uint64_t done;       /* which came to so many messages so far */
};

/* The store tells with the commit what flags they have, if nothing else is asked. */
static bool wants_runs(const struct storing *st)
{
	return !st->command->store.is_silent && !st->s->is_condstore;
}

/* What the client is told of its STORE: flags unless it wants none, but always those of
 * the messages that were refused; and what it needs to keep its mod-sequences. */
static enum store_outcome tell_stored(const struct storing *st, const struct uids *asked,
				      const struct op_result *result)
{
	struct session *s = st->s;
	const struct imap_store *store = &st->command->store;
	SCOPED(uids_fini) struct uids done = {0}, refused = {0};
	unsigned items = st->command->is_uid || s->is_condstore ? IMAP_FETCH_UID : 0u;
	enum store_outcome outcome = STORE_OK;

	if (wants_runs(st) && result->run_count > 0)
		return fetch_runs(s, result->runs, result->run_count,
				  items | IMAP_FETCH_FLAGS);
	items |= s->is_condstore ? IMAP_FETCH_MODSEQ : 0u;
	if (!store->is_silent)
		return fetch_items(s, asked->list, asked->count,
				   items | IMAP_FETCH_FLAGS);
	uids_copy(&refused, result->refused);
	uids_copy(&done, result->uids);
	if (store->has_unchanged_since) {
		uids_clear(&done);
		for (size_t i = 0; i < asked->count; i++)
			uids_add(&done, asked->list[i].first, asked->list[i].last);
	}
	uids_subtract(&done, &refused);
	if (s->is_condstore)
		outcome = fetch_items(s, done.list, done.count, items);
	if (outcome == STORE_OK)
		outcome = fetch_items(s, refused.list, refused.count,
				      items | IMAP_FETCH_FLAGS);
	return outcome;
}

static enum store_outcome store_slice(struct storing *st, const struct uids *asked)
{
	struct session *s = st->s;
	const struct imap_store *store = &st->command->store;
	struct store_op op = {.kind = OP_FLAGS};
	struct store_commit commit = {.account = s->box.account, .ops = &op, .count = 1};
	struct store_result result;

	op.flags = (struct op_flags){
		.mailbox = s->box.mailbox,
		.mode = mode_of(store->how),
		.flags = (uint8_t)store->flags.system,
		.keywords = {store->flags.keywords, store->flags.keyword_count},
		.unchanged_since =
			store->has_unchanged_since ? store->unchanged_since : UINT64_MAX,
		.wants_runs = wants_runs(st),
	};
	arena_reset(&st->arena);
	if (!uids_for_store(&st->arena, asked->list, asked->count, &op.flags.uids))
		return STORE_INVALID;
	enum store_outcome outcome = inprogress_commit(
		s, st->command, named_at_most(s, asked->list, asked->count), &commit,
		&st->arena, &result);

	if (outcome != STORE_OK)
		return outcome;
	const struct op_result *done = &result.ops[0];

	if (done->uids.count > 0)
		events_own(s, s->box.account, result.change);
	if (done->uids.count > 0 && store->how != IMAP_STORE_REMOVE)
		permanent_meet(s, &op.flags.keywords); /* also where it is silent */
	for (size_t i = 0; i < done->refused.count; i++)
		uids_add(&st->refused, done->refused.ranges[i].first,
			 done->refused.ranges[i].last);
	return tell_stored(st, asked, done);
}

/* Each slice happens whole, and one after the other. */
static enum store_outcome store_slices(struct storing *st, struct imap_range *list,
				       size_t count)
{
	struct session *s = st->s;
	enum store_outcome outcome = STORE_OK;
	uint32_t slice = s->service->slice_messages;

	slice = slice > 0 ? slice : STORE_SLICE;
	if (named_at_most(s, list, count) <= slice)
		return store_slice(st, &(struct uids){.list = list, .count = count});
	st->is_long = true;
	outcome = selected_number(s);

	uint64_t total = numbers_among(&s->box.numbers, list, count);

	for (uint64_t at = 0; outcome == STORE_OK && at < total; at += slice) {
		SCOPED(uids_fini) struct uids part = {0};

		numbers_part(&s->box.numbers, list, count, at, at + slice, &part);
		outcome = store_slice(st, &part);
		if (outcome == STORE_OK)
			st->done = num_min(at + slice, total);
	}
	return outcome;
}

static err_t stored(const struct storing *st)
{
	struct session *s = st->s;
	SCOPED(buf_fini) struct buf code = BUF(IMAP_OUT_MAX / 2);
	const char *text =
		st->refused.count > 0 ? "Some had changed meanwhile" : "Stored";

	modified_write(s, st->command->is_uid, &st->refused, &code);
	/* After many, what others did waits for the next command unless somebody counts
	 * on more than flags: to look, the store would have to write its index first. */
	if (!st->is_long || s->is_condstore || s->box.contexts || s->events)
		return reply_ok(s, st->command, "%.*s%s", STR_FMT(buf_str(&code)), text);
	return reply_only_ok(s, st->command, "%.*s%s", STR_FMT(buf_str(&code)), text);
}

/* What others did to the mailbox may be why, so that is told first. */
static err_t not_stored(const struct storing *st, enum store_outcome outcome)
{
	struct session *s = st->s;

	if (outcome == STORE_CONFLICT)
		return named_unreadable(s);
	TRY(selected_tell(s, events_selected(s, MOMENT_NUMBERS)));
	if (s->is_done)
		return OK;
	if (st->done > 0) /* RFC 9051 §7.1.2: a warning */
		buf_printf(&s->out,
			   "* NO The first %llu of these messages were stored; what "
			   "follows is about the others\r\n",
			   (unsigned long long)st->done);
	if (outcome == STORE_DENIED) /* RFC 4314 §4: none of them may be changed */
		return reply_no(s, st->command,
				"[NOPERM] You have no right to change these flags here; "
				"ask whose mailbox it is");
	return reply_store(s, st->command, outcome);
}

err_t on_store(struct session *s, const struct imap_command *command)
{
	const struct imap_store *store = &command->store;
	struct imap_range *list;
	size_t count;
	err_t err = OK;

	if (s->box.is_read_only)
		return reply_no(s, command,
				"[READ-ONLY] The mailbox is open for reading only; "
				"SELECT it to change it");
	if (store->flags.keyword_count > KEYWORDS_MAX)
		return reply_no(s, command,
				"[LIMIT] Too many keywords; a message has at most %d",
				KEYWORDS_MAX);
	if (!named_uids(s, command, &store->set, &list, &count, &err))
		return err;
	if (store->has_unchanged_since)
		session_condstore(s);
	if (limit_ranges(s, &list, &count) != STORE_OK)
		return named_unreadable(s);
	if (count == 0)
		return reply_ok(s, command, "None of them was there");
	struct storing st = {.s = s, .command = command};

	arena_init(&st.arena, SLICE_BYTES);
	enum store_outcome outcome = store_slices(&st, list, count);

	if (outcome != STORE_OK)
		events_disown(s); /* of the slices that happened */
	err = outcome == STORE_OK ? stored(&st) : not_stored(&st, outcome);
	uids_fini(&st.refused);
	arena_fini(&st.arena);
	return err;
}
