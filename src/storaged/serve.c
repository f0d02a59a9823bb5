/* One request of a guest: decode, ask the gate, do, reply. */
#include <unistd.h>

#include "base/log.h"
#include "rt/clock.h"
#include "rt/offload.h"
#include "storaged/state.h"

enum { RESULT_ARENA_BYTES = 24 * 1024 * 1024 };

/* ---- the gate's questions ---------------------------------------------------------- */

static bool is_granted(void *arg, account_t account, enum grant_right right)
{
	return seat_allows(arg, account, right);
}

static bool is_leased_row(void *arg, account_t account, uint64_t row)
{
	return lease_of_row(arg, account, row);
}

static bool is_leased_message(void *arg, account_t account, uint64_t message)
{
	return lease_of_message(arg, account, message) ||
	       indexing_has(arg, account, message);
}

/* Between this and what is done nothing may suspend where visitors are concerned: what
 * their rights were is no answer to what they are. */
static enum store_outcome judge(struct guest *guest, const struct store_request *request)
{
	struct gate_view view = {
		guest->role,       guest,        is_granted, is_leased_row,
		is_leased_message, visit_rights, visit_sees};
	enum store_outcome outcome = STORE_UNAVAILABLE;

	if (!visit_concerns(request) || visit_catch_up(guest, request))
		outcome = gate_judge(&view, request);
	if (outcome == STORE_OK || request->visitor != 0)
		return outcome; /* a visitor who may not is no sign of a break-in */
	LOG(WARN, "refused by the gate", KV_INT("channel", guest->id),
	    KV_INT("role", guest->role), KV_INT("call", request->call),
	    KV_INT("account", request->account));
	return outcome;
}

/* ---- calls ------------------------------------------------------------------------- */

static void settle_leases(struct guest *guest, const struct store_commit *commit)
{
	for (size_t i = 0; i < commit->count; i++)
		if (commit->ops[i].kind == OP_QUEUE_SETTLE)
			leases_settle(guest, commit->account, &commit->ops[i].settle);
}

static bool shares(const struct store_commit *commit)
{
	for (size_t i = 0; i < commit->count; i++)
		if (commit->ops[i].kind == OP_ACL)
			return true;
	return false;
}

static void serve_commit(struct guest *guest, struct store_request *request,
			 struct arena *arena, uint64_t id)
{
	struct storage_commit commit = {.commit = &request->commit, .arena = arena};
	struct buf reply = BUF(REPLY_BYTES_MAX);
	struct borrowed borrowed;

	arena->max = RESULT_ARENA_BYTES; /* decoded; now it is for the result */
	commit.outcome = staging_borrow(guest, &request->commit, &borrowed);
	if (commit.outcome == STORE_OK && visit_concerns(request))
		commit.outcome = judge(guest, request); /* rights may have gone */
	if (commit.outcome == STORE_OK && shares(&request->commit))
		share_commit(guest, &commit);
	else if (commit.outcome == STORE_OK)
		writer_commit(guest->storaged->writer, &commit);
	enc_u8(&reply, (uint8_t)commit.outcome);
	store_enc_result(&reply, &commit.result);
	reply_send(guest, id, &reply);
	buf_fini(&reply);
	if (commit.outcome == STORE_OK) {
		settle_leases(guest, &request->commit);
		events_commit(guest->storaged, &request->commit);
	}
	staging_release(&borrowed);
}

struct read_call {
	struct storage *storage;
	const struct store_request *request;
	struct buf *reply;
	bool misses; /* a body */
};

static void read_now(void *arg)
{
	struct read_call *call = arg;

	call->misses = serve_read(call->storage, call->request, call->reply);
}

/* One look-up in the index, whose pages are in memory unless the machine is short of it:
 * 0.6 us here, 4 us of CPU and twenty of waiting through a thread; and each arriving mail
 * costs a few.  Whatever may read a pack or many pages goes to a thread. */
static bool is_quick(enum store_message call)
{
	return call == CALL_KV_GET || call == CALL_SUMMARY || call == CALL_MAILBOX;
}

