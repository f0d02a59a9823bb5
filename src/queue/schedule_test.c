#include "queue/schedule.h"

#include "base/test.h"

enum { MIN = 60, HOUR = 3600, DAY = 86400, T0 = 1700000000 };

static const struct schedule usual = {5 * MIN, 4 * HOUR, 5 * DAY, 4 * HOUR};

static struct queue_row row_of(uint32_t tries)
{
	return (struct queue_row){.received_at = T0, .tries = tries};
}

TEST(pauses_double_up_to_the_most)
{
	static const int64_t wanted[] = {5 * MIN,  10 * MIN, 20 * MIN,
					 40 * MIN, 80 * MIN, 160 * MIN,
					 4 * HOUR, 4 * HOUR, 4 * HOUR};
	struct schedule schedule = {5 * MIN, 4 * HOUR, 5 * DAY, 0};

	for (uint32_t i = 0; i < COUNT_OF(wanted); i++) {
		struct queue_row row = row_of(i);
		struct schedule_next next =
			schedule_after_failure(&schedule, &row, T0 + DAY, 0);

		CHECK(next.step == SCHEDULE_RETRY && next.tell == 0);
		CHECK(next.due_at == T0 + DAY + wanted[i]);
	}
	struct queue_row row = row_of(UINT32_MAX);

	CHECK(schedule_after_failure(&schedule, &row, T0, 0).due_at == T0 + 4 * HOUR);
}

TEST(chance_takes_at_most_an_eighth)
{
	struct queue_row row = row_of(0);

	for (uint64_t chance = 0; chance < 1000; chance++) {
		int64_t due = schedule_after_failure(&usual, &row, T0, chance).due_at;

		CHECK(due <= T0 + 300 && due >= T0 + 300 - 38);
	}
}

TEST(a_delay_is_told_once_and_in_time)
{
	struct queue_row row = row_of(5);
	struct schedule_next next =
		schedule_after_failure(&usual, &row, T0 + 155 * MIN, 0);

	CHECK(next.due_at == T0 + 4 * HOUR && next.tell == 0);
	next = schedule_after_failure(&usual, &row, T0 + 4 * HOUR, 0);
	CHECK(next.tell == QUEUE_TOLD_DELAY && next.retry_until == T0 + 5 * DAY);
	row.told = QUEUE_TOLD_DELAY;
	CHECK(schedule_after_failure(&usual, &row, T0 + 5 * HOUR, 0).tell == 0);
}

TEST(a_mail_expires_after_a_last_try)
{
	struct queue_row row = row_of(30);

	row.told = QUEUE_TOLD_DELAY;
	struct schedule_next next =
		schedule_after_failure(&usual, &row, T0 + 5 * DAY - HOUR, 0);

	CHECK(next.step == SCHEDULE_RETRY && next.due_at == T0 + 5 * DAY);
	next = schedule_after_failure(&usual, &row, T0 + 5 * DAY, 0);
	CHECK(next.step == SCHEDULE_EXPIRED);
}

TEST(a_hold_is_no_delay)
{
	struct queue_row row = row_of(0);

	row.timing = (struct queue_timing){.hold_until = T0 + 10 * DAY};
	CHECK(schedule_first_due(&row.timing, T0) == T0 + 10 * DAY);
	CHECK(schedule_first_due(&row.timing, T0 + 11 * DAY) == T0 + 11 * DAY);
	struct schedule_next next =
		schedule_after_failure(&usual, &row, T0 + 10 * DAY + MIN, 0);

	CHECK(next.step == SCHEDULE_RETRY && next.tell == 0);
	CHECK(next.retry_until == T0 + 15 * DAY);
}

/* RFC 2852 §4.1.3. */
TEST(deliver_by_ends_in_a_return_or_in_a_notice)
{
	struct queue_row row = row_of(0);
	int64_t by_s;

	CHECK(!schedule_by_remaining(&row.timing, T0, &by_s));
	row.timing =
		(struct queue_timing){.deliver_by = T0 + 120, .modes = QUEUE_BY_RETURN};
	struct schedule_next next = schedule_after_failure(&usual, &row, T0, 0);

	CHECK(next.due_at == T0 + 120 && next.retry_until == T0 + 120);
	CHECK(!schedule_is_late(&row, T0 + 119) && schedule_is_late(&row, T0 + 120));
	next = schedule_after_failure(&usual, &row, T0 + 121, 0);
	CHECK(next.step == SCHEDULE_LATE);
	row.timing.modes = QUEUE_BY_NOTIFY;
	CHECK(!schedule_is_late(&row, T0 + 999));
	next = schedule_after_failure(&usual, &row, T0, 0);
	CHECK(next.due_at == T0 + 120 && next.tell == 0);
	next = schedule_after_failure(&usual, &row, T0 + 121, 0);
	CHECK(next.step == SCHEDULE_RETRY && (next.tell & QUEUE_TOLD_LATE));
	row.told = next.tell;
	CHECK(schedule_after_failure(&usual, &row, T0 + 500, 0).tell == 0);
	CHECK(schedule_by_remaining(&row.timing, T0 + 130, &by_s) && by_s == -10);
}
