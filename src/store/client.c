/* The channel: opened, lost, opened again; and what must be presented on each. */
#include "store/client.h"

#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "rt/clock.h"
#include "store/grant.h"

/* ---- life -------------------------------------------------------------------------- */

void store_use(struct store *store)
{
	store->users++;
}

static void give_spares(void *arg)
{
	struct store *store = arg;

	while (store->spare_count > 0)
		buf_fini(&store->spares[--store->spare_count]);
	while (store->stager_count > 0)
		ZSTD_freeCCtx(store->stagers[--store->stager_count]);
	while (store->reader_count > 0)
		ZSTD_freeDCtx(store->readers[--store->reader_count]);
}

static void store_free(struct store *store)
{
	for (size_t i = 0; i < TABLE_BUCKETS; i++) {
		LIST_EACH(&store->entries[i], link)
		mem_free(CONTAINER_OF(link, struct entry, in_bucket));
		ASSERT(!store->watches[i]); /* they would point to nothing */
	}
	LIST_EACH(&store->locks, link)
	mem_free(CONTAINER_OF(link, struct held_lock, in_locks));
	LIST_EACH(&store->visits, link)
	mem_free(CONTAINER_OF(link, struct visit, in_visits));
	loop_off_rest(&store->at_rest);
	give_spares(store);
	ZSTD_freeCCtx(store->compress);
	mem_free(store);
}

void store_unuse(struct store *store)
{
	ASSERT(store->users > 0);
	if (--store->users == 0)
		store_free(store);
}

struct store *store_open(int fd)
{
	struct store *store = NEW(struct store);

	store->users = 1;
	store->compress = ZSTD_createCCtx();
	ASSERT(store->compress);
	store->at_rest = (struct at_rest){.give = give_spares, .arg = store};
	loop_on_rest(&store->at_rest);
	if (fd >= 0)
		store_reconnect(store, fd);
	return store;
}

static void channel_lose(struct store *store)
{
	store->is_ready = false;
	store->channel++;
	ipc_close(&store->ipc);
}

void store_close(struct store **store)
{
	if (!*store)
		return;
	struct store *s = *store;

	*store = NULL;
	s->is_closed = true;
	channel_lose(s);
	wake_all(&s->ready);
	store_unuse(s);
}

/* ---- a new channel ----------------------------------------------------------------- */

/* What has to be presented, as it was when the channel came: the tables may change while
 * we wait for replies. */
struct greeting {
	struct store *store;
	uint64_t channel;
	struct buf bodies; /* of requests, one after the other */
	struct request_at {
		enum store_message call;
		account_t account;
		uint32_t generation; /* of the grant */
		size_t from, to;
	} * requests;
	size_t count, room;
};

static void greeting_add(struct greeting *g, const struct store_request *request)
{
	size_t from = g->bodies.len;

	store_enc_request(&g->bodies, request);
	MEM_ROOM(g->requests, g->count, g->room);
	g->requests[g->count++] = (struct request_at){
		request->call, request->account,
		request->call == CALL_ENTER ? grant_generation(request->grant) : 0, from,
		g->bodies.len};
}

static void greet_watches(struct greeting *g, const struct store_watch *first)
{
	for (const struct store_watch *w = first; w; w = w->next) {
		struct store_request request = {.call = CALL_WATCH,
						.account = w->account};

		if (w->account >= QUEUE_BELL(QUEUE_REMOTE)) {
			request.call = CALL_WATCH_QUEUE;
			request.queue = (enum queue_kind)(UINT32_MAX - w->account);
			request.account = ACCOUNT_SYSTEM;
		}
		greeting_add(g, &request);
	}
}

