/* What follows from a delivery that was tried: done, again, or never. */
#include "base/rand.h"
#include "mda/run.h"
#include "rt/clock.h"

enum { STORE_WAIT_S = 30 };

static struct verdict done(const struct queue_row *row)
{
	return (struct verdict){.outcome = QUEUE_DONE,
				.is_told = bounce_is_wanted(row, BOUNCE_DELIVERED),
				.action = BOUNCE_DELIVERED};
}

static struct verdict failed(struct smtp_enhanced status, struct str reason)
{
	return (struct verdict){.outcome = QUEUE_DONE,
				.reason = reason,
				.is_told = true,
				.action = BOUNCE_FAILED,
				.status = status};
}

struct verdict verdict_late(void)
{
	return failed((struct smtp_enhanced){5, 4, 7},
		      STR("550 5.4.7 The time that its sender set has passed"));
}

/* It may still work: as the schedule has it. */
static struct verdict again(const struct mda *mda, const struct queue_row *row,
			    struct smtp_enhanced status, struct str reason)
{
	int64_t now = clock_s();
	struct schedule_next next =
		schedule_after_failure(&mda->schedule, row, now, rand_u64());

	switch (next.step) {
	case SCHEDULE_RETRY:
		break;
	case SCHEDULE_EXPIRED:
		return failed(status, reason);
	case SCHEDULE_LATE:
		return verdict_late();
	}
	if (next.tell & QUEUE_TOLD_LATE) /* RFC 2852 §4.1.3 */
		status = (struct smtp_enhanced){4, 4, 7};
	return (struct verdict){.outcome = QUEUE_RETRY,
				.due_at = next.due_at,
				.reason = reason,
				.is_told = next.tell != 0,
				.action = BOUNCE_DELAYED,
				.status = status,
				.retry_until = next.retry_until,
				.tell = next.tell};
}

/* Nothing is known of this mail yet. */
static struct verdict soon(void)
{
	return (struct verdict){.outcome = QUEUE_RETRY,
				.due_at = clock_s() + STORE_WAIT_S,
				.reason = STR("451 4.3.0 The store is not available")};
}

struct verdict verdict_of(const struct mda *mda, const struct queue_row *row,
			  enum store_outcome outcome)
{
	switch (outcome) {
	case STORE_OK:
		return done(row);
	case STORE_OVER_QUOTA:
		return again(mda, row, (struct smtp_enhanced){4, 2, 2},
			     STR("452 4.2.2 Mailbox full"));
	case STORE_ABSENT:
		return failed((struct smtp_enhanced){5, 1, 1},
			      STR("550 5.1.1 The account is gone"));
	case STORE_CONFLICT:
	case STORE_INVALID:
	case STORE_DAMAGED:
		return again(mda, row, (struct smtp_enhanced){4, 3, 0},
			     STR("451 4.3.0 The store refuses the message"));
	case STORE_DENIED:
	case STORE_FULL:
	case STORE_UNAVAILABLE:
	case STORE_UNKNOWN:
		break;
	}
	return soon();
}

struct verdict verdict_given_up(void)
{
	return failed((struct smtp_enhanced){5, 7, 0},
		      STR("550 5.7.0 Given up by the administrator"));
}
