#include "deliverd/deliverd.h"

#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "deliver/codec.h"
#include "deliverd/accept.h"
#include "deliverd/arrivals.h"
#include "policy/hearing.h"
#include "rt/ipc.h"

enum { PARTS_MAX = 2000, MAIL_ARENA_BYTES = 4 * 1024 * 1024 };
/* What is held of requests that come in parts, of all channels. */
#define HELD_BYTES_USUAL ((uint64_t)1 << 30)

struct deliverd {
	struct deliverd_options options;
	struct arrivals *arrivals; /* or NULL */
	uint64_t held_bytes;
};

/* A request whose frame is still to come. */
struct parts {
	struct list_link in_channel;
	uint64_t number;
	struct buf fields, text;
	struct hearing *hearing; /* of the text */
};

struct channel {
	struct deliverd *deliverd;
	struct ipc *ipc; /* NULL when the door is gone */
	size_t users;    /* handlers, and 1 until then */
	struct list parts;
	size_t parts_count;
};

/* ---- parts ------------------------------------------------------------------------- */

static struct parts *parts_find(struct channel *channel, uint64_t number)
{
	LIST_EACH(&channel->parts, link)
	{
		struct parts *parts = CONTAINER_OF(link, struct parts, in_channel);

		if (parts->number == number)
			return parts;
	}
	return NULL;
}

/* From here on they are the caller's. */
static void parts_leave(struct channel *channel, struct parts *parts)
{
	list_remove(&channel->parts, &parts->in_channel);
	channel->parts_count--;
}

static void parts_free(struct deliverd *deliverd, struct parts *parts)
{
	deliverd->held_bytes -= parts->fields.len + parts->text.len;
	buf_fini(&parts->fields);
	buf_fini(&parts->text);
	hearing_free(&parts->hearing);
	mem_free(parts);
}

static void parts_drop(struct channel *channel, struct parts *parts)
{
	parts_leave(channel, parts);
	parts_free(channel->deliverd, parts);
}

static struct parts *parts_new(struct channel *channel, uint64_t number)
{
	if (channel->parts_count == PARTS_MAX)
		return NULL;
	struct parts *parts = NEW(struct parts);

	parts->number = number;
	parts->fields = BUF(DELIVER_FIELDS_MAX);
	parts->text = BUF(DELIVER_TEXT_MAX);
	list_add_last(&channel->parts, &parts->in_channel);
	channel->parts_count++;
	return parts;
}

static bool parts_add(struct deliverd *deliverd, struct parts *parts, bool is_fields,
		      struct str octets)
{
	struct buf *buf = is_fields ? &parts->fields : &parts->text;

	if (octets.len > deliverd->options.held_bytes_max - deliverd->held_bytes)
		return false;
	buf_add(buf, octets);
	if (!buf_ok(buf))
		return false;
	deliverd->held_bytes += octets.len;
	if (!is_fields)
		hearing_go_on(&deliverd->options.policy, buf_str(buf), &parts->hearing);
	return true;
}

static enum deliver_message take_part(struct channel *channel, struct str body)
{
	struct dec dec = dec_over(body);
	uint64_t number = dec_u64(&dec);
	bool is_fields = dec_var_max(&dec, 1) == 1;
	uint64_t before = dec_u64(&dec);
	struct parts *parts = parts_find(channel, number);

	if (!dec_ok(&dec) || number == 0 || dec.rest.len == 0)
		return DELIVER_MALFORMED;
	if (!parts && before == 0 && !(parts = parts_new(channel, number)))
		return DELIVER_FULL;
	if (!parts || before != (is_fields ? parts->fields.len : parts->text.len))
		return DELIVER_MALFORMED;
	return parts_add(channel->deliverd, parts, is_fields, dec.rest) ? DELIVER_TAKEN
									: DELIVER_FULL;
}

static void drop_parts(struct channel *channel, struct str body)
{
	struct dec dec = dec_over(body);
	struct parts *parts = parts_find(channel, dec_u64(&dec));

	if (parts)
		parts_drop(channel, parts);
}

/* ---- requests ---------------------------------------------------------------------- */

/* What a door hands over, once it is whole. */
struct whole {
	struct str fields, text;
	struct hearing *hearing; /* of the text as it came; NULL: of none yet */
};

static enum deliver_message serve_mail(struct deliverd *deliverd,
				       const struct whole *whole, struct arena *arena,
				       struct buf *reply)
{
	struct deliver_mail mail;

	if (!deliver_decode_mail(whole->fields, whole->text, arena, &mail))
		return DELIVER_MALFORMED;
	size_t count = deliver_answers(&mail);
	struct deliver_answer *answers = NEW_ARRAY(struct deliver_answer, count);

