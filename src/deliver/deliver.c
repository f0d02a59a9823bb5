#include "deliver/deliver.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "deliver/codec.h"
#include "rt/ipc.h"

enum {
	CONNECT_WAIT_S = 30, /* while nothing was handed over yet */
	/* Then until it is known what came of it: the other side asks the store for 300
	 * s, and clients wait 600 s (RFC 5321 §4.5.3.2.6). */
	ANSWER_WAIT_S = 330,
	FRAME_BYTES = DELIVER_PART_BYTES + 64,
};

struct deliver {
	struct ipc *ipc;  /* NULL while there is no deliverd process */
	uint64_t channel; /* counts channels */
	uint64_t last_number;
	struct waiters connected;
};

static void on_gone(struct ipc *ipc, void *arg)
{
	struct deliver *deliver = arg;

	if (deliver->ipc == ipc)
		ipc_close(&deliver->ipc);
}

struct deliver *deliver_open(int fd)
{
	struct deliver *deliver = NEW(struct deliver);

	if (fd >= 0)
		deliver_reconnect(deliver, fd);
	return deliver;
}

void deliver_close(struct deliver **deliver)
{
	if (!*deliver)
		return;
	ipc_close(&(*deliver)->ipc);
	mem_free(*deliver);
	*deliver = NULL;
}

void deliver_reconnect(struct deliver *deliver, int fd)
{
	ipc_close(&deliver->ipc);
	deliver->ipc = ipc_open("deliver", fd, NULL, on_gone, deliver);
	deliver->channel++;
	wake_all(&deliver->connected);
}

/* ---- one request ------------------------------------------------------------------- */

struct request {
	struct deliver *deliver;
	enum deliver_message type;
	struct buf fields; /* and behind them */
	struct str text;
	struct buf *reply;
	deadline_t connect_until, until;
	bool was_sent; /* the other side may have acted */
};

/* How it ended, if not with an answer. */
enum ending { ENDED_ANSWERED, ENDED_LATER, ENDED_FULL, ENDED_UNSURE };

static size_t request_len(const struct request *r)
{
	return r->fields.len + r->text.len;
}

/* The next len octets from `at` on: those of the fields are added to frame, the rest is
 * more. */
static struct str request_slice(const struct request *r, size_t at, size_t len,
				struct buf *frame)
{
	size_t in_fields = at < r->fields.len ? num_min(len, r->fields.len - at) : 0;

	buf_add(frame, str_first(str_skip(buf_str(&r->fields), at), in_fields));
	return str_first(str_skip(r->text, at + in_fields - r->fields.len),
			 len - in_fields);
}

/* On the channel that the request began on: its parts end with it. */
static err_t say(struct request *r, uint64_t channel, enum deliver_message type,
		 struct buf *frame, struct str more, uint16_t *reply_type)
{
	struct deliver *deliver = r->deliver;

	if (deliver->channel != channel || !deliver->ipc)
		return ERR_CLOSED;
	buf_reset(r->reply);
	return ipc_call_two(deliver->ipc, (uint16_t)type, buf_str(frame), more, r->until,
			    reply_type, r->reply);
}

/* Each part has a reply: so a slow other side slows us. */
static err_t send_parts(struct request *r, uint64_t channel, uint64_t number,
			struct buf *frame, size_t *sent, uint16_t *reply_type)
{
	size_t all = request_len(r);

	while (all - *sent > DELIVER_PART_BYTES) {
		buf_reset(frame);
		enc_u64(frame, number);
		enc_u64(frame, all);
		enc_u64(frame, *sent);
		struct str more = request_slice(r, *sent, DELIVER_PART_BYTES, frame);

		TRY(say(r, channel, DELIVER_PART, frame, more, reply_type));
		if (*reply_type != DELIVER_TAKEN)
			return OK;
		*sent += DELIVER_PART_BYTES;
	}
	return OK;
}

static void drop_parts(struct request *r, uint64_t channel, uint64_t number)
{
	struct deliver *deliver = r->deliver;
	struct buf body = BUF(8);

	enc_u64(&body, number);
	if (deliver->channel == channel && deliver->ipc)
		(void)ipc_event(deliver->ipc, DELIVER_DROP, buf_str(&body),
				-1); /* else they end with the channel */
	buf_fini(&body);
}

