/* Tasks: sequential code over one epoll loop a process.
 *
 * A task runs on a stack of its own (64 KiB with a guard page; pages beyond what it used
 * are given back when it ends) and is switched only inside calls whose comment says "may
 * suspend".  Such a call has a deadline and fails (ERR_TIMEOUT, ERR_CANCELED) instead of
 * jumping.  Nothing here may be called from another thread, except where it says so.
 */
#pragma once

#include "base/list.h"
#include "base/str.h"

/* Milliseconds of a clock that never goes back; the same for every deadline here. */
typedef uint64_t deadline_t;
#define NEVER UINT64_MAX

enum { TASK_STACK_BYTES = 64 * 1024, TASKS_MAX = 25000 };

struct task;

void loop_init(void);
/* Runs tasks until loop_stop() was called and every task has ended. */
void loop_run(void);
/* Cancels every task; loop_run() returns when they have all ended. */
void loop_stop(void);
void loop_fini(void);

/* The time at the start of this turn of the loop. */
deadline_t loop_now(void);
/* loop_now() plus that much. */
deadline_t deadline_ms(uint64_t milliseconds);
deadline_t deadline_s(uint64_t seconds);

/* Starts a task; it first runs when the starter suspends.  name is borrowed for ever (a
 * literal).  NULL if TASKS_MAX are running.  The task frees itself when run returns. */
struct task *task_start(const char *name, void (*run)(void *), void *arg);
struct task *task_self(void); /* NULL outside tasks */
size_t task_count(void);
/* A number that is never given twice in a process, for logs and late references. */
uint64_t task_id(const struct task *task);
/* What the task is about, shown by the debugger and in panic reports; copied, cut to 63
 * octets. */
void task_describe(struct str what);
/* What it was started as and last described as; good until it suspends or ends. */
const char *task_name(const struct task *task);
const char *task_description(const struct task *task);
/* Every call in which the task waits, now or later, fails with ERR_CANCELED.  No-op when
 * no task has this id any more. */
void task_cancel(uint64_t id);
bool task_is_canceled(void);
/* May suspend.  OK after the time; ERR_CANCELED before. */
[[nodiscard]] err_t task_sleep_ms(uint64_t milliseconds);
/* May suspend: lets everything else that is ready run once. */
void task_yield(void);
/* May suspend: lets the loop turn once.  What was sent leaves (ipc.h), and what has come
 * is looked at; for who computes for long while others work for it. */
void task_turn(void);
/* Gives the pages of the running task's stack back that it used but does not need now;
 * after a deep call (a TLS handshake) and before a long wait. */
void task_trim_stack(void);
/* Runs fn(arg) on one large stack that all tasks share; for foreign libraries.  It must
 * not suspend. */
void on_big_stack(void (*fn)(void *), void *arg);
/* Runs fn(arg) at the end of this turn of the loop, outside tasks (for batching output).
 * It must not suspend. */
void loop_defer(void (*fn)(void *), void *arg);

/* Has give(arg) called, outside tasks, whenever the process has been at rest for some
 * seconds, and each 20 s or so if it never is: what is kept only so that it is at
 * hand can go.  It must not suspend.  The struct is the caller's; it must not move until
 * loop_off_rest(). */
struct at_rest {
	struct list_link in_loop;
	void (*give)(void *arg);
	void *arg;
};
void loop_on_rest(struct at_rest *at_rest);
void loop_off_rest(struct at_rest *at_rest);

/* Waiting for something that other tasks announce.  Zero-initialised is empty; the fields
 * are rt/'s own.  The memory may go when nobody waits any more. */
struct waiters {
	struct waiter *first, *last;
};
/* May suspend until woken: OK, or ERR_TIMEOUT, ERR_CANCELED. */
[[nodiscard]] err_t wait_on(struct waiters *waiters, deadline_t deadline);
/* The same, woken by whichever comes first; either may be NULL. */
[[nodiscard]] err_t wait_on_either(struct waiters *one, struct waiters *other,
				   deadline_t deadline);
void wake_one(struct waiters *waiters);
void wake_all(struct waiters *waiters);
/* Their wait_on() returns why. */
void wake_all_with(struct waiters *waiters, err_t why);

/* A file descriptor in the loop, registered once, edge-triggered. */
struct poll {
	int fd;
	bool is_readable, is_writable; /* as far as the loop knows; cleared by users on
					  EAGAIN or a short transfer */
	bool is_hung_up;
	struct waiters readers, writers;
};
/* fd must be non-blocking; it stays the caller's.  The struct must not move until
 * poll_close(). */
[[nodiscard]] err_t poll_open(struct poll *poll, int fd);
void poll_close(struct poll *poll); /* does not close fd; wakes waiters with ERR_CLOSED */
/* May suspend until is_readable / is_writable may be true again. */
[[nodiscard]] err_t poll_readable(struct poll *poll, deadline_t deadline);
[[nodiscard]] err_t poll_writable(struct poll *poll, deadline_t deadline);
