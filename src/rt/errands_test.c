#include "rt/errands.h"

#include "base/buf.h"
#include "base/test.h"
#include "rt/clock.h"

/* What the errands of these tests tell when they end, and one of them. */
static struct buf story;

struct worker {
	struct errands *errands;
	const char *word;
	uint64_t waits_ms;
};

static void work(void *arg)
{
	const struct worker *worker = arg;

	if (worker->waits_ms > 0) {
		errands_spread(worker->errands);
		if (task_self() && task_sleep_ms(worker->waits_ms) == ERR_CANCELED)
			buf_add_c(&story, "no ");
	}
	buf_add_c(&story, worker->word);
}

struct team {
	uint64_t waits_ms[3];
	uint64_t took_ms;
	size_t tasks; /* at the end */
	uint64_t canceled_after_ms;
	uint64_t task;
};

static void run_team(void *arg)
{
	struct team *team = arg;
	struct worker workers[3];
	struct errand list[3];
	struct errands errands = {.list = list, .count = COUNT_OF(list)};
	static const char *const words[] = {"a ", "b ", "c "};
	uint64_t before_ms = clock_monotonic_ms();

	for (size_t i = 0; i < COUNT_OF(list); i++) {
		workers[i] = (struct worker){&errands, words[i], team->waits_ms[i]};
		list[i] = (struct errand){.run = work, .arg = &workers[i]};
	}
	if (task_self())
		team->task = task_id(task_self());
	errands_run(&errands);
	team->took_ms = clock_monotonic_ms() - before_ms;
	team->tasks = task_self() ? task_count() : 0;
}

static void cancel_later(void *arg)
{
	const struct team *team = arg;

	CHECK(task_sleep_ms(team->canceled_after_ms) == OK);
	task_cancel(team->task);
}

static void run_first(void *arg)
{
	struct team *team = arg;

	if (team->canceled_after_ms > 0)
		CHECK(task_start("cancel", cancel_later, team));
	run_team(team);
	loop_stop();
}

static void check_team(struct team *team, const char *want)
{
	story = BUF(100);
	clock_test_start(0);
	loop_init();
	CHECK(task_start("team", run_first, team));
	loop_run();
	loop_fini();
	clock_test_stop();
	CHECK_STR(buf_str(&story), str_c(want));
	buf_fini(&story);
}

TEST(errands_that_do_not_wait_are_done_here)
{
	struct team team = {.waits_ms = {0, 0, 0}};

	check_team(&team, "a b c ");
	CHECK(team.took_ms == 0 && team.tasks == 1);
}

TEST(errands_wait_together)
{
	struct team team = {.waits_ms = {300, 100, 200}};

	check_team(&team, "b c a ");
	CHECK(team.took_ms == 300 && team.tasks == 1);
	team = (struct team){.waits_ms = {0, 100, 100}};
	check_team(&team, "a b c ");
	CHECK(team.took_ms == 100);
	team = (struct team){.waits_ms = {100, 0, 0}};
	check_team(&team, "b c a ");
	CHECK(team.took_ms == 100);
	team = (struct team){.waits_ms = {100, 200, 300}};
	check_team(&team, "a b c ");
	CHECK(team.took_ms == 300);
}

/* Its own wait ends, but what lies on its stack is still used. */
TEST(who_is_canceled_waits_for_the_errands)
{
	struct team team = {.waits_ms = {500, 100, 200}, .canceled_after_ms = 50};

	check_team(&team, "no a b c ");
	CHECK(team.took_ms == 200);
}

TEST(errands_without_a_loop_are_done_in_order)
{
	struct team team = {.waits_ms = {300, 100, 200}};

	story = BUF(100);
	run_team(&team);
	CHECK_STR(buf_str(&story), STR("a b c "));
	buf_fini(&story);
}

/* Each of them waits, and has another that would. */
static void run_pair(void *arg)
{
	struct team *team = arg;
	struct errand list[2];
	struct errands errands = {.list = list, .count = COUNT_OF(list)};
	struct worker worker = {&errands, "", 1000};

	for (size_t i = 0; i < COUNT_OF(list); i++)
		list[i] = (struct errand){.run = work, .arg = &worker};
	errands_run(&errands);
	team->took_ms++; /* counts them */
}

static void run_crowd(void *arg)
{
	struct team *team = arg;

	for (size_t i = 0; i < ERRAND_TASKS_MAX + 10; i++)
		CHECK(task_start("pair", run_pair, team));
	CHECK(task_sleep_ms(500) == OK);
	team->tasks = task_count();
	CHECK(task_sleep_ms(3000) == OK);
	loop_stop();
}

TEST(errands_leave_tasks_for_others)
{
	struct team team = {.tasks = 0};

	story = BUF(100);
	clock_test_start(0);
	loop_init();
	CHECK(task_start("crowd", run_crowd, &team));
	loop_run();
	loop_fini();
	clock_test_stop();
	CHECK(team.tasks == 1 + ERRAND_TASKS_MAX + 10 + ERRAND_TASKS_MAX);
	CHECK(team.took_ms == ERRAND_TASKS_MAX + 10);
	buf_fini(&story);
}
