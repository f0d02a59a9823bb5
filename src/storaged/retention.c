/* Expunges what was saved too long ago, in commits like everybody's: they are in the log,
 * whoever has the mailbox open is told, and the messages can be brought back for as long
 * as any that were expunged. */
#include "base/log.h"
#include "rt/clock.h"
#include "rt/offload.h"
#include "storaged/state.h"

enum {
	FIRST_MS = 5 * 60 * 1000, /* after the start, when the doors have their share */
	ROUND_MS = 6 * 60 * 60 * 1000,
	STEP_MS = 50, /* between two steps of a round */
	RESULT_BYTES = 64 * 1024,
};

struct step {
	const struct storaged_options *options;
	int64_t now;
	struct retention_walk walk;
	enum store_outcome outcome;
};

static void step_now(void *arg)
{
	struct step *step = arg;

	step->outcome =
		storage_retention(step->options->storage, &step->options->retention,
				  step->now, &step->walk);
}

static enum store_outcome expunge(struct storaged *storaged,
				  const struct retention_walk *walk)
{
	struct store_op op = {
		.kind = OP_EXPUNGE,
		.expunge = {.mailbox = walk->mailbox, .uids = {&walk->uids, 1}}};
	struct store_commit asked = {.account = walk->account, .ops = &op, .count = 1};
	SCOPED(arena_fini) struct arena arena;
	struct storage_commit commit = {.commit = &asked, .arena = &arena};

	arena_init(&arena, RESULT_BYTES);
	writer_upkeep(storaged->writer, &commit);
	/* The mailbox was deleted meanwhile: so much the better. */
	if (commit.outcome == STORE_ABSENT)
		return STORE_OK;
	if (commit.outcome == STORE_OK) {
		events_commit(storaged, &asked);
		LOG(INFO, "messages expired", KV_INT("account", walk->account),
		    KV_INT("mailbox", walk->mailbox), KV_INT("messages", walk->count));
	}
	return commit.outcome;
}

void retention_round(struct storaged *storaged, int64_t now)
{
	struct step step = {.options = &storaged->options, .now = now};

	do {
		offload(step_now, &step);
		if (step.outcome == STORE_OK && step.walk.count > 0)
			step.outcome = expunge(storaged, &step.walk);
	} while (step.outcome == STORE_OK && !step.walk.is_over &&
		 task_sleep_ms(STEP_MS) == OK);
}

static void run(void *arg)
{
	struct storaged *storaged = arg;

	for (err_t err = task_sleep_ms(FIRST_MS); err == OK;
	     err = task_sleep_ms(ROUND_MS))
		retention_round(storaged, clock_s());
	storaged->retention_task = 0;
	if (storaged->retention_ended)
		completion_post(storaged->retention_ended);
}

void retention_start(struct storaged *storaged)
{
	struct task *task = task_start("store retention", run, storaged);

	if (task)
		storaged->retention_task = task_id(task);
	else
		LOG(ERROR, "nothing will expire", KV("reason", "too many tasks"));
}

void retention_stop(struct storaged *storaged)
{
	struct completion ended;

	if (storaged->retention_task == 0)
		return;
	completion_init(&ended);
	storaged->retention_ended = &ended;
	task_cancel(storaged->retention_task);
	completion_wait(&ended);
}
