#include "rt/completion.h"

#include <errno.h>
#include <unistd.h>

#include "rt/loop_state.h"

/* A stack that threads push on and the loop empties as a whole. */
static struct completion *inbox;
static bool loop_sleeps;

void inbox_open(void)
{
	__atomic_store_n(&inbox, NULL, __ATOMIC_SEQ_CST);
	__atomic_store_n(&loop_sleeps, false, __ATOMIC_SEQ_CST);
}

/* The loop says that it sleeps, then looks at the inbox; a thread fills the inbox, then
 * looks whether the loop sleeps.  In sequentially consistent order one sees the other. */
bool inbox_sleeps(bool is_asleep)
{
	__atomic_store_n(&loop_sleeps, is_asleep, __ATOMIC_SEQ_CST);
	return !is_asleep || !__atomic_load_n(&inbox, __ATOMIC_SEQ_CST);
}

void completion_init(struct completion *completion)
{
	*completion = (struct completion){0};
}

void completion_post(struct completion *completion)
{
	struct completion *first = __atomic_load_n(&inbox, __ATOMIC_RELAXED);
	int wake_fd = loop.wake_fd; /* before the push: after it the loop may end */

	do
		completion->next = first;
	while (!__atomic_compare_exchange_n(&inbox, &first, completion, true,
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	if (first || !__atomic_load_n(&loop_sleeps, __ATOMIC_SEQ_CST))
		return;
	const uint64_t one = 1;

	while (write(wake_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

void inbox_drain(void)
{
	if (!__atomic_load_n(&inbox, __ATOMIC_RELAXED))
		return;
	struct completion *newest = __atomic_exchange_n(&inbox, NULL, __ATOMIC_SEQ_CST);
	struct completion *oldest = NULL;

	while (newest) {
		struct completion *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	while (oldest) {
		struct completion *next = oldest->next;

		oldest->is_done = true;
		wake_all(&oldest->waiters);
		oldest = next;
	}
}

void completion_wait(struct completion *completion)
{
	if (completion->is_done)
		return;
	loop.awaited_threads++;
	wait_shielded(&completion->waiters, "a thread");
	loop.awaited_threads--;
	ASSERT(completion->is_done);
}
