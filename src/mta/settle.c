#include "mta/settle.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "base/utf8.h"
#include "mta/table.h"
#include "rt/clock.h"

enum {
	SETTLES_MAX = 200, /* in one commit */
	SETTLERS_MAX = 8,
	ROWS_A_SETTLER = 50, /* that wait, until another one helps */
	RETRY_S_MAX = 4 * 3600,
	ORPHAN_S = 2 * 3600, /* longer than any lease */
	STORE_PAUSE_MS = 1000,
};

int64_t settle_next_due(unsigned first_s, uint32_t tries, int64_t now)
{
	uint64_t wait = num_min((uint64_t)first_s << num_min(tries, 10), RETRY_S_MAX);

	return now + (int64_t)(wait + rand_below(wait / 8 + 1));
}

/* ---- one commit -------------------------------------------------------------------- */

static struct store_op settle_op(const struct entry *entry)
{
	struct store_op op = {.kind = OP_QUEUE_SETTLE};

	op.settle = (struct op_queue_settle){.row = entry->row.row,
					     .lease = entry->row.lease,
					     .outcome = entry->outcome,
					     .due_at = entry->due_at,
					     .reason = entry->reason};
	return op;
}

static enum store_outcome settle(struct run *run, account_t account,
				 const struct store_op *ops, size_t count)
{
	struct store_commit commit = {.account = account, .ops = ops, .count = count};

	return store_commit(run->options->store, &commit, NULL, NULL);
}

static void settle_later(struct run *run, struct entry *entry);

/* Nothing was decided: it is to be said again. */
static bool is_unheard(enum store_outcome outcome)
{
	return outcome == STORE_UNAVAILABLE || outcome == STORE_UNKNOWN ||
	       outcome == STORE_FULL;
}

/* The queue may have to be asked sooner than was thought. */
static void note_put_back(struct run *run, int64_t due_at)
{
	run->put_back++;
	if (due_at < run->look_at)
		wake_all(&run->sooner);
}

/* Where the lease was lost (the store began anew), the row will be leased again: what has
 * become of it is kept until then, so that nothing is sent twice. */
static void settle_end(struct run *run, struct entry *entry, enum store_outcome outcome)
{
	entry->is_settling = false;
	if (outcome != STORE_OK)
		LOG(WARN, "queue row not settled", KV_STR("queue_id", entry->row.id),
		    KV("reason", store_outcome_text(outcome)));
	if (is_unheard(outcome)) {
		settle_later(run, entry);
		return;
	}
	if (outcome == STORE_OK && entry->outcome != QUEUE_DONE)
		note_put_back(run, entry->due_at);
	if (outcome == STORE_OK || outcome == STORE_ABSENT ||
	    entry->outcome != QUEUE_DONE) {
		table_forget(run, entry);
		return;
	}
	entry->is_orphan = true;
	entry->finished_at = clock_s();
	list_add_last(&run->orphans, &entry->in_finished);
}

/* All at once; but one lost lease spoils a commit, then one by one.  False: the store
 * could not be heard. */
static bool settle_rows(struct run *run, struct entry **rows, size_t count)
{
	struct store_op *ops = NEW_ARRAY(struct store_op, count);
	account_t account = rows[0]->row.account;

	for (size_t i = 0; i < count; i++)
		ops[i] = settle_op(rows[i]);
	enum store_outcome all = settle(run, account, ops, count);

	for (size_t i = 0; i < count; i++) {
		enum store_outcome outcome = all;

		if (count > 1 && all != STORE_OK && !is_unheard(all))
			outcome = settle(run, account, &ops[i], 1);
		settle_end(run, rows[i], outcome);
	}
	mem_free(ops);
	return !is_unheard(all);
}

/* Takes finished rows of the first one's account. */
static size_t take_finished(struct run *run, struct entry **rows)
{
	account_t account = 0;
	size_t count = 0;

	LIST_EACH(&run->finished, link)
	{
		struct entry *entry = CONTAINER_OF(link, struct entry, in_finished);

		if (count == 0)
			account = entry->row.account;
		if (count == SETTLES_MAX)
			break;
		if (entry->row.account != account)
			continue;
		list_remove(&run->finished, link);
		run->finished_count--;
		rows[count++] = entry;
	}
	return count;
}

static void settler(void *arg)
{
	struct run *run = arg;
	struct entry **rows = NEW_ARRAY(struct entry *, SETTLES_MAX);
	size_t count;

	while (!task_is_canceled() && (count = take_finished(run, rows)) > 0)
		if (!settle_rows(run, rows, count))
			(void)task_sleep_ms(STORE_PAUSE_MS); /* or the end */
	mem_free(rows);
	run->settlers--;
	run->users--;
}

