/* One call after the other reaches the store, over as many channels as it takes. */
#include "store/client.h"

static struct buf spare_take(struct store *store, size_t max)
{
	struct buf buf = BUF(0);

	if (store->spare_count > 0)
		buf = store->spares[--store->spare_count];
	buf.max = max;
	return buf;
}

void store_spare_give(struct store *store, struct buf *buf)
{
	if (buf->room == 0 || buf->room > SPARE_BUF_BYTES ||
	    store->spare_count == SPARE_BUFS) {
		buf_fini(buf);
		return;
	}
	buf_reset(buf);
	store->spares[store->spare_count++] = *buf;
	*buf = BUF(0);
}

void talk_begin(struct talk *talk, struct store *store, enum talk_kind kind)
{
	store_use(store);
	*talk = (struct talk){
		.store = store,
		.kind = kind,
		.deadline = deadline_s(CALL_WAIT_S),
		.fd = -1,
		.request = spare_take(store, IPC_BODY_MAX),
		.reply = spare_take(store, IPC_BODY_MAX),
	};
}

void talk_end(struct talk *talk)
{
	struct store *store = talk->store;

	store_spare_give(store, &talk->request);
	store_spare_give(store, &talk->reply);
	store_unuse(store);
}

/* A commit that was sent before may have happened then, whatever kept it from being
 * looked for again. */
void talk_finish(struct talk *talk, enum store_outcome outcome)
{
	bool is_about_now = outcome == STORE_UNAVAILABLE || outcome == STORE_FULL ||
			    outcome == STORE_DENIED;

	if (talk->is_doubtful && is_about_now)
		outcome = STORE_UNKNOWN;
	talk->is_over = true;
	talk->outcome = outcome;
}

/* Nothing has happened, as far as we know. */
static void talk_fail(struct talk *talk)
{
	bool may_have = talk->kind == TALK_COMMIT && talk->was_sent;

	talk_finish(talk, may_have ? STORE_UNKNOWN : STORE_UNAVAILABLE);
}

bool talk_again(struct talk *talk)
{
	struct store *store = talk->store;

	talk->is_doubtful = talk->kind == TALK_COMMIT && talk->was_sent;
	while (!talk->is_over && !store->is_ready) {
		if (store->is_closed || wait_on(&store->ready, talk->deadline) != OK)
			talk_fail(talk);
	}
	if (!talk->is_over && (task_is_canceled() || loop_now() >= talk->deadline))
		talk_fail(talk);
	return !talk->is_over;
}

/* The body of a REPLY_PART. */
struct part {
	uint64_t token, length;
	struct str bytes;
};

static bool part_read(struct str body, struct part *part)
{
	struct dec dec = dec_over(body);

	part->token = dec_u64(&dec);
	part->length = dec_u64(&dec);
	part->bytes = dec.rest;
	return dec_ok(&dec) && part->length <= REPLY_BYTES_MAX && part->bytes.len > 0 &&
	       part->bytes.len <= part->length;
}

/* Fetches what the first part left out; talk->reply becomes the whole. */
static err_t fetch_rest(struct talk *talk, struct ipc *ipc)
{
	uint64_t channel = talk->store->channel;
	struct buf whole = BUF(REPLY_BYTES_MAX);
	struct part part;
	err_t err = OK;

	if (!part_read(buf_str(&talk->reply), &part))
		err = ERR_SYNTAX;
	while (err == OK) {
		struct store_request request = {.call = CALL_REST};
		uint16_t type;

		buf_add(&whole, part.bytes);
		if (whole.len >= part.length)
			break;
		request.rest.token = part.token;
		request.rest.offset = whole.len;
		buf_reset(&talk->request);
		buf_reset(&talk->reply);
		store_enc_request(&talk->request, &request);
		if (channel != talk->store->channel || !talk->store->ipc)
			err = ERR_CLOSED;
		else
			err = ipc_call(ipc, CALL_REST, buf_str(&talk->request), -1,
				       talk->deadline, &type, &talk->reply, NULL);
		if (err == OK &&
		    (type != REPLY_PART || !part_read(buf_str(&talk->reply), &part)))
			err = ERR_SYNTAX;
	}
	if (err == OK) {
		buf_fini(&talk->reply);
		talk->reply = whole;
	} else {
		buf_fini(&whole);
	}
	return err;
}

static void read_outcome(struct talk *talk)
{
	talk->dec = dec_over(buf_str(&talk->reply));
	enum store_outcome outcome =
		(enum store_outcome)dec_var_max(&talk->dec, STORE_UNKNOWN);

	/* After a failed flush the store looks again at what the disk holds; asking once
	 * more with the same key tells. */
	if (outcome == STORE_UNKNOWN && talk->kind == TALK_COMMIT && !talk->had_unknown)
		talk->had_unknown = true;
	else if (dec_ok(&talk->dec))
		talk_finish(talk, outcome);
	else
		talk_fail(talk);
}

void talk_exchange(struct talk *talk, enum store_message call)
{
	struct store *store = talk->store;
	struct ipc *ipc = store->ipc;
	uint64_t channel = store->channel;
	uint16_t type = 0;

	if (!store->is_ready)
		return; /* gone while the request was made */
	if (!buf_ok(&talk->request)) {
		talk_finish(talk, STORE_INVALID);
		return;
	}
	talk->was_sent = true;
	buf_reset(&talk->reply);
	err_t err = ipc_call(ipc, (uint16_t)call, buf_str(&talk->request), talk->fd,
			     talk->deadline, &type, &talk->reply, NULL);

	if (err == OK && type == REPLY_PART)
		err = fetch_rest(talk, ipc);
	if (err == OK)
		read_outcome(talk);
	else if (err != ERR_CLOSED)
		talk_fail(talk);
	else if (store->channel == channel)
		store->is_ready = false; /* whoever notices first */
}

enum store_outcome talk_read(struct talk *talk, const struct store_request *request)
{
	while (talk_again(talk)) {
		buf_reset(&talk->request);
		store_enc_request(&talk->request, request);
		talk_exchange(talk, request->call);
	}
	return talk->outcome;
}

void talk_tell(struct store *store, const struct store_request *request)
{
	struct buf body = BUF(IPC_BODY_MAX);

	store_enc_request(&body, request);
	if (store->ipc && buf_ok(&body)) /* else it ends with the channel anyway */
		(void)ipc_event(store->ipc, (uint16_t)request->call, buf_str(&body), -1);
	buf_fini(&body);
}

struct dec *talk_kept(struct talk *talk, struct arena *arena)
{
	struct str copy;

	if (!arena_copy(arena, talk->dec.rest, &copy))
		talk->dec.failed = true;
	talk->dec.rest = copy;
	return &talk->dec;
}

enum store_outcome talk_read_end(struct talk *talk, bool is_decoded)
{
	enum store_outcome outcome = talk->outcome;

	if (outcome == STORE_OK && !is_decoded)
		outcome = STORE_INVALID; /* the arena's bound */
	talk_end(talk);
	return outcome;
}

bool talk_read_begin(struct talk *talk, struct store *store,
		     const struct store_request *request)
{
	talk_begin(talk, store, TALK_READ);
	return talk_read(talk, request) == STORE_OK;
}
