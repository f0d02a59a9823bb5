/* A store under a mixed load, with record.c listening:
 *
 *   powercut_load FOLDER REFERENCE TRACE SEED GROUPS [faults | equal] [leave]
 *
 * Each group is done first by the reference store, which nobody disturbs, so that the
 * trace can say beforehand what the store must become (note.h); both must then answer
 * alike. Called again with the same folders it goes on.  `faults`: calls may fail, and
 * what did not happen is asked for again, as doors do; at the end nothing must be
 * missing.  An odd SEED is a year after an even one.  `equal`: only groups of one length.
 * `leave`: ends without closing the store.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "powercut/backup.h"
#include "powercut/deed.h"
#include "powercut/state.h"
#include "powercut/trace.h"
#include "rt/clock.h"
#include "rt/fault.h"
#include "storage/embedded.h"

enum {
	SLOTS = 4,
	ARENA_BYTES = 64 << 20,
	TRIES = 6,
	LEASE_ROWS = 3,
	ONE_IN_EQUAL = 12,
	FIRST_DAY = 1577836800, /* the first of 2020 */
	SECOND_RUN = 400 * 24 * 60 * 60,
};

/* A group under way. */
struct slot {
	struct storage_group group;
	bool is_busy, has_failed;
	uint64_t number;
	struct arena arena;
	struct store_commit given[COMMITS_MAX];
	struct storage_commit commits[COMMITS_MAX], expected[COMMITS_MAX];
	struct storage_lease lease, expected_lease, *leases[1];
};

struct load {
	const char *folder, *reference_folder;
	struct storage *storage, *reference;
	bool has_faults, is_armed, is_equal;
	bool has_purges; /* that the reference has done already */
	int64_t now;     /* the calendar stands still but for do_days() */
	int trace;
	uint64_t number; /* of the last group */
	struct deeds deeds;
	struct arena arena; /* for a moment */
	struct backup backup;
	struct slot slots[SLOTS];
	size_t busy;
	pthread_mutex_t mutex;
	pthread_cond_t freed;
};
static struct load load = {.mutex = PTHREAD_MUTEX_INITIALIZER,
			   .freed = PTHREAD_COND_INITIALIZER};

static _Noreturn void fail(const char *what, uint64_t group)
{
	(void)printf("FAIL group %llu: %s\n", (unsigned long long)group, what);
	(void)fflush(stdout); /* nobody is left to tell */
	_exit(1);
}

/* Fault points are the process's: nothing fails while the reference works. */
static void peace(bool is_now)
{
	fault_is_armed = load.is_armed && !is_now;
}

/* ---- notes ------------------------------------------------------------------------- */

static void note(enum trace_kind kind, uint64_t number, struct str payload)
{
	struct trace_record head = {
		.kind = kind, .length = (uint32_t)payload.len, .number = number};
	struct iovec parts[] = {{&head, sizeof head},
				{(void *)(uintptr_t)payload.ptr, payload.len}};

	ASSERT(writev(load.trace, parts, 2) == (ssize_t)(sizeof head + payload.len));
}

/* What the store is now, or becomes next without a group. */
static void note_state(bool is_later)
{
	struct intent intent = {
		.group = load.number, .now = load.now, .is_later = is_later};
	const char *why = picture_all(load.reference, &load.arena, intent.after);

	if (why)
		fail(why, load.number);
	note(TRACE_INTENT, load.number,
	     (struct str){(const char *)&intent, sizeof intent});
}

static void note_intent(const struct slot *slot, const bool *is_remembered)
{
	struct intent intent = {.group = slot->number, .now = load.now};
	const char *why = picture_all(load.reference, &load.arena, intent.after);

	if (why)
		fail(why, slot->number);
	for (size_t i = 0; i < slot->group.count; i++)
		if (is_remembered[i] && slot->expected[i].outcome == STORE_OK)
			promised_make(&intent.promised[intent.promises++],
				      &slot->given[i], &slot->expected[i].result);
	note(TRACE_INTENT, slot->number,
	     (struct str){(const char *)&intent, sizeof intent});
}

/* ---- groups ------------------------------------------------------------------------ */

