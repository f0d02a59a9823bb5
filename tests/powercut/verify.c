#include "powercut/verify.h"

#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "powercut/state.h"
#include "rt/clock.h"
#include "storage/check.h"
#include "storage/embedded.h"

enum {
	ARENA_BYTES = 256 << 20,
	ROWS = 1000,
	REPEATS = 12,         /* groups whose keys are tried again */
	ONE_IN_REBUILT = 8,   /* cuts after which the index is made anew from the packs */
	ONE_IN_UNDELETED = 2, /* or all that was expunged is brought back */
};

struct check {
	const char *folder;
	const struct expected *expected;
	struct storage *storage;
	struct arena arena;
	struct account_state states[ACCOUNTS + 1];
	size_t is_at; /* the state that it is in: so many groups */
};

void expected_follow(struct expected *expected, const struct trace_record *record,
		     struct str payload)
{
	const struct intent *intent = (const struct intent *)(const void *)payload.ptr;

	if (record->kind == TRACE_INTENT) {
		struct intent *copy = NEW(struct intent);

		ASSERT(payload.len == sizeof *copy);
		memcpy(copy, intent, sizeof *copy); /* it may stand askew */
		MEM_ROOM(expected->intents, expected->count, expected->room);
		expected->intents[expected->count++] = copy;
		expected->submitted = copy->group;
	}
	if (record->kind != TRACE_ACKNOWLEDGED && record->kind != TRACE_SHOWN)
		return;
	for (size_t i = expected->count; i > expected->least; i--)
		if (expected->intents[i - 1]->group == record->number) {
			expected->least = i;
			expected->acknowledged = record->number;
		}
}

/* ---- the state --------------------------------------------------------------------- */

static bool is_state(const struct account_state *a, const struct account_state *b)
{
	for (size_t i = 0; i <= ACCOUNTS; i++)
		if (a[i].hash != b[i].hash || a[i].next != b[i].next)
			return false;
	return true;
}

/* Which accounts are as they were after that group. */
static void say_difference(const struct check *c, const struct intent *intent)
{
	(void)printf("  after group %llu:", (unsigned long long)intent->group);
	for (size_t i = 0; i <= ACCOUNTS; i++)
		(void)printf(" %s(%lld)",
			     intent->after[i].hash == c->states[i].hash ? "same"
									: "other",
			     (long long)(c->states[i].next - intent->after[i].next));
	(void)printf("\n");
}

/* An empty store, before the first group. */
static bool is_fresh(const struct check *c)
{
	for (size_t i = 1; i <= ACCOUNTS; i++)
		if (c->states[i].next != 0)
			return false;
	return true;
}

static const char *find_state(struct check *c)
{
	const struct expected *e = c->expected;

	for (size_t i = e->least; i <= e->count; i++)
		if (i == 0 ? is_fresh(c)
			   : is_state(c->states, e->intents[i - 1]->after)) {
			c->is_at = i;
			if (i > 0) /* what was expunged is let go later */
				clock_test_calendar(e->intents[i - 1]->now * 1000000);
			return NULL;
		}
	for (size_t i = 0; i < e->least; i++)
		if (i == 0 ? is_fresh(c) : is_state(c->states, e->intents[i - 1]->after))
			return "it fell back behind what was acknowledged";
	for (size_t i = num_max(e->least, 1); i <= num_min(e->least + 6, e->count); i++)
		say_difference(c, e->intents[i - 1]);
	return "its state is that after no group: a commit is half there, or wrong";
}

/* No power cut is damage: nobody is to be woken, and no index made anew. */
static const char *check_epoch(struct check *c)
{
	struct account_summary summary;
	char path[300];

	(void)snprintf(path, sizeof path, "%s/%s.damaged", c->folder, STORAGE_INDEX);
	if (access(path, F_OK) == 0)
		return "it took a power cut for a damaged index";

	if (storage_summary(c->storage, ACCOUNT_SYSTEM, &summary) != STORE_OK)
		return "the epoch cannot be read";
	return summary.epoch == 1 ? NULL : "it took a power cut for damage";
}

/* ---- what it answers from now on --------------------------------------------------- */

static enum store_outcome commit_one(struct check *c, const struct store_commit *commit,
				     struct store_result *result)
{
	struct storage_commit one = {.commit = commit, .arena = &c->arena};

	storage_commit_group(c->storage, &one, 1);
	*result = one.result;
	return one.outcome;
}

static void say_promised(const char *when, const struct promised *p)
{
	(void)printf("  %s: %s: change %llu, mailbox %llu, message %llu, row %llu, "
		     "UIDVALIDITY %u, UID %u\n",
		     when, p->key, (unsigned long long)p->change,
		     (unsigned long long)p->mailbox, (unsigned long long)p->message,
		     (unsigned long long)p->row, p->uid_validity, p->uid);
}

