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
	ORPHAN_S = 2 * 3600, /* longer than any lease */
	STORE_PAUSE_MS = 1000,
	SPEED_MS = 1000, /* a speed is that of so long, */
	SPEED_MS_FIRST = 200,
};

/* ---- one commit -------------------------------------------------------------------- */

static struct store_op settle_op(struct entry *entry)
{
	struct store_op op = {.kind = OP_QUEUE_SETTLE};

	entry->settled_lease = entry->row.lease;
	op.settle = (struct op_queue_settle){.row = entry->row.row,
					     .lease = entry->row.lease,
					     .outcome = entry->fate.outcome,
					     .due_at = entry->fate.due_at,
					     .reason = entry->reason,
					     .told = entry->fate.tell,
					     .cause = entry->cause,
					     .host = entry->host};
	return op;
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

/* The lease was lost, and had anew before we heard of that: the row will not be leased
 * again before that one has ended. */
static bool is_renewed(const struct entry *entry, enum store_outcome outcome)
{
	return outcome != STORE_OK && outcome != STORE_ABSENT &&
	       entry->row.lease != entry->settled_lease;
}

/* Where the lease was lost (the store began anew), the row will be leased again: what has
 * become of it is kept until then, so that nothing is sent twice. */
static void settle_end(struct run *run, struct entry *entry, enum store_outcome outcome)
{
	entry->is_settling = false;
	if (outcome != STORE_OK)
		LOG(WARN, "queue row not settled", KV_STR("queue_id", entry->row.id),
		    KV("reason", store_outcome_text(outcome)));
	if (is_unheard(outcome) || is_renewed(entry, outcome)) {
		settle_later(run, entry);
		return;
	}
	if (outcome == STORE_OK && entry->fate.outcome != QUEUE_DONE)
		note_put_back(run, entry->fate.due_at);
	if (outcome == STORE_OK || outcome == STORE_ABSENT ||
	    entry->fate.outcome != QUEUE_DONE) {
		table_forget(run, entry);
		return;
	}
	entry->is_orphan = true;
	entry->finished_at = clock_s();
	list_add_last(&run->orphans, &entry->in_finished);
}

/* Some rows of an account, and a report of them if there is one: all or nothing. */
static enum store_outcome commit(struct run *run, struct entry **rows, size_t count,
				 const struct store_op *report)
{
	struct store_op *ops = NEW_ARRAY(struct store_op, count + 1);
	struct store_commit all = {
		.account = rows[0]->row.account, .ops = ops, .count = count};

	for (size_t i = 0; i < count; i++)
		ops[i] = settle_op(rows[i]);
	if (report)
		ops[all.count++] = *report;
	enum store_outcome outcome = store_commit(run->options->store, &all, NULL, NULL);

	mem_free(ops);
	return outcome;
}

static bool is_for_each(size_t count, enum store_outcome outcome)
{
	return count > 1 && outcome != STORE_OK && !is_unheard(outcome);
}

/* All at once; but one lost lease spoils a commit, then one by one. */
static enum store_outcome settle_rows(struct run *run, struct entry **rows, size_t count,
				      const struct store_op *report)
{
	enum store_outcome all = commit(run, rows, count, report);

	if (is_for_each(count, all))
		return all;
	for (size_t i = 0; i < count; i++)
		settle_end(run, rows[i], all);
	return all;
}

/* ---- rows whose sender hears of them ----------------------------------------------- */

static enum report make_report(struct run *run, struct entry **rows, size_t count,
			       struct arena *arena, struct store_op *op)
{
	struct bounce_recipient *list = NEW_ARRAY(struct bounce_recipient, count);

	for (size_t i = 0; i < count; i++)
		list[i] = (struct bounce_recipient){.row = &rows[i]->row,
						    .action = rows[i]->fate.action,
						    .status = rows[i]->status,
						    .said = rows[i]->said,
						    .host = rows[i]->host,
						    .tried_at = rows[i]->finished_at,
						    .retry_until =
							    rows[i]->fate.retry_until};
	enum report made = report_make(&run->options->reporter, list, count, arena, op);

	mem_free(list);
	return made;
}

/* Rows of one mail.  STORE_UNAVAILABLE: nobody can say now whom to tell. */
static enum store_outcome settle_told(struct run *run, struct entry **rows, size_t count)
{
	enum store_outcome outcome = STORE_UNAVAILABLE;
	struct store_op report;
	struct arena arena;

	arena_init(&arena, REPORT_ARENA_MAX);
	switch (make_report(run, rows, count, &arena, &report)) {
	case REPORT_MADE:
		outcome = settle_rows(run, rows, count, &report);
		break;
	case REPORT_NONE:
		outcome = settle_rows(run, rows, count, NULL);
		break;
	case REPORT_LATER:
		for (size_t i = 0; i < count; i++)
			settle_end(run, rows[i], outcome);
		break;
	}
	arena_fini(&arena);
	return outcome;
}

/* Moves those that belong together to the front; how many they are. */
static size_t gather(struct entry **rows, size_t count, bool is_told, uint64_t message)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		struct entry *one = rows[i];

