#include "extractd/extractd.h"

#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "extract/codec.h"
#include "extractd/job.h"
#include "rt/ipc.h"
#include "rt/offload.h"

enum {
	TURN_WAIT_S = 120,
	IDLE_S = 10, /* so long whoever has the turn may be silent */
	LOOK_MS = 50,
	FLUSH_MS = 50,
};

struct channel {
	struct extractd *extractd;
	struct list_link in_all;
	struct ipc *ipc;
	unsigned tasks; /* that use it */
	bool is_gone;
};

struct extractd {
	struct list channels;
	struct channel *holder; /* whose document it is; NULL: there is none */
	struct waiters released, held;
	deadline_t idle_until;
	bool is_running;
	uint64_t began_ms, answer_id; /* of what runs, */
	deadline_t end_by;            /* at the latest */
	struct extract_opening opening;
	struct job job;
	size_t told; /* octets of its text */
};

/* ---- whose turn it is -------------------------------------------------------------- */

static void release(struct extractd *x)
{
	job_clear(&x->job);
	mem_give_back();
	x->holder = NULL;
	wake_all(&x->released);
}

static bool may_hold(const struct extractd *x, const struct channel *channel)
{
	return !x->holder || (x->holder == channel && !x->is_running);
}

static bool hold(struct extractd *x, struct channel *channel)
{
	deadline_t deadline = deadline_s(TURN_WAIT_S);

	while (!channel->is_gone && !may_hold(x, channel)) {
		if (wait_on(&x->released, deadline) != OK)
			return false;
	}
	if (channel->is_gone)
		return false;
	if (x->holder)
		release(x);
	x->holder = channel;
	x->told = 0;
	wake_all(&x->held);
	return true;
}

static void touch(struct extractd *x)
{
	x->idle_until = deadline_s(IDLE_S);
}

/* ---- answers ----------------------------------------------------------------------- */

static void answer(struct channel *channel, uint64_t id,
		   const struct extract_answer *answer)
{
	SCOPED(buf_fini) struct buf body = BUF(EXTRACT_MESSAGE_MAX);

	extract_encode_answer(&body, answer);
	if (!channel->is_gone)
		ipc_reply(channel->ipc, id, EXTRACT_ANSWER, buf_str(&body), -1);
}

static void refuse(struct channel *channel, uint64_t id)
{
	struct extractd *x = channel->extractd;

	if (x->holder == channel && !x->is_running)
		release(x);
	answer(channel, id,
	       &(struct extract_answer){.reply = {.outcome = EXTRACT_LATER}});
}

static void tell(struct channel *channel, uint64_t id, struct str piece, bool is_first)
{
	struct extractd *x = channel->extractd;
	struct extract_answer first = {x->job.reply, (uint32_t)x->job.text.len, piece};

	x->told += piece.len;
	if (is_first)
		answer(channel, id, &first);
	else if (!channel->is_gone)
		ipc_reply(channel->ipc, id, EXTRACT_PIECE, piece, -1);
	if (x->told == x->job.text.len || channel->is_gone)
		release(x);
	else
		touch(x);
}

/* ---- messages ---------------------------------------------------------------------- */

static uint64_t processor_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0)
		return 0;
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void on_open(struct channel *channel, uint64_t id, struct str body)
{
	struct extractd *x = channel->extractd;
	struct extract_opening opening;

	if (!extract_decode_opening(body, &opening) || !hold(x, channel)) {
		refuse(channel, id);
		return;
	}
	x->opening = opening;
	job_begin(&x->job, opening.size, &opening.bounds);
	touch(x);
	ipc_reply(channel->ipc, id, EXTRACT_GO, STR(""), -1);
}

static void on_part(struct channel *channel, uint64_t id, struct str part)
{
	struct extractd *x = channel->extractd;

	if (x->holder != channel || x->is_running || part.len == 0 ||
	    part.len > x->opening.size - x->job.document.len) {
		refuse(channel, id);
		return;
	}
	buf_add(&x->job.document, part);
	touch(x);
	if (x->job.document.len < x->opening.size) {
		ipc_reply(channel->ipc, id, EXTRACT_GO, STR(""), -1);
		return;
	}
	x->answer_id = id;
	x->began_ms = processor_ms();
	x->end_by = deadline_s(EXTRACT_S);
	x->is_running = true;
	offload(job_run, &x->job);
	x->is_running = false;
	x->job.reply.processor_ms = (uint32_t)(processor_ms() - x->began_ms);
	tell(channel, id, str_first(buf_str(&x->job.text), EXTRACT_PART_BYTES), true);
}