static bool is_same_lease(const struct storage_lease *a, const struct storage_lease *b)
{
	if (a->outcome != b->outcome || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->rows[i].row != b->rows[i].row ||
		    a->rows[i].lease != b->rows[i].lease)
			return false;
	return true;
}

static bool is_same_result(const struct storage_commit *got,
			   const struct storage_commit *want)
{
	struct promised a, b;

	if (got->outcome != want->outcome)
		return false;
	promised_make(&a, got->commit, &got->result);
	promised_make(&b, want->commit, &want->result);
	/* A repeat tells only so much. */
	return got->outcome != STORE_OK || got->result.is_repeat ||
	       memcmp(&a, &b, sizeof a) == 0;
}

static bool is_refused(const struct storage_commit *c)
{
	return c->outcome == STORE_UNAVAILABLE || c->outcome == STORE_UNKNOWN ||
	       c->outcome == STORE_FULL;
}

static void slot_done(struct storage_group *group)
{
	struct slot *slot = (struct slot *)group;

	for (size_t i = 0; i < group->count; i++) {
		if (is_refused(&slot->commits[i]) && load.has_faults)
			slot->has_failed = true;
		else if (!is_same_result(&slot->commits[i], &slot->expected[i]))
			fail("the answer is another than that of a store in peace",
			     slot->number);
	}
	if (group->lease_count > 0 && !is_same_lease(&slot->lease, &slot->expected_lease))
		fail("the lease is another than that of a store in peace", slot->number);
	if (!slot->has_failed && !group->is_soft)
		note(TRACE_ACKNOWLEDGED, slot->number, STR(""));
	(void)pthread_mutex_lock(&load.mutex);
	slot->is_busy = false;
	load.busy--;
	(void)pthread_cond_signal(&load.freed);
	(void)pthread_mutex_unlock(&load.mutex);
}

/* Waits until fewer than that many are under way. */
static struct slot *slot_take(size_t limit)
{
	struct slot *slot = load.slots;

	(void)pthread_mutex_lock(&load.mutex);
	while (load.busy >= limit)
		(void)pthread_cond_wait(&load.freed, &load.mutex);
	while (slot->is_busy)
		slot++;
	(void)pthread_mutex_unlock(&load.mutex);
	return slot;
}

static void submit(struct slot *slot)
{
	slot->has_failed = false;
	slot->group.done = slot_done;
	(void)pthread_mutex_lock(&load.mutex);
	slot->is_busy = true;
	load.busy++;
	(void)pthread_mutex_unlock(&load.mutex);
	storage_submit(load.storage, &slot->group);
}

static void reopen(void)
{
	struct str why;

	backup_drop(&load.backup);
	storage_close(&load.storage);
	for (unsigned i = 0; i < TRIES; i++)
		if (state_open(load.folder, &load.arena, &load.storage, &why))
			return;
		else if (!load.has_faults)
			break;
	(void)printf("%.*s\n", (int)why.len, why.ptr);
	fail("the store does not open", load.number);
}

/* Asks again for what failed, oldest first, under the same keys. */
static void insist(void)
{
	(void)slot_take(1);
	for (unsigned i = 0; i < TRIES; i++) {
		struct slot *oldest = NULL;

		for (struct slot *s = load.slots; s < load.slots + SLOTS; s++)
			if (s->has_failed && (!oldest || s->number < oldest->number))
				oldest = s;
		if (!oldest)
			return;
		if (i >= TRIES / 2) /* it may be read-only */
			reopen();
		submit(oldest);
		(void)slot_take(1);
		(void)storage_tend(load.storage);
	}
	fail("the store does not recover", load.number);
}

static bool has_failures(void)
{
	bool found = false;

	(void)pthread_mutex_lock(&load.mutex);
	for (size_t i = 0; i < SLOTS; i++)
		found |= !load.slots[i].is_busy && load.slots[i].has_failed;
	(void)pthread_mutex_unlock(&load.mutex);
	return found;
}