static void settle_later(struct run *run, struct entry *entry)
{
	entry->is_settling = true;
	list_add_last(&run->finished, &entry->in_finished);
	run->finished_count++;
	if (run->settlers == SETTLERS_MAX ||
	    run->finished_count <= (size_t)run->settlers * ROWS_A_SETTLER)
		return;
	if (task_start("mta settler", settler, run)) {
		run->settlers++;
		run->users++;
	}
}

/* ---- verdicts ---------------------------------------------------------------------- */

static struct str reason_of(struct entry *entry, const struct verdict *verdict,
			    const struct settle_where *where)
{
	struct buf text = BUF(4 * REASON_MAX);

	if (verdict->code != 0)
		buf_printf(&text, "%d ", verdict->code);
	buf_printf(&text, "%u.%u.%u %.*s", verdict->status.class, verdict->status.subject,
		   verdict->status.detail, STR_FMT(verdict->text));
	if (where->host.len > 0)
		buf_printf(&text, " (%.*s%s%.*s%s)", STR_FMT(where->host),
			   where->peer.len > 0 ? " [" : "", STR_FMT(where->peer),
			   where->peer.len > 0 ? "]" : "");
	struct str whole = utf8_first(buf_str(&text), REASON_MAX);

	memcpy(entry->reason_bytes, whole.ptr, whole.len);
	buf_fini(&text);
	return (struct str){entry->reason_bytes, whole.len};
}

static void log_verdict(const struct entry *entry, const struct verdict *verdict,
			const struct settle_where *where)
{
	const struct destination *destination = entry->mail->destination;
	const char *event = verdict->kind == VERDICT_DONE    ? "sent"
			    : verdict->kind == VERDICT_RETRY ? "sending deferred"
							     : "sending failed";

	LOG(INFO, event, KV_STR("queue_id", entry->row.id),
	    KV_STR("from", entry->row.sender),
	    KV_STR("rcpt", entry->row.recipient.address),
	    KV_STR("destination", destination->name), KV_STR("host", where->host),
	    KV_STR("peer", where->peer), KV_STR("tls", where->tls),
	    KV_STR("reply", entry->reason),
	    KV_INT("delay", clock_s() - entry->row.received_at),
	    KV_INT("tries", entry->row.tries + 1));
}

static void count_speed(struct destination *destination)
{
	destination->speed_count++;
	if (loop_now() < destination->speed_at + 1000)
		return;
	uint64_t ms = loop_now() - destination->speed_at;

	destination->speed = (unsigned)(destination->speed_count * 1000ull / ms);
	destination->speed_count = 0;
	destination->speed_at = loop_now();
}

/* Not before its destination is tried again. */
static int64_t due_after(const struct entry *entry)
{
	const struct destination *destination = entry->mail->destination;
	unsigned first_s = destination->run->options->retry_first_s;
	int64_t now = clock_s(), due_at = settle_next_due(first_s, entry->row.tries, now);
	int64_t rest_s = 0;

	if (destination->dead_until > loop_now()) {
		uint64_t dead_s = (destination->dead_until - loop_now()) / 1000 + 1;

		rest_s = (int64_t)(dead_s + rand_below(dead_s / 4 + 1));
	}
	return due_at > now + rest_s ? due_at : now + rest_s;
}

void settle_verdict(struct run *run, struct entry *entry, const struct verdict *verdict,
		    const struct settle_where *where)
{
	entry->reason = reason_of(entry, verdict, where);
	log_verdict(entry, verdict, where);
	count_speed(entry->mail->destination);
	entry->outcome = verdict->kind == VERDICT_DONE ? QUEUE_DONE : QUEUE_RETRY;
	entry->due_at = due_after(entry);
	table_decide(entry);
	settle_later(run, entry);
}

void settle_release(struct run *run, struct entry *entry, int64_t due_at)
{
	entry->outcome = QUEUE_RELEASE;
	entry->due_at = due_at;
	entry->reason = STR("");
	table_decide(entry);
	settle_later(run, entry);
}

void settle_again(struct run *run, struct entry *entry)
{
	entry->is_orphan = false;
	list_remove(&run->orphans, &entry->in_finished);
	settle_later(run, entry);
}

void settle_forget_orphans(struct run *run)
{
	LIST_EACH(&run->orphans, link)
	{
		struct entry *entry = CONTAINER_OF(link, struct entry, in_finished);

		if (entry->finished_at + ORPHAN_S > clock_s())
			break;
		list_remove(&run->orphans, link);
		table_forget(run, entry);
	}
}