static void on_more(struct channel *channel, uint64_t id)
{
	struct extractd *x = channel->extractd;

	if (x->holder != channel || x->is_running || x->told == x->job.text.len) {
		refuse(channel, id);
		return;
	}
	tell(channel, id,
	     str_first(str_skip(buf_str(&x->job.text), x->told), EXTRACT_PART_BYTES),
	     false);
}

static void drop(struct channel *channel)
{
	if (!channel->is_gone || channel->tasks > 0)
		return;
	list_remove(&channel->extractd->channels, &channel->in_all);
	mem_free(channel);
}

static void on_message(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	struct channel *channel = arg;

	(void)ipc;
	if (message->fd >= 0)
		(void)close(message->fd);
	channel->tasks++;
	if (message->type == EXTRACT_OPEN)
		on_open(channel, message->id, message->body);
	else if (message->type == EXTRACT_PART)
		on_part(channel, message->id, message->body);
	else if (message->type == EXTRACT_MORE)
		on_more(channel, message->id);
	else
		refuse(channel, message->id);
	channel->tasks--;
	drop(channel);
}

static void on_gone(struct ipc *ipc, void *arg)
{
	struct channel *channel = arg;
	struct extractd *x = channel->extractd;

	(void)ipc;
	ipc_close(&channel->ipc);
	channel->is_gone = true;
	if (x->holder == channel && !x->is_running)
		release(x);
	wake_all(&x->released); /* its own that wait */
	drop(channel);
}

void extractd_serve(struct extractd *x, int fd)
{
	struct channel *channel = NEW(struct channel);

	channel->extractd = x;
	list_add_last(&x->channels, &channel->in_all);
	channel->ipc = ipc_open("extract channel", fd, on_message, on_gone, channel);
}

/* ---- the watch --------------------------------------------------------------------- */

static bool takes_too_long(const struct extractd *x)
{
	return processor_ms() - x->began_ms > EXTRACT_PROCESSOR_MS ||
	       loop_now() >= x->end_by;
}

/* There is no other way to end a thread that is busy with foreign code. */
static void give_up(struct extractd *x)
{
	LOG(WARN, "document takes too long", KV_INT("bytes", x->job.document.len));
	answer(x->holder, x->answer_id,
	       &(struct extract_answer){.reply = {.outcome = EXTRACT_TOO_LONG,
						  .processor_ms = EXTRACT_PROCESSOR_MS}});
	(void)task_sleep_ms(FLUSH_MS); /* the answer leaves */
	if (x->is_running)
		_exit(EXTRACTD_GAVE_UP);
}

static void watch(void *arg)
{
	struct extractd *x = arg;
	err_t err = OK;

	while (err == OK) {
		if (!x->holder)
			err = wait_on(&x->held, NEVER);
		else
			err = task_sleep_ms(LOOK_MS);
		if (!x->holder)
			continue;
		if (x->is_running && takes_too_long(x))
			give_up(x);
		else if (!x->is_running && loop_now() >= x->idle_until)
			release(x);
	}
	if (x->is_running)
		_exit(0); /* told to end: there is nothing to keep */
}

struct extractd *extractd_open(void)
{
	struct extractd *x = NEW(struct extractd);

	offload_init(1);
	job_init(&x->job);
	ASSERT(task_start("watch", watch, x));
	return x;
}

void extractd_close(struct extractd **extractd)
{
	struct extractd *x = *extractd;

	*extractd = NULL;
	if (!x)
		return;
	offload_fini();
	job_fini(&x->job);
	LIST_EACH(&x->channels, link)
	{
		struct channel *channel = CONTAINER_OF(link, struct channel, in_all);

		ipc_close(&channel->ipc);
		mem_free(channel);
	}
	mem_free(x);
}