static void lease_add(struct slot *slot)
{
	slot->expected_lease =
		(struct storage_lease){.kind = (enum queue_kind)rand_below(2),
				       .now = (int64_t)1 << 33,
				       .leased_until = (int64_t)1 << 34,
				       .limit = 1 + (size_t)rand_below(LEASE_ROWS),
				       .arena = &slot->arena};
	slot->lease = slot->expected_lease;
	slot->leases[0] = &slot->lease;
	slot->group.leases = slot->leases;
	slot->group.lease_count = 1;
	slot->group.is_soft = false;
}

static bool has_purges(struct storage *storage)
{
	SCOPED(reader_end) struct reader reader;
	struct key key;

	storage_index_commit(storage);
	return reader_begin(&reader, storage) == STORE_OK &&
	       kv_seek(&reader.cursor, key_table(&key, ACCOUNT_SYSTEM, TABLE_PURGE)) ==
		       OK &&
	       key_is_of(reader.cursor.key, ACCOUNT_SYSTEM, TABLE_PURGE);
}

/* A step of housekeeping, and what it wrote: the thread that flushes it may still have to
 * tell the store so, and until then no step does anything. */
static bool maintain(struct storage *storage, int64_t now)
{
	bool more = storage_maintain(storage, now);

	storage_index_commit(storage);
	while (own_is_busy(storage))
		(void)usleep(50);
	return more;
}

static void purge(struct storage *storage)
{
	enum { STEPS_MAX = 200 };

	for (unsigned i = 0; i < STEPS_MAX && has_purges(storage); i++)
		(void)maintain(storage, 0);
}

/* It may be read-only; in peace it must not be, and the reference keeps its leases. */
static void reopen_failed(void)
{
	if (!load.has_faults)
		fail("housekeeping does not come to its end", load.number);
	reopen();
}

/* Whether a deleted mailbox still holds its mail is seen by what comes after: is an
 * expunged message one that can be brought back?  So both stores do that alike. */
static void follow_purges(void)
{
	insist();
	purge(load.storage);
	if (has_purges(load.storage)) {
		reopen_failed();
		purge(load.storage);
	}
	load.has_purges = false;
}

static void make_deeds(struct slot *slot, bool is_equal, bool *is_remembered)
{
	slot->group = (struct storage_group){
		.commits = slot->commits,
		.count = is_equal ? 1 : 1 + (size_t)rand_below(COMMITS_MAX),
		.is_soft = !load.has_faults && !is_equal && rand_below(8) == 0};
	for (size_t i = 0; i < slot->group.count; i++) {
		is_remembered[i] = is_equal;
		if (is_equal)
			deed_make_equal(&load.deeds, &slot->arena, &slot->given[i]);
		else
			is_remembered[i] =
				deed_make(&load.deeds, &slot->arena, &slot->given[i]);
		slot->commits[i] = slot->expected[i] = (struct storage_commit){
			.commit = &slot->given[i], .arena = &slot->arena};
	}
}

/* The reference does it. */
static void prepare(struct slot *slot, bool is_equal)
{
	bool is_remembered[COMMITS_MAX];

	if (slot->arena.max == 0)
		arena_init(&slot->arena, ARENA_BYTES);
	arena_reset(&slot->arena);
	slot->number = ++load.number;
	make_deeds(slot, is_equal, is_remembered);
	peace(true);
	storage_commit_group(load.reference, slot->expected, slot->group.count);
	if (!load.has_faults && !is_equal && rand_below(5) == 0) {
		lease_add(slot);
		(void)storage_take_due(load.reference, &slot->expected_lease);
		deeds_leased(&load.deeds, &slot->expected_lease);
	}
	storage_index_commit(load.reference);
	note_intent(slot, is_remembered);
	load.has_purges = has_purges(load.reference);
	if (load.has_purges)
		purge(load.reference);
	peace(false);
}

static void do_group(void)
{
	struct slot *slot = slot_take(SLOTS);

	prepare(slot, false);
	submit(slot);
}

/* Groups of one length at once: where the first is lost and later ones are not, what is
 * written in its place ends where they begin.  One that was refused is asked for again
 * before the next, which puts the same pair: what is asked for later, holds. */
