/* Commits: the key, the bodies, the repeat.
 *
 * Small bodies are compressed into the request itself.  Bigger ones go to the store's
 * staging area first, in pieces; on a new channel they go again, because the staging area
 * ends with its channel.
 */
#include "store/client.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "rt/clock.h"
#include "store/body_frame.h"

enum {
	INLINE_RAW_MAX = 256 * 1024, /* of all bodies of a commit together */
	KEY_BYTES = 16,
};

const char *queue_cause_text(enum queue_cause cause)
{
	static const char *const texts[CAUSES] = {"none",  "dns",    "connect", "tls",
						  "reply", "policy", "quota",   "other"};

	ASSERT(cause < CAUSES);
	return texts[cause];
}

const char *store_outcome_text(enum store_outcome outcome)
{
	switch (outcome) {
	case STORE_OK:
		return "done";
	case STORE_CONFLICT:
		return "it exists already or has changed meanwhile";
	case STORE_ABSENT:
		return "there is no such thing";
	case STORE_OVER_QUOTA:
		return "the account's quota is used up";
	case STORE_DENIED:
		return "not allowed";
	case STORE_INVALID:
		return "a limit or rule was broken";
	case STORE_DAMAGED:
		return "it is damaged on disk";
	case STORE_FULL:
		return "the disk is full; nothing happened";
	case STORE_UNAVAILABLE:
		return "the store cannot do it now; nothing happened";
	case STORE_UNKNOWN:
		return "lost touch with the store; it may have happened";
	}
	return "unheard of";
}

/* ---- staging ----------------------------------------------------------------------- */

ZSTD_CCtx *store_stager_take(struct store *store)
{
	if (store->stager_count > 0)
		return store->stagers[--store->stager_count];
	ZSTD_CCtx *stager = ZSTD_createCCtx();

	ASSERT(stager);
	return stager;
}

void store_stager_give(struct store *store, ZSTD_CCtx *stager)
{
	if (store->stager_count < SPARE_ZSTD)
		store->stagers[store->stager_count++] = stager;
	else
		ZSTD_freeCCtx(stager);
}

/* A commit on its way, on one channel. */
struct attempt {
	struct talk *talk;
	const struct store_commit *commit;
	uint64_t channel;
	uint64_t *staged; /* per op; NULL: nothing was staged */
	size_t staging;   /* so many of the store's */
};

/* One piece, and its reply: so a slow store slows us.  False ends the attempt; the talk
 * is over then, or its channel is. */
static bool stage_piece(struct attempt *a, uint64_t id, uint64_t offset, struct str bytes)
{
	struct store_request request = {.call = CALL_STAGE};
	struct talk piece;

	request.stage.id = id;
	request.stage.offset = offset;
	request.stage.bytes = bytes;
	talk_begin(&piece, a->talk->store, TALK_READ);
	piece.deadline = a->talk->deadline;
	store_enc_request(&piece.request, &request);
	if (a->talk->store->channel == a->channel && talk_again(&piece))
		talk_exchange(&piece, CALL_STAGE);
	bool is_done = piece.is_over && piece.outcome == STORE_OK;

	if (piece.is_over && !is_done)
		talk_finish(a->talk, piece.outcome);
	talk_end(&piece);
	return is_done;
}

/* The body's frame, piece by piece. */
static bool stage_body(struct attempt *a, uint64_t id, struct str raw)
{
	ZSTD_CCtx *zstd = store_stager_take(a->talk->store);
	char *piece = mem_zeroed(BODY_PAGE_BYTES, 1);
	struct frame_maker maker;
	uint64_t offset = 0;
	bool is_good = true;

	frame_maker_begin(&maker, zstd, raw);
	while (is_good && !maker.is_done) {
		size_t len = frame_make(&maker, piece, BODY_PAGE_BYTES);

		is_good =
			len == 0 || stage_piece(a, id, offset, (struct str){piece, len});
		offset += len;
	}
	frame_maker_end(&maker);
	mem_free(piece);
	store_stager_give(a->talk->store, zstd);
	return is_good;
}

static bool stage_frame(struct attempt *a, uint64_t id, struct str frame)
{
	for (uint64_t offset = 0; frame.len > 0;) {
		struct str piece = str_first(frame, BODY_PAGE_BYTES);

		if (!stage_piece(a, id, offset, piece))
			return false;
		offset += piece.len;
		frame = str_skip(frame, piece.len);
	}
	return true;
}

/* With octets of its own: raw ones, or a frame as it is. */
static const struct store_body *own_body(const struct store_op *op)
{
	const struct store_body *body = NULL;

	if (op->kind == OP_APPEND)
		body = &op->append.body;
	if (op->kind == OP_QUEUE_ADD)
		body = &op->queue_add.body;
	if (!body || body->from_message)
		return NULL;
	return body->raw.len > 0 || body->frame.len > 0 ? body : NULL;
}

/* Waits until no more bodies are staged than one channel may have.  All that a commit
 * needs at once: two that had a part each would wait for ever. */