static err_t attempt(struct request *r, uint16_t *reply_type)
{
	SCOPED(buf_fini) struct buf frame = BUF(FRAME_BYTES);
	uint64_t channel = r->deliver->channel, number = 0;
	size_t sent = 0;

	if (request_len(r) > DELIVER_PART_BYTES) {
		number = ++r->deliver->last_number;
		*reply_type = DELIVER_TAKEN;
		err_t err = send_parts(r, channel, number, &frame, &sent, reply_type);

		if (err != OK)
			drop_parts(r, channel, number);
		if (err != OK || *reply_type != DELIVER_TAKEN)
			return err;
	}
	buf_reset(&frame);
	enc_u64(&frame, number);
	struct str more = request_slice(r, sent, request_len(r) - sent, &frame);

	r->was_sent = true;
	return say(r, channel, r->type, &frame, more, reply_type);
}

static enum ending ending_of(uint16_t reply_type, enum deliver_message wanted)
{
	if (reply_type == wanted)
		return ENDED_ANSWERED;
	return reply_type == DELIVER_FULL ? ENDED_FULL : ENDED_LATER;
}

/* To one process after the other, until one answers. */
static enum ending hand_over(struct request *r, enum deliver_message wanted)
{
	struct deliver *deliver = r->deliver;
	uint16_t reply_type = 0;

	if (!buf_ok(&r->fields) || request_len(r) > DELIVER_REQUEST_MAX)
		return ENDED_LATER;
	r->until = deadline_s(ANSWER_WAIT_S);
	r->connect_until = deadline_s(CONNECT_WAIT_S);
	for (;;) {
		bool is_again = r->was_sent;
		err_t err = OK;

		while (err == OK && (!deliver->ipc || !ipc_is_open(deliver->ipc)))
			err = wait_on(&deliver->connected,
				      is_again ? r->until : r->connect_until);
		if (err == OK && is_again && r->type == DELIVER_MAIL)
			r->fields.ptr[0] = 1; /* is_again */
		if (err == OK)
			err = attempt(r, &reply_type);
		enum ending ending = ending_of(reply_type, wanted);

		if (err == OK) /* if it was sent before, only an answer tells */
			return is_again && ending != ENDED_ANSWERED ? ENDED_UNSURE
								    : ending;
		if (err != ERR_CLOSED)
			return r->was_sent ? ENDED_UNSURE : ENDED_LATER;
	}
}

/* ---- calls ------------------------------------------------------------------------- */

static void answer_all(struct deliver_answer *answers, size_t count, unsigned code,
		       const char *enhanced, struct str text)
{
	for (size_t i = 0; i < count; i++) {
		answers[i] = (struct deliver_answer){.code = code, .text = text};
		(void)snprintf(answers[i].enhanced, sizeof answers[i].enhanced, "%s",
			       enhanced);
	}
}

void deliver_mail(struct deliver *deliver, const struct deliver_mail *mail,
		  struct arena *arena, struct deliver_answer *answers)
{
	SCOPED(buf_fini) struct buf reply = BUF(DELIVER_ANSWERS_BYTES);
	size_t count = deliver_answers(mail);
	struct request r = {.deliver = deliver,
			    .type = DELIVER_MAIL,
			    .fields = BUF(DELIVER_FIELDS_MAX),
			    .text = mail->text,
			    .reply = &reply};

	deliver_encode_mail(&r.fields, mail);
	enum ending ending = hand_over(&r, DELIVER_ANSWERS);

	if (ending == ENDED_ANSWERED &&
	    !deliver_decode_answers(buf_str(&reply), arena, answers, count))
		ending = ENDED_UNSURE;
	switch (ending) {
	case ENDED_ANSWERED:
		break;
	case ENDED_LATER:
		answer_all(answers, count, 451, "4.3.0",
			   STR("We cannot take the message now; try again in a minute"));
		break;
	case ENDED_FULL:
		answer_all(answers, count, 452, "4.3.1",
			   STR("No room just now; try again later"));
		break;
	case ENDED_UNSURE:
		answer_all(answers, count, 0, "", STR(""));
		break;
	}
	if (ending != ENDED_ANSWERED)
		LOG(WARN, "mail not handed over", KV_STR("queue_id", mail->id),
		    KV_INT("session", mail->session), KV_INT("code", answers[0].code));
	buf_fini(&r.fields);
}

bool deliver_report(struct deliver *deliver, const struct deliver_report *report)
{
	SCOPED(buf_fini) struct buf reply = BUF(DELIVER_ANSWERS_BYTES);
	struct request r = {.deliver = deliver,
			    .type = DELIVER_REPORT,
			    .fields = BUF(DELIVER_FIELDS_MAX),
			    .text = report->header,
			    .reply = &reply};

	deliver_encode_report(&r.fields, report);
	bool is_done = hand_over(&r, DELIVER_REPORTED) == ENDED_ANSWERED &&
		       str_same(buf_str(&reply), STR("\1"));

	buf_fini(&r.fields);
	return is_done;
}