static void do_equal(void)
{
	insist(); /* nothing is under way */
	for (size_t i = 0; i < SLOTS; i++)
		prepare(&load.slots[i], true);
	for (size_t i = 0; i < SLOTS; i++) {
		if (has_failures())
			insist();
		submit(&load.slots[i]);
	}
}

/* ---- what is no commit ------------------------------------------------------------- */

static void do_index(void)
{
	storage_index_commit(load.storage);
	if (!has_failures())
		note(TRACE_SHOWN, load.number, STR(""));
}

/* Before the index shows all that was committed it is to do nothing. */
static void do_maintain(void)
{
	for (unsigned i = 0; i < 8; i++) {
		(void)storage_maintain(load.storage, 0);
		if (i >= 2)
			do_index();
	}
}

/* Until bodies were punched out and sparse packs copied, or nearly: the janitor is a
 * thread of its own. */
static void do_clean(void)
{
	for (unsigned i = 0; i < 40 && storage_maintain(load.storage, 0); i++) {
		storage_index_commit(load.storage);
		(void)usleep(100);
	}
}

static void do_pause(void)
{
	(void)usleep((useconds_t)rand_below(30000));
}

/* A backup begins or ends: the one that ends was pinned while groups came and bodies
 * died. The index is copied in the writer's thread, where no transaction may be open
 * then. */
static void do_backup(void)
{
	char folder[300];

	(void)slot_take(1);
	if (has_failures())
		return;
	if (load.backup.storage) {
		peace(true);
		const char *why = backup_end(&load.backup, load.folder);

		peace(false);
		if (why)
			fail(why, load.number);
		return;
	}
	storage_index_commit(load.storage);
	(void)snprintf(folder, sizeof folder, "%s.copy", load.reference_folder);
	if (backup_begin(&load.backup, load.storage, load.reference, folder) != OK &&
	    !load.has_faults)
		fail("the index cannot be copied", load.number);
}

static void do_restart(void)
{
	struct str why;

	(void)slot_take(1);
	if (has_failures())
		return;
	reopen();
	peace(true);
	storage_close(&load.reference);
	ASSERT(state_open(load.reference_folder, &load.arena, &load.reference, &why));
	load.deeds.storage = load.reference;
	deeds_forget_leases(&load.deeds);
	peace(false);
}

/* True as well if it cannot be read. */
static bool has_expired(struct storage *storage)
{
	SCOPED(reader_end) struct reader reader;
	struct key key;

	storage_index_commit(storage);
	if (reader_begin(&reader, storage) != STORE_OK)
		return true;
	err_t err =
		kv_seek(&reader.cursor, key_table(&key, ACCOUNT_SYSTEM, TABLE_EXPIRY));

	if (err != OK)
		return err != ERR_ABSENT;
	struct dec d = key_dec(reader.cursor.key);

	return key_is_of(reader.cursor.key, ACCOUNT_SYSTEM, TABLE_EXPIRY) &&
	       (int64_t)dec_key64(&d) <= load.now;
}

/* The reference lets go what was expunged; each step of the log is told before. */
static void expire_reference(void)
{
	load.number++;
	while (has_expired(load.reference)) {
		(void)maintain(load.reference, load.now);
		note_state(true);
		load.number++;
	}
	note_state(true);
}

static void expire(void)
{
	enum { STEPS_MAX = 200 };

	for (unsigned i = 0; i < STEPS_MAX && has_expired(load.storage); i++)
		(void)maintain(load.storage, load.now);
}

/* Change logs are trimmed, and keys forgotten. */
static void tidy(struct storage *storage)
{
	enum { STEPS_MAX = 20 };

	for (unsigned i = 0; i < STEPS_MAX && maintain(storage, load.now); i++)
		;
}

/* Days pass, in peace: what of them is in the log must come to the same in both stores.
 */
