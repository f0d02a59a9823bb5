/* What time it is.  Deadlines use loop_now() (rt/task.h); this is the calendar's clock.
 * Any thread may ask.  Tests stand the clock still and move it by hand. */
#pragma once

#include "base/base.h"

/* Since 1970, by the system's clock, which may jump. */
int64_t clock_s(void);
int64_t clock_ms(void);
int64_t clock_us(void);
/* Since some moment before the process started; never goes back. */
uint64_t clock_monotonic_ms(void);
uint64_t clock_monotonic_us(void);

/* Tests only: from now on the monotonic clock, and with it every deadline, goes so many
 * times as fast.  Called once, before there are threads. */
void clock_hurry(unsigned times);
/* How long to wait by the system's clock, in milliseconds. */
int clock_real_ms(int milliseconds);

/* Tests only.  From clock_test_start() to clock_test_stop() both clocks stand still,
 * except that a loop with nothing to do jumps to its next timer, so that timeouts cost no
 * time. Not for tests that wait for other processes. */
void clock_test_start(int64_t wall_us);
void clock_test_advance_ms(uint64_t milliseconds);
void clock_test_stop(void);
/* Tests only: the calendar stands still at that time, and deadlines go on. */
void clock_test_calendar(int64_t wall_us);
bool clock_is_test(void);
