/* A task's id is a serial number above the index of its slot, so that it is found in
 * constant time and never given twice. */
#include "rt/task.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "rt/loop_state.h"
#include "rt/stack.h"

enum { SLOT_BITS = 16 };
#ifdef POSTRIDER_SANITIZED
enum { TRIM_MARGIN = 8192 };
#else
enum { TRIM_MARGIN = 512 };
#endif
_Static_assert(TASKS_MAX < 1 << SLOT_BITS, "a slot's index fits in an id");

static void *stack_bottom(const struct task *task)
{
	return (char *)((uintptr_t)task->fibre.bottom);
}

static size_t slot_take(void)
{
	if (loop.slot_free) {
		size_t slot = loop.slot_free - 1;

		loop.slot_free = loop.slots[slot].next_free;
		return slot;
	}
	MEM_ROOM(loop.slots, loop.slot_count, loop.slot_room);
	return loop.slot_count++;
}

static void slot_give_back(struct task *task)
{
	size_t slot = task->id & ((1u << SLOT_BITS) - 1);

	loop.slots[slot] = (struct task_slot){NULL, loop.slot_free};
	loop.slot_free = slot + 1;
}

static void task_main(void *arg)
{
	struct task *task = arg;

	task->run(task->arg);
	task->state = TASK_ENDED;
	fibre_end(&task->fibre, &loop.fibre);
}

struct task *task_start(const char *name, void (*run)(void *), void *arg)
{
	ASSERT(loop.is_open);
	void *bottom = loop.task_count < TASKS_MAX ? stack_take() : NULL;

	if (!bottom)
		return NULL;
	size_t room = (sizeof(struct task) + 63) / 64 * 64;
	struct task *task = (struct task *)((char *)bottom + stack_bytes() - room);
	size_t slot = slot_take();

	*task = (struct task){
		.id = ++loop.last_serial << SLOT_BITS | slot,
		.name = name,
		.run = run,
		.arg = arg,
		.is_canceled = loop.is_stopping,
	};
	fibre_init(&task->fibre, bottom, stack_bytes() - room, task_main, task);
	loop.slots[slot].task = task;
	list_add_last(&loop.all, &task->in_all);
	loop.task_count++;
	ready_add(task);
	return task;
}

static void task_free(struct task *task)
{
	ASSERT(!task->timer_at && !task->waits[0].list && !task->waits[1].list);
	slot_give_back(task);
	list_remove(&loop.all, &task->in_all);
	loop.task_count--;
	loop.is_untidy = true;
	stack_give_back(stack_bottom(task));
}

void ready_add(struct task *task)
{
	task->state = TASK_READY;
	task->ready_next = NULL;
	*(loop.ready_last ? &loop.ready_last->ready_next : &loop.ready_first) = task;
	loop.ready_last = task;
}

void task_resume(struct task *task)
{
	task->state = TASK_RUNNING;
	task->waits_for = NULL;
	loop.running = task;
	fibre_switch(&loop.fibre, &task->fibre);
	loop.running = NULL;
	if (task->state == TASK_ENDED)
		task_free(task);
}

err_t task_suspend(deadline_t deadline, const char *waits_for)
{
	struct task *task = loop.running;

	ASSERT(task); /* the loop itself, and deferred functions, cannot wait */
	if (deadline != NEVER)
		timer_add(task, deadline);
	task->state = TASK_WAITING;
	task->waits_for = waits_for;
	task->waits_since = loop.now;
	task->is_trimmed = false;
	task->ready_streak = 0;
	loop.is_untidy = true;
	fibre_switch(&task->fibre, &loop.fibre);
	return task->wake_reason;
}

void task_wake(struct task *task, err_t why)
{
	ASSERT(task->state == TASK_WAITING);
	waiter_leave(&task->waits[0]);
	waiter_leave(&task->waits[1]);
	timer_remove(task);
	task->wake_reason = why;
	ready_add(task);
}

struct task *task_self(void)
{
	return loop.running;
}

size_t task_count(void)
{
	return loop.task_count;
}

uint64_t task_id(const struct task *task)
{
	return task->id;
}

void task_describe(struct str what)
{
	struct task *task = loop.running;

	ASSERT(task);
	what = str_first(what, sizeof task->description - 1);
	if (what.len > 0)
		memcpy(task->description, what.ptr, what.len);
	task->description[what.len] = '\0';
}

const char *task_name(const struct task *task)
{
	return task->name;
}

const char *task_description(const struct task *task)
{
	return task->description;
}

static void cancel(struct task *task)
{
	task->is_canceled = true;
	if (task->state == TASK_WAITING && !task->is_shielded)
		task_wake(task, ERR_CANCELED);
}

void task_cancel(uint64_t id)
{
	size_t slot = id & ((1u << SLOT_BITS) - 1);
	struct task *task = slot < loop.slot_count ? loop.slots[slot].task : NULL;

	if (task && task->id == id)
		cancel(task);
}

void loop_stop(void)
{
	loop.is_stopping = true;
	LIST_EACH(&loop.all, link)
	{
		cancel(CONTAINER_OF(link, struct task, in_all));
	}
}

bool task_is_canceled(void)
{
	return loop.running && loop.running->is_canceled;
}

err_t task_sleep_ms(uint64_t milliseconds)
{
	if (task_is_canceled())
		return ERR_CANCELED;
	err_t err = task_suspend(deadline_ms(milliseconds), "time");

	return err == ERR_TIMEOUT ? OK : err;
}

void task_yield(void)
{
	struct task *task = loop.running;

	ASSERT(task);
	ready_add(task);
	task->ready_streak = 0;
	task->waits_for = "its turn";
	fibre_switch(&task->fibre, &loop.fibre);
}

static void wake_turned(void *arg)
{
	wake_all(arg);
}

void task_turn(void)
{
	struct waiters turned = {0};

	loop_defer(wake_turned, &turned);
	wait_shielded(&turned, "the next turn");
}

/* Gives back what lies below sp, but for a margin that is still in use. */
static void trim(const struct task *task, uintptr_t sp)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t bottom = (uintptr_t)task->fibre.bottom;
	uintptr_t top = (sp - TRIM_MARGIN) & ~(page - 1);

	if (top > bottom)
		(void)madvise(stack_bottom(task), top - bottom,
			      MADV_DONTNEED); /* a hint */
}

void task_trim_stack(void)
{
	if (loop.running)
		trim(loop.running, (uintptr_t)__builtin_frame_address(0));
}

bool task_trim_idle(deadline_t since)
{
	bool is_done = true;

	LIST_EACH(&loop.all, link)
	{
		struct task *task = CONTAINER_OF(link, struct task, in_all);

		if (task->is_trimmed || task->state != TASK_WAITING)
			continue;
		if (task->waits_since <= since) {
			trim(task, (uintptr_t)task->fibre.sp);
			task->is_trimmed = true;
		}
		is_done = is_done && task->is_trimmed;
	}
	return is_done;
}