static bool is_behind(const struct read_call *call)
{
	account_t account = call->request->account;

	switch (call->request->call) {
	case CALL_MAILBOX: /* a list may be late to tell what is recent */
		if (storage_is_behind(call->storage, account, STORAGE_RECENT))
			return true;
		return storage_is_behind(call->storage, account, STORAGE_MAIL);
	case CALL_MAILBOXES:
	case CALL_SUMMARY:
	case CALL_ROWS:
	case CALL_CHANGES:
	case CALL_EXPUNGED:
	case CALL_SEARCH:
		return storage_is_behind(call->storage, account, STORAGE_MAIL);
	case CALL_KV_GET:
	case CALL_KV_SCAN:
		return storage_is_behind(call->storage, account, STORAGE_PAIRS);
	case CALL_QUEUE_LIST:
	case CALL_QUEUE_COUNTS:
		return storage_is_behind(call->storage, account, STORAGE_QUEUE);
	case CALL_STATS:
		return storage_is_behind(call->storage, account, STORAGE_ALL);
	case CALL_BODY: /* never changes: only who misses it need wait */
	case CALL_BODIES:
	case CALL_ENTER:
	case CALL_LEAVE:
	case CALL_COMMIT:
	case CALL_QUEUE_LEASE:
	case CALL_LOCK:
	case CALL_UNLOCK:
	case CALL_WATCH:
	case CALL_UNWATCH:
	case CALL_WATCH_QUEUE:
	case CALL_UNWATCH_QUEUE:
	case CALL_STAGE:
	case CALL_STAGE_DROP:
	case CALL_REST:
	case CALL_VISIT:
	case CALL_VISIT_END:
	case CALL_BACKUP_BEGIN:
	case CALL_BACKUP_END:
	case CALL_INDEX_TAKE:
	case CALL_INDEX_PUT:
	case CALL_INDEX_STATE:
	case CALL_INDEX_RENEW:
	case CALL_COUNT_:
	case EVENT_CHANGED:
	case EVENT_ENDED:
	case REPLY_WHOLE:
	case REPLY_PART:
		break;
	}
	return false;
}

static void read_somewhere(struct read_call *call)
{
	if (is_quick(call->request->call) && call->request->visitor == 0)
		read_now(call);
	else
		offload(read_now, call);
}

/* What was acknowledged is seen: the task, not the loop, waits for the index. */
static void serve_reading(struct guest *guest, const struct store_request *request,
			  uint64_t id)
{
	struct buf reply = BUF(REPLY_BYTES_MAX);
	struct read_call call = {guest->storaged->options.storage, request, &reply,
				 false};

	if (is_behind(&call)) {
		writer_catch_up(guest->storaged->writer);
		enum store_outcome outcome =
			request->visitor == 0 ? STORE_OK : judge(guest, request);

		if (outcome != STORE_OK)
			return reply_only(guest, id, outcome);
	}
	/* Asked before we look: the index may come up to date between look and question.
	 */
	bool may_miss = (request->call == CALL_BODY || request->call == CALL_BODIES) &&
			storage_is_behind(call.storage, request->account, STORAGE_ALL);

	read_somewhere(&call);
	if (may_miss && call.misses) {
		writer_catch_up(guest->storaged->writer);
		buf_reset(&reply);
		read_somewhere(&call);
	}
	reply_send(guest, id, &reply);
	buf_fini(&reply);
}

/* Doors tell the time; what is due, and until when it may be held, is by our clock. */
static void bound_lease(const struct guest *guest, struct storage_lease *call)
{
	int64_t now = clock_s();

	if (guest->role == GATE_CTL)
		return;
	if (call->now > now)
		call->now = now;
	if (call->leased_until > now + LEASE_S_MAX)
		call->leased_until = now + LEASE_S_MAX;
}

static void serve_lease(struct guest *guest, const struct store_request *request,
			struct arena *arena, uint64_t id)
{
	struct storage_lease call = {.kind = request->lease.kind,
				     .now = request->lease.now,
				     .leased_until = request->lease.leased_until,
				     .limit = request->lease.limit,
				     .arena = arena};
	struct buf reply = BUF(REPLY_BYTES_MAX);

	bound_lease(guest, &call);
	if (!leases_have_room(guest, call.limit)) {
		reply_only(guest, id, STORE_UNAVAILABLE);
		return;
	}
	arena->max = RESULT_ARENA_BYTES;
	writer_lease(guest->storaged->writer, &call);
	enc_u8(&reply, (uint8_t)call.outcome);
	if (call.outcome == STORE_OK) {
		leases_add(guest, call.rows, call.count, call.leased_until);
		if (!guest->ipc) /* it has left meanwhile */
			leases_release(guest);
		enc_u64(&reply, (uint64_t)call.next_due);
		store_enc_queue_rows(&reply, call.rows, call.count);
	}
	reply_send(guest, id, &reply);
	buf_fini(&reply);
}