static void greeting_fill(struct greeting *g)
{
	struct store *store = g->store;

	for (size_t i = 0; i < TABLE_BUCKETS; i++)
		LIST_EACH(&store->entries[i], link)
		{
			struct entry *entry = CONTAINER_OF(link, struct entry, in_bucket);
			struct store_request request = {.call = CALL_ENTER,
							.account = entry->account};

			request.grant = (struct str){entry->grant, entry->grant_len};
			if (entry->grant_len > 0)
				greeting_add(g, &request);
		}
	LIST_EACH(&store->visits, link)
	{
		struct visit *visit = CONTAINER_OF(link, struct visit, in_visits);
		struct store_request request = {.call = CALL_VISIT,
						.account = visit->account};

		request.visit.owner = visit->owner;
		request.visit.number = visit->number;
		greeting_add(g, &request);
	}
	for (size_t i = 0; i < TABLE_BUCKETS; i++)
		greet_watches(g, store->watches[i]);
	LIST_EACH(&store->locks, link)
	{
		struct held_lock *held = CONTAINER_OF(link, struct held_lock, in_locks);
		struct store_request request = {.call = CALL_LOCK,
						.account = held->account};

		request.name = (struct str){held->name, held->name_len};
		greeting_add(g, &request);
	}
}

static bool is_denied(struct str reply)
{
	struct dec dec = dec_over(reply);

	return dec_var_max(&dec, STORE_UNKNOWN) == STORE_DENIED && dec_ok(&dec);
}

static void tell_ended(struct store *store, account_t account, uint32_t generation)
{
	if (store->ended)
		store->ended(account, generation);
}

/* One request after the other; what the store refuses now, its users will notice.  There
 * is no other channel to come while this one stands, so it waits as long as it takes. */
static err_t greeting_say(struct greeting *g)
{
	struct store *store = g->store;
	struct buf reply = BUF(IPC_BODY_MAX);
	err_t err = OK;

	for (size_t i = 0; i < g->count && err == OK; i++) {
		struct request_at *at = &g->requests[i];
		struct str body = {g->bodies.ptr + at->from, at->to - at->from};
		uint16_t type;

		buf_reset(&reply);
		err = ipc_call(store->ipc, (uint16_t)at->call, body, -1, NEVER, &type,
			       &reply, NULL);
		if (store->channel != g->channel)
			err = ERR_CLOSED;
		if (err == OK && at->call == CALL_ENTER && is_denied(buf_str(&reply)))
			tell_ended(store, at->account, at->generation + 1);
	}
	buf_fini(&reply);
	return err;
}

/* Accounts that were left while we presented them. */
static void greeting_sweep(struct greeting *g)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct request_at *at = &g->requests[i];
		struct store_request request = {.call = CALL_LEAVE,
						.account = at->account};

		if (at->call == CALL_ENTER && !store_entry(g->store, at->account))
			talk_tell(g->store, &request);
	}
}

static void greet(void *arg)
{
	struct store *store = arg;
	struct greeting greeting = {
		.store = store, .channel = store->channel, .bodies = BUF(SIZE_MAX)};
	err_t err = ERR_CLOSED;

	if (store->ipc) {
		greeting_fill(&greeting);
		err = greeting_say(&greeting);
	}
	if (err == OK && store->ipc) {
		greeting_sweep(&greeting);
		store->is_ready = true;
		wake_all(&store->ready);
		store_wake_watches(store);
	} else if (err != ERR_CLOSED && store->channel == greeting.channel) {
		LOG(ERROR, "store does not answer", KV("error", err_text(err)));
		channel_lose(store); /* whoever made the channel sees its end */
	}
	buf_fini(&greeting.bodies);
	mem_free(greeting.requests);
	store_unuse(store);
}

/* ---- the channel's own events ------------------------------------------------------ */

static void on_message(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	if (message->fd >= 0)
		(void)close(message->fd); /* the store sends none */
	/* Once we closed it, arg may be gone. */
	struct store_ended ended;

	if (!ipc_is_open(ipc) || message->id != 0)
		return;
	if (message->type == EVENT_CHANGED)
		store_on_event(arg, message->body);
	if (message->type == EVENT_ENDED && store_dec_ended(message->body, &ended))
		tell_ended(arg, ended.account, ended.generation);
}

static void on_gone(struct ipc *ipc, void *arg)
{
	struct store *store = arg;

	if (store->ipc == ipc)
		channel_lose(store);
}

void store_reconnect(struct store *store, int fd)
{
	channel_lose(store);
	store->ipc = ipc_open("store", fd, on_message, on_gone, store);
	store_use(store);
	if (task_start("store greeting", greet, store))
		return;
	LOG(ERROR, "too many tasks to greet the store");
	channel_lose(store);
	store_unuse(store);
}

