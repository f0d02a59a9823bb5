#include "queue/schedule.h"

#include "base/num.h"

enum { DOUBLINGS_MAX = 20, JITTER_PARTS = 8 };

/* Waiting begins when the mail may first be sent: a hold is no delay. */
static int64_t began_at(const struct queue_row *row)
{
	return row->timing.hold_until > row->received_at ? row->timing.hold_until
							 : row->received_at;
}

static bool has_passed(const struct queue_row *row, uint8_t mode, int64_t now)
{
	return (row->timing.modes & mode) && now >= row->timing.deliver_by;
}

/* first, 2 first, 4 first, ... max; up to an eighth less. */
static int64_t pause_s(const struct schedule *schedule, uint32_t tries, uint64_t chance)
{
	uint64_t pause = num_min(schedule->retry_first_s << num_min(tries, DOUBLINGS_MAX),
				 num_max(schedule->retry_max_s, schedule->retry_first_s));

	return (int64_t)num_max(pause - chance % (pause / JITTER_PARTS + 1), 1);
}

static void not_after(int64_t *due_at, int64_t moment, int64_t now)
{
	if (moment > now && moment < *due_at)
		*due_at = moment;
}

bool schedule_is_late(const struct queue_row *row, int64_t now)
{
	return has_passed(row, QUEUE_BY_RETURN, now);
}

struct schedule_next schedule_after_failure(const struct schedule *schedule,
					    const struct queue_row *row, int64_t now,
					    uint64_t chance)
{
	const struct queue_timing *timing = &row->timing;
	int64_t began = began_at(row);
	int64_t notice_at = began + (int64_t)schedule->delay_notice_s;
	struct schedule_next next = {.retry_until = began + (int64_t)schedule->expire_s};

	if ((timing->modes & QUEUE_BY_RETURN) && timing->deliver_by < next.retry_until)
		next.retry_until = timing->deliver_by;
	if (schedule_is_late(row, now)) {
		next.step = SCHEDULE_LATE;
		return next;
	}
	if (now >= next.retry_until) {
		next.step = SCHEDULE_EXPIRED;
		return next;
	}
	bool wants_notice =
		schedule->delay_notice_s > 0 && !(row->told & QUEUE_TOLD_DELAY);
	bool wants_late =
		(timing->modes & QUEUE_BY_NOTIFY) && !(row->told & QUEUE_TOLD_LATE);

	if (wants_late && has_passed(row, QUEUE_BY_NOTIFY, now))
		next.tell = QUEUE_TOLD_LATE | QUEUE_TOLD_DELAY; /* one notice says both */
	else if (wants_notice && now >= notice_at)
		next.tell = QUEUE_TOLD_DELAY;
	next.due_at = now + pause_s(schedule, row->tries, chance);
	/* One more try where something would be told or given up: then it is told in
	 * time, and of a try just made. */
	not_after(&next.due_at, next.retry_until, now);
	if (wants_notice)
		not_after(&next.due_at, notice_at, now);
	if (wants_late)
		not_after(&next.due_at, timing->deliver_by, now);
	return next;
}

int64_t schedule_first_due(const struct queue_timing *timing, int64_t now)
{
	return timing->hold_until > now ? timing->hold_until : now;
}

bool schedule_by_remaining(const struct queue_timing *timing, int64_t now, int64_t *by_s)
{
	if (!(timing->modes & (QUEUE_BY_NOTIFY | QUEUE_BY_RETURN)))
		return false;
	*by_s = timing->deliver_by - now;
	return true;
}
