/* What follows from a try: done, again, or never; and what its sender hears of it. */
#include "base/rand.h"
#include "mta/settle.h"
#include "rt/clock.h"

static struct fate failed(void)
{
	return (struct fate){
		.outcome = QUEUE_DONE, .is_told = true, .action = BOUNCE_FAILED};
}

/* RFC 2852 §4.1.4: each relaying is told where that was asked for; else the one to a
 * server that will not heed the time. */
static bool is_told_of_relaying(const struct entry *entry,
				const struct settle_where *where)
{
	const struct queue_timing *timing = &entry->row.timing;

	if (timing->modes & QUEUE_BY_TRACE)
		return true;
	return (timing->modes & QUEUE_BY_NOTIFY) && !where->has_by &&
	       entry->finished_at < timing->deliver_by;
}

/* RFC 3461 §5.2.2: who hands over to a server that knows no DSN answers for it; one that
 * knows it answers itself.  LMTP is final delivery. */
static struct fate done(const struct entry *entry, const struct settle_where *where)
{
	enum bounce_action action = where->is_lmtp ? BOUNCE_DELIVERED : BOUNCE_RELAYED;
	bool is_ours =
		where->is_lmtp || !where->has_dsn || is_told_of_relaying(entry, where);

	return (struct fate){.outcome = QUEUE_DONE,
			     .is_told = is_ours && bounce_is_wanted(&entry->row, action),
			     .action = action};
}

/* Not before its destination is tried again. */
static int64_t not_while_dead(const struct destination *destination, int64_t due_at)
{
	int64_t rest_s = 0, now = clock_s();

	if (destination->dead_until > loop_now()) {
		uint64_t dead_s = (destination->dead_until - loop_now()) / 1000 + 1;

		rest_s = (int64_t)(dead_s + rand_below(dead_s / 4 + 1));
	}
	return due_at > now + rest_s ? due_at : now + rest_s;
}

static struct fate again(const struct run *run, const struct entry *entry)
{
	struct schedule_next next = schedule_after_failure(
		&run->options->schedule, &entry->row, clock_s(), rand_u64());

	switch (next.step) {
	case SCHEDULE_RETRY:
		break;
	case SCHEDULE_EXPIRED:
	case SCHEDULE_LATE:
		return failed();
	}
	return (struct fate){
		.outcome = QUEUE_RETRY,
		.due_at = not_while_dead(entry->mail->destination, next.due_at),
		.is_told = next.tell != 0,
		.action = BOUNCE_DELAYED,
		.retry_until = next.retry_until,
		.tell = next.tell};
}

struct fate fate_of(const struct run *run, const struct entry *entry,
		    const struct verdict *verdict, const struct settle_where *where)
{
	switch (verdict->kind) {
	case VERDICT_DONE:
		return done(entry, where);
	case VERDICT_FAILED:
		return failed();
	case VERDICT_RETRY:
		return again(run, entry);
	case VERDICT_NONE:
	case VERDICT_AGAIN:
		break;
	}
	ASSERT(false);
}

enum queue_cause fate_cause(const struct verdict *verdict)
{
	const struct smtp_enhanced *status = &verdict->status;

	if (verdict->code != 0)
		return CAUSE_REPLY;
	if (status->subject == 4 && status->detail == 3)
		return CAUSE_DNS;
	if (status->subject == 4 && status->detail <= 2)
		return CAUSE_CONNECT;
	if (status->subject == 7)
		return CAUSE_TLS;
	return CAUSE_OTHER;
}
