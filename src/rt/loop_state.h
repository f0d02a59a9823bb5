/* What the files of rt/ share about the loop and its tasks; nobody else includes it.
 * tools/gdb/tasks.py reads these structs by name. */
#pragma once

#include "base/list.h"
#include "rt/fibre.h"
#include "rt/task.h"

/* A task's place in a list of waiters; it may be in two (wait_on_either()). */
struct waiter {
	struct task *task;
	struct waiters *list; /* NULL: in none */
	struct waiter *next, *prev;
};

enum task_state { TASK_READY, TASK_RUNNING, TASK_WAITING, TASK_ENDED };

/* Lies at the top of its own stack. */
struct task {
	struct fibre fibre;
	enum task_state state;
	err_t wake_reason;
	bool is_canceled;
	bool is_shielded;      /* this wait does not end by cancelation */
	unsigned ready_streak; /* polls that found their descriptor ready, in a row */
	struct task *ready_next;
	struct waiter waits[2];
	bool is_trimmed; /* its stack was, since it waits */
	deadline_t waits_since;
	size_t timer_at; /* its place in the heap and 1; 0: none */
	uint64_t id;
	const char *name;
	const char *waits_for; /* a word for the debugger */
	void (*run)(void *);
	void *arg;
	struct list_link in_all;
	char description[64];
};

struct timer {
	deadline_t at;
	struct task *task;
};

struct deferred {
	void (*fn)(void *);
	void *arg;
};

struct task_slot {
	struct task *task;
	size_t next_free; /* index and 1; 0: none */
};

struct loop {
	bool is_open, is_stopping;
	int epoll_fd, wake_fd;
	deadline_t now;
	struct fibre fibre; /* of the loop itself */
	struct task *running;
	struct task *ready_first, *ready_last;
	struct list all;
	size_t task_count;
	struct task_slot *slots;
	size_t slot_count, slot_room, slot_free;
	uint64_t last_serial;
	struct timer *timers; /* a binary heap, soonest first */
	size_t timer_count, timer_room;
	struct deferred *deferred;
	size_t deferred_count, deferred_room;
	bool is_untidy; /* idle_tidy() may have something to do */
	struct list at_rest;
	deadline_t tidy_at, give_at;
	size_t awaited_threads; /* completions that tasks wait for */
};

extern struct loop loop;

/* Ends the running task's turn until task_wake() or the deadline; returns why.  waits_for
 * is a literal for the debugger. */
err_t task_suspend(deadline_t deadline, const char *waits_for);
/* Makes a waiting task ready: takes it out of all it waits on. */
void task_wake(struct task *task, err_t why);
/* Runs it until it suspends or ends; called by the loop. */
void task_resume(struct task *task);
void ready_add(struct task *task);
/* Trims the stacks of tasks that have waited since then; true if none is left to trim. */
bool task_trim_idle(deadline_t since);

/* Like wait_on(), for what cannot be given up half-way. */
void wait_shielded(struct waiters *waiters, const char *waits_for);
void waiter_leave(struct waiter *waiter);

void timer_add(struct task *task, deadline_t at);
void timer_remove(struct task *task);
/* Wakes whoever is due. */
void timer_expire(deadline_t now);
/* NEVER if there is none. */
deadline_t timer_next(void);

void poll_event(struct poll *poll, uint32_t events);

/* completion.c: what other threads have posted. */
void inbox_open(void);
void inbox_drain(void);
/* Announces that the loop is about to sleep, or is awake; false if something came, so
 * that it must not sleep. */
bool inbox_sleeps(bool is_asleep);
void big_stack_fini(void);