/* ---- grants ------------------------------------------------------------------------ */

void store_on_ended(struct store *store,
		    void (*ended)(account_t account, uint32_t generation))
{
	store->ended = ended;
}

struct entry *store_entry(struct store *store, account_t account)
{
	LIST_EACH(&store->entries[store_bucket(account)], link)
	{
		struct entry *entry = CONTAINER_OF(link, struct entry, in_bucket);

		if (entry->account == account)
			return entry;
	}
	return NULL;
}

enum store_outcome store_enter(struct store *store, account_t account, struct str grant)
{
	struct store_request request = {.call = CALL_ENTER, .account = account};
	struct entry *entry = store_entry(store, account);
	struct talk talk;

	if (grant.len > GRANT_BYTES_MAX)
		return STORE_DENIED;
	if (!entry) {
		entry = NEW(struct entry);
		entry->account = account;
		list_add_last(&store->entries[store_bucket(account)], &entry->in_bucket);
	}
	entry->count++; /* now nobody else's leaving takes it away under us */
	request.grant = grant;
	talk_begin(&talk, store, TALK_READ);
	enum store_outcome outcome = talk_read(&talk, &request);

	if (outcome == STORE_OK) {
		memcpy(entry->grant, grant.ptr, grant.len);
		entry->grant_len = grant.len;
	} else {
		store_leave(store, account);
	}
	talk_end(&talk);
	return outcome;
}

void store_leave(struct store *store, account_t account)
{
	struct store_request request = {.call = CALL_LEAVE, .account = account};
	struct entry *entry = store_entry(store, account);

	ASSERT(entry && entry->count > 0);
	if (--entry->count > 0)
		return;
	list_remove(&store->entries[store_bucket(account)], &entry->in_bucket);
	explicit_bzero(entry->grant, sizeof entry->grant);
	mem_free(entry);
	talk_tell(store, &request);
}

struct str store_grant(struct store *store, account_t account)
{
	const struct entry *entry = store_entry(store, account);

	return entry ? (struct str){entry->grant, entry->grant_len} : STR("");
}

/* ---- visits ------------------------------------------------------------------------ */

static struct visit *visit_of(struct store *store, account_t number)
{
	LIST_EACH(&store->visits, link)
	{
		struct visit *visit = CONTAINER_OF(link, struct visit, in_visits);

		if (visit->number == number)
			return visit;
	}
	return NULL;
}

/* The queues' bells are above all visits.  Only once all numbers were given can one be in
 * use still. */
static account_t new_number(struct store *store)
{
	do {
		store->last_visit = (store->last_visit + 1) & (ACCOUNT_VISITS / 2 - 1);
		store->has_given_all |= store->last_visit == 0;
	} while (store->has_given_all &&
		 visit_of(store, ACCOUNT_VISITS | store->last_visit));
	return ACCOUNT_VISITS | store->last_visit;
}

/* Listed before the store is asked, so that a new channel meanwhile knows of it too. */
enum store_outcome store_visit(struct store *store, account_t account, account_t owner,
			       account_t *number)
{
	struct store_request request = {.call = CALL_VISIT, .account = account};
	struct visit *visit = NEW(struct visit);
	struct talk talk;

	*number = new_number(store);
	*visit = (struct visit){.number = *number, .account = account, .owner = owner};
	list_add_last(&store->visits, &visit->in_visits);
	request.visit.owner = owner;
	request.visit.number = *number;
	talk_begin(&talk, store, TALK_READ);
	enum store_outcome outcome = talk_read(&talk, &request);

	talk_end(&talk);
	if (outcome != STORE_OK)
		store_visit_end(store, *number);
	return outcome;
}

void store_visit_end(struct store *store, account_t number)
{
	struct visit *visit = visit_of(store, number);
	struct store_request request = {.call = CALL_VISIT_END};

	ASSERT(visit);
	request.account = visit->account;
	request.visit.owner = visit->owner;
	request.visit.number = number;
	list_remove(&store->visits, &visit->in_visits);
	mem_free(visit);
	talk_tell(store, &request);
}