static void do_days(void)
{
	enum { DAY_S = 24 * 60 * 60, DAYS_MAX = 20, DAYS_LONG = 250 };
	uint64_t days = 1 + rand_below(rand_below(3) == 0 ? DAYS_LONG : DAYS_MAX);

	insist();
	load.now += (int64_t)days * DAY_S;
	clock_test_calendar(load.now * 1000000);
	peace(true);
	expire_reference();
	tidy(load.reference);
	peace(false);
	expire();
	if (has_expired(load.storage)) {
		reopen_failed();
		expire();
	}
	if (has_expired(load.storage))
		fail("what was expunged is not let go", load.number);
	note(TRACE_ACKNOWLEDGED, load.number, STR(""));
	tidy(load.storage);
}

/* In a thousand groups, so often; the store's other work belongs here. */
static const struct {
	void (*act)(void);
	unsigned often;
} acts[] = {{do_index, 120}, {do_maintain, 150}, {do_pause, 80}, {do_clean, 100},
	    {do_backup, 60}, {do_restart, 12},   {do_days, 50}};

static void do_all(uint64_t groups)
{
	for (uint64_t i = 0; i < groups; i++) {
		if (load.is_equal || rand_below(ONE_IN_EQUAL) == 0)
			do_equal();
		else
			do_group();
		(void)storage_tend(load.storage);
		if (load.has_purges)
			follow_purges();
		else if (has_failures())
			insist();
		for (size_t j = 0; j < COUNT_OF(acts); j++)
			if (rand_below(1000) < acts[j].often)
				acts[j].act();
		arena_reset(&load.arena);
	}
	(void)slot_take(1);
	(void)storage_tend(load.storage);
	insist();
}

/* ---- the whole --------------------------------------------------------------------- */

/* Both stores are alike whenever nothing is under way. */
static void compare(void)
{
	struct account_state got[ACCOUNTS + 1], want[ACCOUNTS + 1];

	storage_index_commit(load.storage);
	const char *why = picture_all(load.storage, &load.arena, got);

	if (why || (why = picture_all(load.reference, &load.arena, want)))
		fail(why, load.number);
	for (size_t i = 0; i <= ACCOUNTS; i++)
		if (got[i].hash != want[i].hash || got[i].next != want[i].next) {
			(void)printf("account %zu: next %llu, %llu\n", i,
				     (unsigned long long)got[i].next,
				     (unsigned long long)want[i].next);
			fail("the store differs from one in peace", load.number);
		}
}

static void open_both(void)
{
	struct str why;

	peace(true);
	if (!state_open(load.reference_folder, &load.arena, &load.reference, &why))
		fail("the reference does not open", 0);
	load.deeds.storage = load.reference;
	peace(false);
	reopen();
}

int main(int argc, char **argv)
{
	uint64_t seed, groups;

	if (argc < 6 || !num_parse(str_c(argv[4]), UINT32_MAX, &seed) ||
	    !num_parse(str_c(argv[5]), UINT32_MAX, &groups)) {
		(void)fputs("powercut_load FOLDER REFERENCE TRACE SEED GROUPS "
			    "[faults | equal] [leave]\n",
			    stderr);
		return 2;
	}
	bool leaves = strcmp(argv[argc - 1], "leave") == 0;

	load.folder = argv[1];
	load.reference_folder = argv[2];
	load.has_faults = argc > 6 && strcmp(argv[6], "faults") == 0;
	load.is_equal = argc > 6 && strcmp(argv[6], "equal") == 0;
	load.trace = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ASSERT(load.trace >= 0);
	const char *faults = getenv("POSTRIDER_FAULT"); /* rt/fault.h */

	ASSERT(!faults || fault_arm(str_c(faults)));
	load.is_armed = faults != NULL;
	arena_init(&load.arena, ARENA_BYTES);
	rand_test_seed(seed + 1);
	/* Keys and groups of the run before are not used again. */
	load.deeds.count = seed * 1000000;
	load.number = seed * 1000000;
	load.now = FIRST_DAY;
	clock_test_calendar(load.now * 1000000);
	open_both();
	note_state(false);
	note(TRACE_ACKNOWLEDGED, load.number, STR(""));
	if (seed % 2) { /* later than the run before */
		load.now += SECOND_RUN;
		do_days();
	}
	do_all(groups);
	compare();
	if (leaves)
		_exit(0);
	backup_drop(&load.backup);
	storage_close(&load.storage);
	storage_close(&load.reference);
	return 0;
}