/* What needs nothing but the loop's own tables. */
static enum store_outcome serve_here(struct guest *guest,
				     const struct store_request *request)
{
	switch (request->call) {
	case CALL_ENTER:
		return seat_enter(guest, request->account, request->grant);
	case CALL_LEAVE:
		seat_leave(guest, request->account);
		break;
	case CALL_LOCK:
		return lock_take(guest, request->account, request->name);
	case CALL_UNLOCK:
		lock_give(guest, request->account, request->name);
		break;
	case CALL_WATCH:
	case CALL_UNWATCH:
		seat_watch(guest, request->visitor ? request->number : request->account,
			   request->call == CALL_WATCH);
		break;
	case CALL_VISIT:
		return visit_begin(guest, request);
	case CALL_VISIT_END:
		seat_end_visit(guest, request->visit.number);
		break;
	case CALL_WATCH_QUEUE:
		guest->watched_queues |= 1u << request->queue;
		break;
	case CALL_UNWATCH_QUEUE:
		guest->watched_queues &= ~(1u << request->queue);
		break;
	case CALL_STAGE:
		return staging_add(guest, request->stage.id, request->stage.offset,
				   request->stage.bytes);
	case CALL_STAGE_DROP:
		staging_drop(guest, request->stage.id);
		break;
	case CALL_COMMIT:
	case CALL_SUMMARY:
	case CALL_MAILBOXES:
	case CALL_MAILBOX:
	case CALL_ROWS:
	case CALL_CHANGES:
	case CALL_BODY:
	case CALL_BODIES:
	case CALL_KV_GET:
	case CALL_KV_SCAN:
	case CALL_QUEUE_LEASE:
	case CALL_QUEUE_LIST:
	case CALL_EXPUNGED:
	case CALL_QUEUE_COUNTS:
	case CALL_REST:
	case CALL_STATS:
	case CALL_BACKUP_BEGIN:
	case CALL_BACKUP_END:
	case CALL_SEARCH:
	case CALL_INDEX_TAKE:
	case CALL_INDEX_PUT:
	case CALL_INDEX_STATE:
	case CALL_INDEX_RENEW:
	case CALL_COUNT_:
	case EVENT_CHANGED:
	case EVENT_ENDED:
	case REPLY_WHOLE:
	case REPLY_PART:
		return STORE_INVALID;
	}
	return STORE_OK;
}

static void dispatch(struct guest *guest, struct store_request *request,
		     struct arena *arena, uint64_t id)
{
	switch (request->call) {
	case CALL_COMMIT:
		return serve_commit(guest, request, arena, id);
	case CALL_QUEUE_LEASE:
		return serve_lease(guest, request, arena, id);
	case CALL_REST:
		return reply_rest(guest, id, request->rest.token, request->rest.offset);
	case CALL_SUMMARY:
	case CALL_MAILBOXES:
	case CALL_MAILBOX:
	case CALL_ROWS:
	case CALL_CHANGES:
	case CALL_BODY:
	case CALL_BODIES:
	case CALL_KV_GET:
	case CALL_KV_SCAN:
	case CALL_QUEUE_LIST:
	case CALL_EXPUNGED:
	case CALL_QUEUE_COUNTS:
	case CALL_STATS:
	case CALL_SEARCH:
	case CALL_INDEX_STATE:
		return serve_reading(guest, request, id);
	case CALL_INDEX_TAKE:
		return indexing_take(guest, arena, id);
	case CALL_INDEX_PUT:
		return reply_only(guest, id,
				  indexing_put(guest, request->account, &request->done));
	case CALL_INDEX_RENEW:
		return reply_only(guest, id, indexing_renew(guest->storaged));
	case CALL_BACKUP_BEGIN:
		return backup_begin(guest, request->fd, arena, id);
	case CALL_BACKUP_END:
		return reply_only(guest, id, backup_end(guest));
	case CALL_ENTER:
	case CALL_LEAVE:
	case CALL_LOCK:
	case CALL_UNLOCK:
	case CALL_WATCH:
	case CALL_UNWATCH:
	case CALL_WATCH_QUEUE:
	case CALL_UNWATCH_QUEUE:
	case CALL_STAGE:
	case CALL_STAGE_DROP:
	case CALL_VISIT:
	case CALL_VISIT_END:
	case CALL_COUNT_:
	case EVENT_CHANGED:
	case EVENT_ENDED:
	case REPLY_WHOLE:
	case REPLY_PART:
		break;
	}
	reply_only(guest, id, serve_here(guest, request));
}

static void serve_decoded(struct guest *guest, struct store_request *request,
			  struct arena *arena, uint64_t id)
{
	void (*note)(const struct store_request *, bool) = guest->storaged->options.note;
	enum store_outcome outcome = visit_enter(guest, request, arena);

	if (outcome == STORE_OK)
		outcome = judge(guest, request);
	if (outcome != STORE_OK) {
		reply_only(guest, id, outcome);
		return;
	}
	if (note)
		note(request, true);
	dispatch(guest, request, arena, id);
	if (note)
		note(request, false);
}

static void serve_message(struct guest *guest, const struct ipc_message *message)
{
	struct arena arena;
	struct store_request request;

	if (guest->users > BUSY_MAX ||
	    guest->busy_bytes + message->body.len > BUSY_BYTES_MAX) {
		reply_only(guest, message->id, STORE_UNAVAILABLE);
		return;
	}
	guest->busy_bytes += message->body.len;
	arena_init(&arena, REQUEST_ARENA_BYTES);
	if (store_dec_request(message->type, message->body, &arena, &request)) {
		request.fd = message->fd;
		serve_decoded(guest, &request, &arena, message->id);
	} else {
		reply_only(guest, message->id, STORE_INVALID);
	}
	arena_fini(&arena);
	guest->busy_bytes -= message->body.len;
}

void serve(struct guest *guest, const struct ipc_message *message)
{
	serve_message(guest, message);
	if (message->fd >= 0)
		(void)close(message->fd); /* its owner sees to what was written */
}