		if (one->fate.is_told != is_told ||
		    (is_told && one->row.message != message))
			continue;
		rows[i] = rows[found];
		rows[found++] = one;
	}
	return found;
}

static enum store_outcome settle_some(struct run *run, struct entry **rows, size_t count)
{
	bool is_told = rows[0]->fate.is_told;
	enum store_outcome all = is_told ? settle_told(run, rows, count)
					 : settle_rows(run, rows, count, NULL);

	if (!is_for_each(count, all))
		return all;
	for (size_t i = 0; i < count; i++)
		all = is_told ? settle_told(run, &rows[i], 1)
			      : settle_rows(run, &rows[i], 1, NULL);
	return all;
}

/* Rows of one account.  False: the store could not be heard. */
static bool settle_account(struct run *run, struct entry **rows, size_t count)
{
	bool is_heard = true;

	for (size_t done = gather(rows, count, false, 0), first = 0; first < count;
	     first = done, done += gather(rows + done, count - done, true,
					  done < count ? rows[done]->row.message : 0)) {
		if (done > first)
			is_heard &=
				!is_unheard(settle_some(run, rows + first, done - first));
	}
	return is_heard;
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
		if (!settle_account(run, rows, count))
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

/* "550 5.1.1 No such user (mx.example.org [192.0.2.1])"; a report has its own places for
 * who said it. */
static void keep_reason(struct entry *entry, const struct verdict *verdict,
			const struct settle_where *where)
{
	struct buf text = BUF(4 * REASON_MAX);
	size_t said_at = 0;

	if (verdict->code != 0)
		buf_printf(&text, "%d ", verdict->code);
	buf_printf(&text, "%u.%u.%u ", verdict->status.class, verdict->status.subject,
		   verdict->status.detail);
	if (verdict->code == 0)
		said_at = text.len;
	buf_add(&text, verdict->text);
	size_t said_end = num_min(text.len, REASON_MAX);

	if (where->host.len > 0)
		buf_printf(&text, " (%.*s%s%.*s%s)", STR_FMT(where->host),
			   where->peer.len > 0 ? " [" : "", STR_FMT(where->peer),
			   where->peer.len > 0 ? "]" : "");
	struct str whole = utf8_first(buf_str(&text), REASON_MAX);

	memcpy(entry->reason_bytes, whole.ptr, whole.len);
	buf_fini(&text);
	entry->reason = (struct str){entry->reason_bytes, whole.len};
	entry->said = str_skip(str_first(entry->reason, said_end), said_at);
}

static void keep_host(struct entry *entry, struct str host)
{
	host = str_first(host, sizeof entry->host_bytes);
	if (host.len > 0)
		memcpy(entry->host_bytes, host.ptr, host.len);
	entry->host = (struct str){entry->host_bytes, host.len};
}

static const char *event_of(const struct entry *entry, const struct verdict *verdict)
{
	if (verdict->kind == VERDICT_DONE)
		return "sent";
	return entry->fate.outcome == QUEUE_RETRY ? "sending deferred" : "sending failed";
}

static void log_verdict(const struct entry *entry, const struct verdict *verdict,
			const struct settle_where *where)
{
	const struct destination *destination = entry->mail->destination;
	const char *event = event_of(entry, verdict);

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
	bool is_known = destination->speed > 0;

	destination->speed_count++;
	if (loop_now() < destination->speed_at + (is_known ? SPEED_MS : SPEED_MS_FIRST))
		return;
	uint64_t ms = loop_now() - destination->speed_at;

	destination->speed = (unsigned)(destination->speed_count * 1000ull / ms);
	destination->speed_count = 0;
	destination->speed_at = loop_now();
}

void settle_verdict(struct run *run, struct entry *entry, const struct verdict *verdict,
		    const struct settle_where *where)
{
	keep_reason(entry, verdict, where);
	keep_host(entry, where->host);
	entry->status = verdict->status;
	entry->cause = fate_cause(verdict);
	entry->finished_at = clock_s();
	entry->fate = fate_of(run, entry, verdict, where);
	log_verdict(entry, verdict, where);
	count_speed(entry->mail->destination);
	table_decide(entry);
	settle_later(run, entry);
}

bool settle_without_try(struct run *run, struct entry *entry)
{
	const struct settle_where nowhere = {.host = STR("")};
	struct verdict verdict = {.kind = VERDICT_FAILED,
				  .status = {5, 7, 0},
				  .text = STR("Given up by the administrator")};

	if (!entry->row.is_given_up) {
		if (!schedule_is_late(&entry->row, clock_s()))
			return false;
		verdict.status = (struct smtp_enhanced){5, 4, 7}; /* RFC 2852 §4.1.3 */
		verdict.text = STR("The time that its sender set has passed");
	}
	settle_verdict(run, entry, &verdict, &nowhere);
	return true;
}

void settle_release(struct run *run, struct entry *entry, int64_t due_at)
{
	entry->fate = (struct fate){.outcome = QUEUE_RELEASE, .due_at = due_at};
	entry->reason = entry->host = STR("");
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
