#include "extractd/extractd.h"

#include "base/test.h"
#include "extract/codec.h"
#include "rt/ipc.h"

/* Two who ask, and the process, in one loop; documents are read by a thread as always. */
static struct extractd *process;
static struct ipc *one, *other;

static struct ipc *connect_to_process(const char *name)
{
	int fds[2];

	CHECK(ipc_pair(fds) == OK);
	extractd_serve(process, fds[0]);
	return ipc_open(name, fds[1], NULL, NULL, NULL);
}

static uint16_t call(struct ipc *ipc, enum extract_message type, struct str body,
		     struct buf *reply)
{
	uint16_t got = 0;

	buf_reset(reply);
	CHECK(ipc_call(ipc, (uint16_t)type, body, -1, deadline_s(30), &got, reply,
		       NULL) == OK);
	return got;
}

static uint16_t open_document(struct ipc *ipc, uint32_t size, struct buf *reply)
{
	SCOPED(buf_fini) struct buf body = BUF(64);

	extract_encode_opening(&body,
			       &(struct extract_opening){size, {1 << 20, 1000, 1 << 20}});
	return call(ipc, EXTRACT_OPEN, buf_str(&body), reply);
}

static enum extract_outcome outcome_of(const struct buf *reply)
{
	struct extract_answer answer = {.reply.outcome = EXTRACT_LATER};

	CHECK(extract_decode_answer(buf_str(reply), &answer));
	return answer.reply.outcome;
}

static void run(void (*first)(void *))
{
	loop_init();
	process = extractd_open();
	one = connect_to_process("one");
	other = connect_to_process("other");
	CHECK(task_start("first", first, NULL));
	loop_run();
	ipc_close(&one);
	ipc_close(&other);
	extractd_close(&process);
	loop_fini();
}

static void say_nonsense(void *arg)
{
	SCOPED(buf_fini) struct buf reply = BUF(EXTRACT_MESSAGE_MAX);

	(void)arg;
	CHECK(call(one, EXTRACT_PART, STR("x"), &reply) == EXTRACT_ANSWER);
	CHECK(outcome_of(&reply) == EXTRACT_LATER);
	CHECK(call(one, EXTRACT_MORE, STR(""), &reply) == EXTRACT_ANSWER);
	CHECK(outcome_of(&reply) == EXTRACT_LATER);
	CHECK(call(one, EXTRACT_OPEN, STR("short"), &reply) == EXTRACT_ANSWER);
	CHECK(call(one, (enum extract_message)99, STR(""), &reply) == EXTRACT_ANSWER);
	CHECK(open_document(one, 3, &reply) == EXTRACT_GO);
	CHECK(call(one, EXTRACT_PART, STR("too much"), &reply) == EXTRACT_ANSWER);
	CHECK(outcome_of(&reply) == EXTRACT_LATER);
	CHECK(open_document(other, 3, &reply) == EXTRACT_GO); /* it is free again */
	CHECK(open_document(other, 4, &reply) == EXTRACT_GO);
	CHECK(call(other, EXTRACT_PART, STR("ab"), &reply) == EXTRACT_GO);
	CHECK(call(other, EXTRACT_PART, STR(""), &reply) == EXTRACT_ANSWER);
	CHECK(outcome_of(&reply) == EXTRACT_LATER);
	CHECK(open_document(one, 3, &reply) == EXTRACT_GO);
	CHECK(call(one, EXTRACT_PART, STR("GIF"), &reply) == EXTRACT_ANSWER);
	CHECK(outcome_of(&reply) == EXTRACT_NONE);
	CHECK(call(one, EXTRACT_MORE, STR(""), &reply) == EXTRACT_ANSWER);
	CHECK(outcome_of(&reply) == EXTRACT_LATER);
	loop_stop();
}

TEST(what_is_said_in_another_order_is_refused)
{
	run(say_nonsense);
}

static unsigned turns;

static void wait_for_turn(void *arg)
{
	SCOPED(buf_fini) struct buf reply = BUF(EXTRACT_MESSAGE_MAX);

	(void)arg;
	CHECK(open_document(other, 3, &reply) == EXTRACT_GO);
	turns++;
	CHECK(call(other, EXTRACT_PART, STR("GIF"), &reply) == EXTRACT_ANSWER);
	loop_stop();
}

static void take_turn(void *arg)
{
	SCOPED(buf_fini) struct buf reply = BUF(EXTRACT_MESSAGE_MAX);

	(void)arg;
	turns = 0;
	CHECK(open_document(one, 3, &reply) == EXTRACT_GO);
	CHECK(task_start("other", wait_for_turn, NULL));
	CHECK(call(one, EXTRACT_PART, STR("GI"), &reply) == EXTRACT_GO);
	for (unsigned i = 0; i < 10; i++)
		task_yield();
	CHECK(turns == 0);
	ipc_close(&one); /* gone in the middle: its turn is over */
}

TEST(there_is_one_document_at_a_time)
{
	run(take_turn);
}