/* A key that was used gives the first result again. */
static const char *check_repeat(struct check *c, const struct promised *promised)
{
	struct store_op op = {.kind = OP_KV_PUT, .kv = {STR("again"), STR("again")}};
	struct store_commit commit = {.account = promised->account,
				      .key = str_c(promised->key),
				      .key_minute = promised->minute,
				      .ops = &op,
				      .count = 1};
	struct store_result result;
	struct promised got = {.account = promised->account,
			       .minute = promised->minute,
			       .ops = promised->ops};

	if (commit_one(c, &commit, &result) != STORE_OK || !result.is_repeat)
		return "a key that was used is not known";
	memcpy(got.key, promised->key, sizeof got.key);
	promised_read(&got, &result);
	if (memcmp(&got, promised, sizeof got) == 0)
		return NULL;
	say_promised("first", promised);
	say_promised("again", &got);
	return "a repeat has another result";
}

/* The first group whose keys cannot be forgotten: what days that pass take away may be
 * gone before they show. */
static size_t first_remembered(const struct check *c)
{
	const struct expected *e = c->expected;
	size_t from = c->is_at > REPEATS ? c->is_at - REPEATS : 0;

	for (size_t i = c->is_at; i < e->count; i++) {
		if (e->intents[i]->is_later)
			return c->is_at;
		if (!is_state(c->states, e->intents[i]->after))
			break;
	}
	for (size_t i = c->is_at; i > from; i--)
		if (e->intents[i - 1]->is_later)
			return i;
	return from;
}

static const char *check_repeats(struct check *c)
{
	const char *why = NULL;

	for (size_t i = first_remembered(c); i < c->is_at; i++) {
		const struct intent *intent = c->expected->intents[i];

		for (size_t j = 0; j < intent->promises && !why; j++)
			why = check_repeat(c, &intent->promised[j]);
	}
	return why;
}

static const char *check_account(struct check *c, account_t account)
{
	struct store_op ops[] = {
		{.kind = OP_KV_DELETE, .kv.key = STR(STORE_KV_QUOTA)},
		{.kind = OP_APPEND,
		 .append = {.mailbox = MAILBOX_INBOX,
			    .body = {.frame = STR("more"), .raw_size = 4}}},
		{.kind = OP_MAILBOX_CREATE, .mailbox.name = STR("more")}};
	struct store_commit commit = {.account = account, .ops = ops + 1, .count = 2};
	struct mailbox_row inbox;
	struct account_summary before;
	struct store_result result;
	uint64_t next = c->states[account].next;

	if (next == 0) /* not there yet */
		return NULL;
	struct store_commit no_quota = {.account = account, .ops = ops, .count = 1};

	(void)commit_one(c, &no_quota, &result); /* there may be none */
	storage_index_commit(c->storage);
	if (storage_mailbox(c->storage, account, MAILBOX_INBOX, &c->arena, &inbox) !=
		    STORE_OK ||
	    storage_summary(c->storage, account, &before) != STORE_OK)
		return "an INBOX is gone";
	if (commit_one(c, &commit, &result) != STORE_OK)
		return "nothing can be appended";
	if (result.ops[0].uid != inbox.uid_next || result.ops[0].message < next ||
	    result.ops[1].mailbox <= result.ops[0].message || result.change < next)
		return "a number is given again";
	return result.ops[1].uid_validity > inbox.uid_validity &&
			       result.change > before.change
		       ? NULL
		       : "UIDVALIDITY or the change number does not grow";
}

/* All rows, and that they are counted; those that somebody holds apart. */
static const char *count_queue(struct check *c, size_t *rows_all, size_t *held)
{
	struct queue_place place = {0};
	struct queue_count all, sum = {0};
	struct queue_domain *domains;
	size_t domain_count;

	*rows_all = *held = 0;
	while (!place.is_end) {
		struct queue_row *rows;
		size_t count;

		if (storage_queue_list(c->storage, &(struct queue_select){0}, &place,
				       ROWS, &c->arena, &rows, &count) != STORE_OK)
			return "the queue cannot be read";
		*rows_all += count;
		for (size_t i = 0; i < count; i++)
			*held += rows[i].held_until == QUEUE_HELD;
	}
	if (storage_queue_counts(c->storage, STR(""), ROWS, &c->arena, &all, &domains,
				 &domain_count) != STORE_OK)
		return "the queue's counts cannot be read";
	for (size_t i = 0; i < domain_count; i++) {
		sum.rows += domains[i].count.rows;
		sum.held += domains[i].count.held;
	}
	return all.rows == *rows_all && all.held == *held && sum.rows == all.rows &&
			       sum.held == all.held
		       ? NULL
		       : "the queue's counts differ from its rows";
}