static bool stage_await(struct attempt *a, size_t inline_max)
{
	struct store *store = a->talk->store;
	size_t sum = 0, count = 0;

	for (size_t i = 0; i < a->commit->count; i++) {
		const struct store_body *body = own_body(&a->commit->ops[i]);

		count += body != NULL;
		sum += body ? num_max(body->frame.len, body->raw.len) : 0;
	}
	if (sum <= inline_max)
		return true;
	while (store->staging > 0 && store->staging + count > STAGED_MAX) {
		if (wait_on(&store->has_staged, a->talk->deadline) == OK)
			continue;
		talk_finish(a->talk, STORE_UNAVAILABLE);
		return false;
	}
	store->staging += count;
	a->staging = count;
	return true;
}

static void stage_end(struct attempt *a)
{
	struct store *store = a->talk->store;

	store->staging -= a->staging;
	if (a->staging > 0)
		wake_all(&store->has_staged);
	a->staging = 0;
}

/* Stages all bodies beyond the first inline_max octets. */
static bool stage_beyond(struct attempt *a, size_t inline_max)
{
	const struct store_commit *commit = a->commit;
	size_t sum = 0;

	if (!stage_await(a, inline_max))
		return false;
	for (size_t i = 0; i < commit->count; i++) {
		const struct store_body *body = own_body(&commit->ops[i]);

		if (!body)
			continue;
		size_t len = body->frame.len ? body->frame.len : body->raw.len;

		if (len <= inline_max - sum) {
			sum += len;
			continue;
		}
		if (!a->staged)
			a->staged = NEW_ARRAY(uint64_t, commit->count);
		a->staged[i] = ++a->talk->store->last_staged;
		if (!(body->frame.len ? stage_frame(a, a->staged[i], body->frame)
				      : stage_body(a, a->staged[i], body->raw)))
			return false;
	}
	return true;
}

/* The store keeps no body that no commit will name. */
static void stage_drop(struct attempt *a)
{
	struct store_request request = {.call = CALL_STAGE_DROP};

	for (size_t i = 0; a->staged && i < a->commit->count; i++) {
		request.stage.id = a->staged[i];
		if (a->staged[i] && a->talk->store->channel == a->channel)
			talk_tell(a->talk->store, &request);
	}
	mem_free(a->staged);
	a->staged = NULL;
}

/* ---- the commit -------------------------------------------------------------------- */

static void attempt_encode(struct attempt *a)
{
	struct talk *talk = a->talk;

	buf_reset(&talk->request);
	store_enc_commit(&talk->request, a->commit, a->staged, talk->store->compress);
}

/* A request too long with its bodies in it may fit without them. */
static bool attempt_prepare(struct attempt *a)
{
	if (!stage_beyond(a, INLINE_RAW_MAX))
		return false;
	attempt_encode(a);
	if (buf_ok(&a->talk->request) || a->staged)
		return true;
	if (!stage_beyond(a, 0))
		return false;
	attempt_encode(a);
	return true;
}

static void attempt_run(struct talk *talk, const struct store_commit *commit)
{
	struct attempt a = {talk, commit, talk->store->channel, NULL, 0};
	bool is_ready = attempt_prepare(&a);

	if (is_ready && talk->store->channel == a.channel)
		talk_exchange(talk, CALL_COMMIT);
	else
		stage_drop(&a);
	stage_end(&a);
	mem_free(a.staged);
}

static bool bodies_fit(const struct store_commit *commit)
{
	for (size_t i = 0; i < commit->count; i++) {
		const struct store_body *body = own_body(&commit->ops[i]);

		if (body && body->raw.len > STORE_BODY_BYTES_MAX)
			return false;
	}
	return commit->count > 0 && commit->count <= COMMIT_OPS_MAX;
}

/* Random for the process, then counted: the keys of a minute stand together in the index,
 * where random ones would cost a page each. */
static void key_make(char key[KEY_BYTES])
{
	static uint64_t count;
	static char process[KEY_BYTES - sizeof count];

	if (count++ == 0)
		rand_bytes(process, sizeof process);
	memcpy(key, process, sizeof process);
	for (size_t i = 0; i < sizeof count; i++)
		key[KEY_BYTES - 1 - i] = (char)(unsigned char)(count >> (8 * i));
}

enum store_outcome store_commit(struct store *store, const struct store_commit *commit,
				struct arena *arena, struct store_result *result)
{
	struct store_commit keyed = *commit;
	char key[KEY_BYTES];
	struct talk talk;

	if (!bodies_fit(commit))
		return STORE_INVALID;
	if (commit->key.len == 0) {
		key_make(key);
		keyed.key = (struct str){key, sizeof key};
		keyed.key_minute = (uint32_t)(clock_s() / 60);
	}
	talk_begin(&talk, store, TALK_COMMIT);
	while (talk_again(&talk))
		attempt_run(&talk, &keyed);
	enum store_outcome outcome = talk.outcome;

	if (result) {
		*result = (struct store_result){0};
		/* What cannot be told may still have happened. */
		if (dec_ok(&talk.dec) && talk.dec.rest.len > 0 &&
		    !store_dec_result(talk_kept(&talk, arena), arena, result) &&
		    outcome == STORE_OK)
			outcome = STORE_UNKNOWN;
	}
	talk_end(&talk);
	return outcome;
}
