#include "mta/race.h"

#include "base/mem.h"
#include "mta/mta.h"
#include "net/connect.h"

enum { NEXT_AFTER_MS = 250, ADDRESSES_MAX = 20 };

/* Lives until the last racer has ended, who may come in long after the race. */
struct race {
	const struct mta_options *mta;
	struct waiters changed;
	size_t users, under_way;
	bool is_over;
	deadline_t deadline;
	struct conn *winner;
	size_t winner_place;
	bool failed[ADDRESSES_MAX];
	struct racer {
		struct race *race;
		struct address to;
		size_t place;
		uint64_t task;
	} racers[ADDRESSES_MAX];
};

static void race_unref(struct race *race)
{
	if (--race->users == 0)
		mem_free(race);
}

static const struct address *source_for(const struct mta_options *mta,
					const struct address *to)
{
	if (to->socket.ss_family == AF_INET6)
		return mta->has_source6 ? &mta->source6 : NULL;
	return mta->has_source4 ? &mta->source4 : NULL;
}

static err_t connect_one(const struct mta_options *mta, const struct address *to,
			 deadline_t deadline, struct conn **conn)
{
	*conn = NULL;
	if (mta->is_loopback_only && !address_is_loopback(to))
		return ERR_CLOSED;
	return conn_connect(to, source_for(mta, to), deadline, conn);
}

static void run_racer(void *arg)
{
	struct racer *racer = arg;
	struct race *race = racer->race;
	struct conn *conn;
	err_t err = connect_one(race->mta, &racer->to, race->deadline, &conn);

	race->under_way--;
	race->failed[racer->place] = err != OK;
	if (err == OK && !race->is_over && !race->winner) {
		race->winner = conn;
		race->winner_place = racer->place;
	} else
		conn_free(&conn);
	wake_all(&race->changed);
	race_unref(race);
}

static void start(struct race *race, const struct address *to, size_t place)
{
	struct racer *racer = &race->racers[place];

	*racer = (struct racer){.race = race, .to = *to, .place = place};
	struct task *task = task_start("mta connect", run_racer, racer);

	if (!task) {
		race->failed[place] = true;
		return;
	}
	racer->task = task_id(task);
	race->under_way++;
	race->users++;
}

static err_t run(struct race *race, const struct address *at, size_t count, bool *tried)
{
	size_t next = 0;

	for (;;) {
		while (next < count && tried[next])
			next++;
		if (next < count) {
			tried[next] = true;
			start(race, &at[next], next);
			next++;
		}
		if (race->under_way == 0 && next >= count)
			return ERR_CLOSED;
		deadline_t until = next < count ? deadline_ms(NEXT_AFTER_MS) : NEVER;
		err_t err = race->under_way > 0 ? wait_on(&race->changed, until) : OK;

		if (race->winner)
			return OK;
		if (err == ERR_CANCELED)
			return err;
	}
}

err_t race_connect(const struct mta_options *mta, const struct address *at, size_t count,
		   bool *tried, deadline_t deadline, struct race_result *result)
{
	struct race *race = NEW(struct race);

	ASSERT(count <= ADDRESSES_MAX);
	race->mta = mta;
	race->users = 1;
	race->deadline = deadline;
	err_t err = run(race, at, count, tried);

	race->is_over = true;
	for (size_t i = 0; i < count; i++) {
		if (race->racers[i].task != 0)
			task_cancel(race->racers[i].task);
		/* Who had no time to answer may be tried again. */
		if (race->racers[i].task != 0 && i != race->winner_place)
			tried[i] = race->failed[i];
	}
	*result = (struct race_result){race->winner, race->winner_place};
	if (err != OK)
		conn_free(&result->conn);
	race_unref(race);
	return err;
}