/* Each waiting row comes under one lease, with a number never given before. */
static const char *check_queue(struct check *c)
{
	size_t count, held, leased = 0;
	const char *why = count_queue(c, &count, &held);

	for (unsigned kind = QUEUE_LOCAL; kind <= QUEUE_REMOTE && !why; kind++) {
		struct storage_lease lease = {.kind = (enum queue_kind)kind,
					      .now = (int64_t)1 << 33,
					      .leased_until = (int64_t)1 << 34,
					      .limit = ROWS,
					      .arena = &c->arena};

		if (storage_take_due(c->storage, &lease) != STORE_OK)
			return "the queue gives nothing";
		for (size_t i = 0; i < lease.count; i++)
			if (lease.rows[i].lease < c->states[lease.rows[i].account].next)
				why = "a lease has a number that was given before";
		leased += lease.count;
	}
	return why || leased == count - held ? why
					     : "not every waiting row can be leased";
}

/* What was expunged can be brought back, all of it whose time is not over. */
static const char *check_undelete(struct check *c, account_t account)
{
	struct undelete_row *rows;
	size_t count;
	uint64_t after = 0;

	for (;;) {
		storage_index_commit(c->storage);
		if (c->states[account].next == 0) /* not there yet */
			return NULL;
		if (storage_expunged(c->storage, account, after, EXPUNGED_PAGE_MAX,
				     &c->arena, &rows, &count) != STORE_OK)
			return "what was expunged cannot be read";
		if (count == 0)
			return NULL;
		for (size_t i = 0; i < count; i++) {
			struct store_op op = {
				.kind = OP_UNDELETE,
				.undelete = {rows[i].member, MAILBOX_INBOX}};
			struct store_commit commit = {
				.account = account, .ops = &op, .count = 1};
			struct store_result result;
			bool is_over = rows[i].until <= clock_s();

			after = rows[i].member;
			if (commit_one(c, &commit, &result) !=
			    (is_over ? STORE_ABSENT : STORE_OK))
				return is_over ? "what is let go can be brought back"
					       : "what was expunged cannot be brought "
						 "back";
		}
	}
}

/* ---- the whole --------------------------------------------------------------------- */

static const char *open_it(struct check *c)
{
	struct str why;

	if (state_open(c->folder, &c->arena, &c->storage, &why))
		return NULL;
	(void)printf("  %.*s\n", (int)why.len, why.ptr);
	return "the store does not open";
}

static void say_finding(void *arg, const struct check_finding *finding)
{
	(void)arg;
	(void)printf("  account %u: %s\n", finding->account, finding->text);
}

/* Every row agrees with all others and with the packs.  The store is closed. */
static const char *check_rows(struct check *c)
{
	struct check_options options = {.folder = c->folder, .tell = say_finding};
	struct check_report report = {0};
	struct str why;

	if (storage_check(&options, &c->arena, &report, &why) != OK)
		return "it cannot be looked through";
	return check_is_clean(&report) ? NULL : "something in it is not in order";
}

/* What it holds now, it holds after another start, and from the packs alone. */
static const char *check_again(struct check *c, uint64_t seed)
{
	struct account_state before[ACCOUNTS + 1], after[ACCOUNTS + 1];
	char path[300];

	while (storage_maintain(c->storage, 0))
		storage_index_commit(c->storage);
	storage_index_commit(c->storage);
	const char *why = picture_all(c->storage, &c->arena, before);

	storage_close(&c->storage);
	(void)snprintf(path, sizeof path, "%s/index.lmdb", c->folder);
	if (!why)
		why = check_rows(c);
	if (seed % ONE_IN_REBUILT == 0 && unlink(path) != 0)
		return "there is no index";
	if (!why)
		why = open_it(c);
	if (!why)
		why = picture_all(c->storage, &c->arena, after);
	if (!why)
		why = check_epoch(c);
	return why                       ? why
	       : is_state(before, after) ? NULL
					 : "another start shows something else";
}

const char *verify(const char *folder, const struct expected *expected, uint64_t seed)
{
	struct check c = {.folder = folder, .expected = expected};

	arena_init(&c.arena, ARENA_BYTES);
	const char *why = open_it(&c);

	if (!why)
		why = check_epoch(&c);
	if (!why)
		why = picture_all(c.storage, &c.arena, c.states);
	if (!why)
		why = find_state(&c);
	if (!why)
		why = check_repeats(&c);
	for (account_t account = 1; account <= ACCOUNTS && !why; account++)
		why = check_account(&c, account);
	if (!why)
		why = check_queue(&c);
	/* What it writes covers what a torn tail would have left. */
	bool is_undeleted = seed % ONE_IN_UNDELETED == 0;

	for (account_t account = 1; is_undeleted && account <= ACCOUNTS && !why;
	     account++)
		why = check_undelete(&c, account);
	if (!why)
		why = check_again(&c, seed);
	storage_close(&c.storage);
	arena_fini(&c.arena);
	return why;
}