	if (accept_mail(&deliverd->options, &mail, whole->hearing, arena, answers))
		arrivals_offer(deliverd->arrivals, &mail);
	deliver_encode_answers(reply, answers, count);
	ASSERT(buf_ok(reply)); /* all texts are ours, and short */
	mem_free(answers);
	return DELIVER_ANSWERS;
}

static enum deliver_message serve_report(struct deliverd *deliverd,
					 const struct whole *whole, struct arena *arena,
					 struct buf *reply)
{
	struct deliver_report report;

	if (!deliver_decode_report(whole->fields, whole->text, arena, &report))
		return DELIVER_MALFORMED;
	enc_u8(reply, accept_report(&deliverd->options, &report, arena));
	return DELIVER_REPORTED;
}

static enum deliver_message do_request(struct deliverd *deliverd, uint16_t type,
				       const struct whole *whole, struct buf *reply)
{
	bool is_mail = type == DELIVER_MAIL;
	struct arena arena;

	arena_init(&arena,
		   is_mail ? MAIL_ARENA_BYTES : DELIVER_ARENA_BYTES + REPORT_ARENA_MAX);
	enum deliver_message done =
		is_mail ? serve_mail(deliverd, whole, &arena, reply)
			: serve_report(deliverd, whole, &arena, reply);

	arena_fini(&arena);
	return done;
}

/* A request that is whole with this frame. */
static enum deliver_message take_request(struct channel *channel, uint16_t type,
					 struct str body, struct buf *reply)
{
	struct deliverd *deliverd = channel->deliverd;
	struct dec dec = dec_over(body);
	uint64_t number = dec_u64(&dec);
	struct str fields = dec_bytes(&dec, dec_u32(&dec));
	struct parts *parts = number == 0 ? NULL : parts_find(channel, number);
	enum deliver_message done = DELIVER_FULL;

	if (!dec_ok(&dec) || (number != 0 && !parts))
		return DELIVER_MALFORMED;
	if (!parts) {
		const struct whole whole = {fields, dec.rest, NULL};

		return do_request(deliverd, type, &whole, reply);
	}
	parts_leave(channel, parts); /* which may end meanwhile */
	if (parts_add(deliverd, parts, true, fields) &&
	    parts_add(deliverd, parts, false, dec.rest)) {
		const struct whole whole = {buf_str(&parts->fields),
					    buf_str(&parts->text), parts->hearing};

		done = do_request(deliverd, type, &whole, reply);
	}
	parts_free(deliverd, parts);
	return done;
}

static void serve(struct channel *channel, struct ipc *ipc,
		  const struct ipc_message *message)
{
	SCOPED(buf_fini) struct buf reply = BUF(DELIVER_ANSWERS_BYTES);
	enum deliver_message done = DELIVER_MALFORMED;

	switch (message->type) {
	case DELIVER_PART:
		done = take_part(channel, message->body);
		break;
	case DELIVER_DROP:
		drop_parts(channel, message->body);
		break;
	case DELIVER_MAIL:
	case DELIVER_REPORT:
		done = take_request(channel, message->type, message->body, &reply);
		break;
	default: /* a number from outside, no enum */
		break;
	}
	if (message->id != 0)
		ipc_reply(ipc, message->id, (uint16_t)done, buf_str(&reply), -1);
}

/* ---- channels ---------------------------------------------------------------------- */

static void channel_unref(struct channel *channel)
{
	if (--channel->users > 0)
		return;
	LIST_EACH(&channel->parts, link)
	parts_drop(channel, CONTAINER_OF(link, struct parts, in_channel));
	mem_free(channel);
}

static void on_message(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	struct channel *channel = arg;

	if (message->fd >= 0)
		(void)close(message->fd); /* doors send none */
	if (!ipc_is_open(ipc))            /* the door has gone, and arg may be gone */
		return;
	channel->users++;
	serve(channel, ipc, message);
	channel_unref(channel);
}

static void on_gone(struct ipc *ipc, void *arg)
{
	struct channel *channel = arg;

	(void)ipc; /* the channel has only this one */
	ipc_close(&channel->ipc);
	channel_unref(channel);
}

void deliverd_serve(struct deliverd *deliverd, int fd)
{
	struct channel *channel = NEW(struct channel);

	channel->deliverd = deliverd;
	channel->users = 1;
	channel->ipc = ipc_open("deliver channel", fd, on_message, on_gone, channel);
}

struct deliverd *deliverd_open(const struct deliverd_options *options)
{
	struct deliverd *deliverd = NEW(struct deliverd);

	deliverd->options = *options;
	if (options->held_bytes_max == 0)
		deliverd->options.held_bytes_max = HELD_BYTES_USUAL;
	deliverd->arrivals =
		arrivals_open(options->policy.directory, options->report_address);
	return deliverd;
}

void deliverd_close(struct deliverd **deliverd)
{
	if (*deliverd) /* NULL if it never began */
		arrivals_close(&(*deliverd)->arrivals);
	mem_free(*deliverd);
	*deliverd = NULL;
}
