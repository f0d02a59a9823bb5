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
	LAST_FIELDS_BYTES = 128 * 1024, /* beside a part of the text */
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
	struct buf fields;
	struct str text;
	struct deliver_ahead *ahead; /* of the text, or NULL */
	struct buf *reply;
	deadline_t connect_until, until;
	bool was_sent; /* the other side may have acted */
};

/* How it ended, if not with an answer. */
enum ending { ENDED_ANSWERED, ENDED_LATER, ENDED_FULL, ENDED_UNSURE };

/* On the channel that the request began on: its parts end with it. */
static err_t say(const struct deliver_ahead *way, enum deliver_message type,
		 struct buf *frame, struct str more, deadline_t until,
		 uint16_t *reply_type, struct buf *reply)
{
	struct deliver *deliver = way->deliver;

	if (deliver->channel != way->channel || !deliver->ipc)
		return ERR_CLOSED;
	buf_reset(reply);
	return ipc_call_two(deliver->ipc, (uint16_t)type, buf_str(frame), more, until,
			    reply_type, reply);
}

/* Parts of the text or of the fields, until as much is left as fits into the last frame.
 * Each has a reply: so a slow other side slows us. */
static err_t send_parts(struct deliver_ahead *way, struct str octets, bool is_fields,
			deadline_t until, uint16_t *reply_type)
{
	size_t left_max = is_fields ? LAST_FIELDS_BYTES : DELIVER_PART_BYTES;
	SCOPED(buf_fini) struct buf frame = BUF(FRAME_BYTES);
	SCOPED(buf_fini) struct buf reply = BUF(FRAME_BYTES);
	size_t *sent = is_fields ? &way->fields : &way->text;

	*reply_type = DELIVER_TAKEN;
	while (octets.len - *sent > left_max) {
		struct str part = str_first(str_skip(octets, *sent), DELIVER_PART_BYTES);

		buf_reset(&frame);
		enc_u64(&frame, way->number);
		enc_u8(&frame, is_fields);
		enc_u64(&frame, *sent);
		TRY(say(way, DELIVER_PART, &frame, part, until, reply_type, &reply));
		if (*reply_type != DELIVER_TAKEN)
			return OK;
		*sent += part.len;
	}
	return OK;
}

static void drop_parts(const struct deliver_ahead *way)
{
	struct deliver *deliver = way->deliver;
	struct buf body = BUF(8);

	enc_u64(&body, way->number);
	if (deliver->channel == way->channel && deliver->ipc)
		(void)ipc_event(deliver->ipc, DELIVER_DROP, buf_str(&body),
				-1); /* else they end with the channel */
	buf_fini(&body);
}

void deliver_ahead_drop(struct deliver_ahead *ahead)
{
	if (ahead->deliver && !ahead->is_lost)
		drop_parts(ahead);
	*ahead = (struct deliver_ahead){.is_lost = true};
}

void deliver_ahead(struct deliver *deliver, struct deliver_ahead *ahead, struct str text)
{
	uint16_t reply_type;

	if (ahead->is_lost || text.len - ahead->text <= DELIVER_PART_BYTES)
		return;
	if (!ahead->deliver)
		*ahead = (struct deliver_ahead){.deliver = deliver,
						.channel = deliver->channel,
						.number = ++deliver->last_number};
	if (send_parts(ahead, text, false, deadline_s(CONNECT_WAIT_S), &reply_type) !=
		    OK ||
	    reply_type != DELIVER_TAKEN)
		deliver_ahead_drop(ahead);
}

/* Where the request goes on: behind what went ahead on this channel, or from its start.
 */
static struct deliver_ahead way_of(struct request *r)
{
	struct deliver *deliver = r->deliver;
	struct deliver_ahead way = {.deliver = deliver, .channel = deliver->channel};

	if (r->ahead && r->ahead->deliver && !r->ahead->is_lost &&
	    r->ahead->channel == way.channel)
		way = *r->ahead;
	else if (r->fields.len + r->text.len > DELIVER_PART_BYTES)
		way.number = ++deliver->last_number;
	if (r->ahead)
		*r->ahead = (struct deliver_ahead){.is_lost = true};
	return way;
}

/* All but what fits into one frame. */
static err_t send_most(const struct request *r, struct deliver_ahead *way,
		       uint16_t *reply_type)
{
	struct str fields = buf_str(&r->fields);

	TRY(send_parts(way, r->text, false, r->until, reply_type));
	if (*reply_type != DELIVER_TAKEN)
		return OK;
	return send_parts(way, fields, true, r->until, reply_type);
}

static err_t attempt(struct request *r, uint16_t *reply_type)
{
	SCOPED(buf_fini) struct buf frame = BUF(FRAME_BYTES);
	struct deliver_ahead way = way_of(r);

	if (way.number != 0) {
		err_t err = send_most(r, &way, reply_type);

		if (err != OK || *reply_type != DELIVER_TAKEN) {
			drop_parts(&way);
			return err;
		}
	}
	struct str fields = str_skip(buf_str(&r->fields), way.fields);

	enc_u64(&frame, way.number);
	enc_u32(&frame, (uint32_t)fields.len);
	buf_add(&frame, fields);
	r->was_sent = true;
	return say(&way, r->type, &frame, str_skip(r->text, way.text), r->until,
		   reply_type, r->reply);
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

	if (!buf_ok(&r->fields) || r->text.len > DELIVER_TEXT_MAX)
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
			    .ahead = mail->ahead,
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
