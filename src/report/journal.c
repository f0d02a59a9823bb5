#include "report/journal.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/num.h"
#include "rt/clock.h"
#include "rt/task.h"

enum {
	WRITES_A_DAY = 24 * 60,
	LOOKS_A_DAY = 24, /* for what is due */
	DELAYS_A_DAY = 6, /* the longest is four hours: RFC 8460 §4.1 */
	SCAN_ROWS = 8,
	SCRATCH_MAX = 8 * 1024 * 1024,
	RESULT_MAX = 64 * 1024,
};

/* key: "", or what makes a second time do nothing, which is_repeat then says. */
static enum store_outcome commit(const struct journal *journal, struct str key,
				 const struct store_op *ops, size_t count,
				 bool *is_repeat)
{
	const struct store_commit commit = {
		.account = ACCOUNT_SYSTEM, .key = key, .ops = ops, .count = count};
	SCOPED(arena_fini) struct arena arena;
	struct store_result result = {.is_repeat = false};

	arena_init(&arena, RESULT_MAX);
	enum store_outcome outcome =
		store_commit(journal->store, &commit, &arena, &result);

	if (outcome != STORE_OK && outcome != STORE_ABSENT)
		LOG(WARN, "report not kept", KV_STR("key", journal->prefix),
		    KV("outcome", store_outcome_text(outcome)));
	*is_repeat = result.is_repeat;
	return outcome;
}

static void forget(const struct journal *journal, struct str key)
{
	const struct store_op op = {.kind = OP_KV_DELETE, .kv = {.key = key}};
	bool is_repeat;

	(void)commit(journal, STR(""), &op, 1, &is_repeat); /* else looked at again */
}

/* After its day is over, so many seconds: not all reports of the world at once. */
static int64_t delay_of(const struct journal *journal)
{
	return (int64_t)(crc32c(0, journal->hostname) %
			 num_max(journal->interval_s / DELAYS_A_DAY, 1));
}

/* When it is reported; what is counted later is not. */
static int64_t due_at(const struct journal *journal, int64_t day)
{
	return (day + 1) * (int64_t)journal->interval_s + delay_of(journal);
}

int64_t journal_today(const struct journal *journal)
{
	return clock_s() / (int64_t)journal->interval_s;
}

bool journal_is_open(const struct journal *journal, int64_t day)
{
	return clock_s() < due_at(journal, day);
}

struct str journal_key(const struct journal *journal, int64_t day, struct str name,
		       struct arena *arena)
{
	return arena_printf(arena, "%.*s%06lld/%.*s", STR_FMT(journal->prefix),
			    (long long)day, STR_FMT(name));
}

bool journal_read(const struct journal *journal, struct str key, struct arena *arena,
		  struct str *value)
{
	return store_kv_get(journal->store, ACCOUNT_SYSTEM, key, arena, value) ==
	       STORE_OK;
}

void journal_write(const struct journal *journal, struct str key, struct str value)
{
	const struct store_op op = {.kind = OP_KV_PUT,
				    .kv = {.key = key, .value = value}};
	bool is_repeat;

	(void)commit(journal, STR(""), &op, 1, &is_repeat); /* logged there */
}

/* ---- reporting --------------------------------------------------------------------- */

static uint64_t number_of(struct str key)
{
	return siphash((struct hash_key){{8460, 1}}, key); /* never changes */
}

bool journal_sent(const struct journal *journal, int64_t day, struct str name,
		  struct store_op *ops, size_t op_count, const struct str *keys,
		  size_t key_count, struct arena *arena)
{
	struct str whole = journal_key(journal, day, name, arena);
	struct str key =
		arena_printf(arena, "%.*s%lld/%016llx", STR_FMT(journal->prefix),
			     (long long)day, (unsigned long long)number_of(whole));
	bool is_repeat;

	for (size_t i = 0; i < key_count; i++)
		ops[op_count++] =
			(struct store_op){.kind = OP_KV_DELETE, .kv = {.key = keys[i]}};
	if (commit(journal, key, ops, op_count, &is_repeat) != STORE_OK)
		return false;
	for (size_t i = 0; i < key_count && is_repeat; i++)
		forget(journal, keys[i]); /* sent before; the pairs have come again */
	return true;
}

/* "PREFIX DAY/NAME" */
static bool read_key(const struct journal *journal, struct journal_due *due)
{
	uint64_t number;

	due->name = str_skip(due->key, journal->prefix.len);
	if (!num_parse(str_cut(&due->name, '/'), INT32_MAX, &number))
		return false;
	due->day = (int64_t)number;
	return true;
}

static bool is_over(const struct journal *journal, int64_t day)
{
	return clock_s() > (day + 1 + JOURNAL_KEEP_DAYS) * (int64_t)journal->interval_s;
}

static void look_at(const struct journal *journal, const struct kv_row *row,
		    enum journal_fate (*report)(void *arg, const struct journal_due *due),
		    void *arg)
{
	SCOPED(arena_fini) struct arena arena;
	struct journal_due due = {.key = row->key, .value = row->value, .arena = &arena};
	int64_t interval_s = (int64_t)journal->interval_s;

	arena_init(&arena, SCRATCH_MAX);
	if (!read_key(journal, &due) ||
	    due.day > journal_today(journal)) { /* of days that had another length */
		forget(journal, row->key);
		return;
	}
	if (journal_is_open(journal, due.day))
		return; /* its day is not over, or others report just now */
	due.begin = due.day * interval_s;
	due.end = due.begin + interval_s - 1;
	due.number = number_of(row->key);
	due.id = arena_printf(&arena, "%lld.%016llx", (long long)due.day,
			      (unsigned long long)due.number);
	enum journal_fate fate = report(arg, &due);

	if (fate == JOURNAL_USELESS ||
	    (fate == JOURNAL_LATER && is_over(journal, due.day)))
		forget(journal, row->key);
}

void journal_report(const struct journal *journal,
		    enum journal_fate (*report)(void *arg, const struct journal_due *due),
		    void *arg)
{
	char after_room[KV_KEY_MAX + 1] = "";
	size_t count = SCAN_ROWS;

	while (count == SCAN_ROWS) {
		SCOPED(arena_fini) struct arena arena;
		struct kv_row *rows;

		arena_init(&arena, SCRATCH_MAX);
		if (store_kv_scan(journal->store, ACCOUNT_SYSTEM, journal->prefix,
				  str_c(after_room), SCAN_ROWS, &arena, &rows,
				  &count) != STORE_OK)
			return;
		for (size_t i = 0; i < count && !task_is_canceled(); i++)
			look_at(journal, &rows[i], report, arg);
		if (count > 0 &&
		    !str_to_c(rows[count - 1].key, after_room, sizeof after_room))
			return;
	}
}

void journal_run(const struct journal *journal, void (*write)(void *arg),
		 void (*report)(void *arg), void *arg)
{
	uint64_t minute_ms = journal->interval_s * 1000ull / WRITES_A_DAY;

	for (unsigned minute = 0; task_sleep_ms(minute_ms) == OK; minute++) {
		write(arg);
		if (minute % (WRITES_A_DAY / LOOKS_A_DAY) == 0)
			report(arg);
	}
}
