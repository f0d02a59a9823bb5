#include "base/test.h"
#include "extract/codec.h"
#include "rt/clock.h"
#include "rt/ipc.h"

/* The other side, as a script: what it does with the documents that come. */
enum play {
	PLAY_TEXT,         /* answers, the text in two pieces */
	PLAY_DIE_AT_FIRST, /* goes before it has the document, once, then answers */
	PLAY_DIE_AT_WHOLE, /* goes when it has it */
	PLAY_NONSENSE,
	PLAY_SILENCE,
};

static struct {
	enum play play;
	struct ipc *ipc;
	struct extract *extract;
	unsigned asked, deaths;
	size_t size, got;
} other;

static void connect_other(void);

static void die(void)
{
	ipc_close(&other.ipc);
	other.deaths++;
	if (other.play == PLAY_DIE_AT_FIRST)
		other.play = PLAY_TEXT;
	connect_other(); /* started again */
}

static void answer(uint64_t id)
{
	SCOPED(buf_fini) struct buf body = BUF(1000);
	const struct extract_answer answer = {{EXTRACT_TEXT, 3, 12, 1}, 10, STR("first")};

	extract_encode_answer(&body, &answer);
	ipc_reply(other.ipc, id, EXTRACT_ANSWER, buf_str(&body), -1);
}

static void serve(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	struct extract_opening opening;

	(void)arg;
	switch (message->type) {
	case EXTRACT_OPEN:
		CHECK(extract_decode_opening(message->body, &opening));
		other.size = opening.size;
		other.got = 0;
		other.asked++;
		if (other.play != PLAY_SILENCE)
			ipc_reply(ipc, message->id,
				  other.play == PLAY_NONSENSE ? 99 : EXTRACT_GO, STR(""),
				  -1);
		break;
	case EXTRACT_PART:
		other.got += message->body.len;
		if (other.play == PLAY_DIE_AT_FIRST ||
		    (other.play == PLAY_DIE_AT_WHOLE && other.got == other.size))
			die();
		else if (other.got == other.size)
			answer(message->id);
		else
			ipc_reply(ipc, message->id, EXTRACT_GO, STR(""), -1);
		break;
	case EXTRACT_MORE:
		ipc_reply(ipc, message->id, EXTRACT_PIECE, STR(" last"), -1);
		break;
	default:
		CHECK(false); /* nothing else is said */
	}
}

static void connect_other(void)
{
	int fds[2];

	CHECK(ipc_pair(fds) == OK);
	other.ipc = ipc_open("other", fds[0], serve, NULL, NULL);
	extract_reconnect(other.extract, fds[1]);
}

static enum extract_outcome ask(size_t size, struct buf *text)
{
	static char octets[EXTRACT_DOCUMENT_MAX + 1];
	const struct extract_bounds bounds = {1000, 100, 1000};
	struct extract_reply reply;

	buf_reset(text);
	CHECK(extract_enter(other.extract, deadline_s(60)));
	extract_ask(other.extract, (struct str){octets, size}, &bounds, deadline_s(60),
		    text, &reply);
	extract_leave(other.extract);
	CHECK(reply.outcome != EXTRACT_TEXT ||
	      (reply.words == 3 && reply.word_bytes == 12));
	return reply.outcome;
}

static void run(void (*first)(void *))
{
	memset(&other, 0, sizeof other);
	clock_test_start(0);
	loop_init();
	other.extract = extract_open(-1);
	CHECK(task_start("first", first, NULL));
	loop_run();
	ipc_close(&other.ipc);
	extract_close(&other.extract);
	loop_fini();
	clock_test_stop();
}

static void ask_for_text(void *arg)
{
	SCOPED(buf_fini) struct buf text = BUF(1000);

	(void)arg;
	connect_other();
	CHECK(ask(1, &text) == EXTRACT_TEXT);
	CHECK_STR(buf_str(&text), STR("first last"));
	CHECK(ask(3 * EXTRACT_PART_BYTES, &text) == EXTRACT_TEXT);
	CHECK(other.got == 3 * EXTRACT_PART_BYTES && other.asked == 2);
	CHECK(ask(EXTRACT_DOCUMENT_MAX + 1, &text) == EXTRACT_TOO_BIG);
	CHECK(ask(0, &text) == EXTRACT_TOO_BIG && other.asked == 2);
	other.play = PLAY_NONSENSE;
	CHECK(ask(1, &text) == EXTRACT_LATER && text.len == 0);
	loop_stop();
}

TEST(documents_go_in_parts_and_their_text_comes_in_pieces)
{
	run(ask_for_text);
}

static void ask_who_dies(void *arg)
{
	SCOPED(buf_fini) struct buf text = BUF(1000);

	(void)arg;
	connect_other();
	other.play = PLAY_DIE_AT_WHOLE;
	CHECK(ask(2 * EXTRACT_PART_BYTES, &text) == EXTRACT_CRASHED && text.len == 0);
	CHECK(other.asked == 1 && other.deaths == 1);
	other.play = PLAY_DIE_AT_FIRST;
	CHECK(ask(2 * EXTRACT_PART_BYTES, &text) == EXTRACT_TEXT);
	CHECK(other.asked == 3 && other.deaths == 2);
	loop_stop();
}

TEST(a_document_that_the_process_died_of_is_not_asked_about_again)
{
	run(ask_who_dies);
}

static void ask_nobody(void *arg)
{
	SCOPED(buf_fini) struct buf text = BUF(1000);
	deadline_t began = loop_now();

	(void)arg;
	CHECK(ask(1, &text) == EXTRACT_LATER);
	CHECK(loop_now() - began == EXTRACT_PATIENCE_S * 1000);
	CHECK(ask(1, &text) == EXTRACT_LATER); /* patience is over */
	CHECK(loop_now() - began == EXTRACT_PATIENCE_S * 1000);
	connect_other();
	CHECK(ask(1, &text) == EXTRACT_TEXT);
	other.play = PLAY_SILENCE;
	CHECK(ask(1, &text) == EXTRACT_LATER);
	loop_stop();
}

TEST(nobody_waits_for_ever_for_the_text_of_a_document)
{
	run(ask_nobody);
}

static unsigned entered;

static void enter_too(void *arg)
{
	(void)arg;
	CHECK(!extract_enter(other.extract, deadline_s(1)));
	CHECK(extract_enter(other.extract, deadline_s(5)));
	entered++;
	extract_leave(other.extract);
	loop_stop();
}

static void enter(void *arg)
{
	(void)arg;
	entered = 0;
	CHECK(extract_enter(other.extract, deadline_s(1)));
	CHECK(task_start("too", enter_too, NULL));
	CHECK(task_sleep_ms(3000) == OK && entered == 0);
	extract_leave(other.extract);
	(void)task_sleep_ms(10);
	CHECK(entered == 1);
}

TEST(one_asks_at_a_time)
{
	run(enter);
}
