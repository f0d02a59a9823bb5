#include "rt/clock.h"

#include <time.h>

static bool is_test;
static uint64_t test_monotonic_us;
static int64_t test_wall_us;
static int64_t calendar_us; /* 0: it goes on */
static uint64_t hurry_times = 1, hurry_from_us;

static uint64_t read_us(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now); /* cannot fail for these clocks */
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_us(void)
{
	if (__builtin_expect(clock_is_test(), 0))
		return __atomic_load_n(&test_monotonic_us, __ATOMIC_RELAXED);
	uint64_t now_us = read_us(CLOCK_MONOTONIC);

	return hurry_from_us + (now_us - hurry_from_us) * hurry_times;
}

void clock_hurry(unsigned times)
{
	hurry_from_us = read_us(CLOCK_MONOTONIC);
	hurry_times = times;
}

int clock_real_ms(int milliseconds)
{
	int times = (int)hurry_times;

	return milliseconds <= 0 ? milliseconds : (milliseconds + times - 1) / times;
}

uint64_t clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

int64_t clock_us(void)
{
	if (__builtin_expect(clock_is_test(), 0))
		return __atomic_load_n(&test_wall_us, __ATOMIC_RELAXED);
	int64_t standing_us = __atomic_load_n(&calendar_us, __ATOMIC_RELAXED);

	return standing_us ? standing_us : (int64_t)read_us(CLOCK_REALTIME);
}

int64_t clock_ms(void)
{
	return clock_us() / 1000;
}

int64_t clock_s(void)
{
	return clock_us() / 1000000;
}

void clock_test_calendar(int64_t wall_us)
{
	__atomic_store_n(&calendar_us, wall_us, __ATOMIC_RELAXED);
}

bool clock_is_test(void)
{
	return __atomic_load_n(&is_test, __ATOMIC_RELAXED);
}

void clock_test_start(int64_t wall_us)
{
	/* Ahead of the true clock, so that a loop under way sees no step back. */
	test_monotonic_us = read_us(CLOCK_MONOTONIC) + 1000;
	test_wall_us = wall_us;
	__atomic_store_n(&is_test, true, __ATOMIC_RELEASE);
}

void clock_test_advance_ms(uint64_t milliseconds)
{
	__atomic_fetch_add(&test_monotonic_us, milliseconds * 1000, __ATOMIC_RELAXED);
	__atomic_fetch_add(&test_wall_us, (int64_t)milliseconds * 1000, __ATOMIC_RELAXED);
}

void clock_test_stop(void)
{
	__atomic_store_n(&is_test, false, __ATOMIC_RELEASE);
}
