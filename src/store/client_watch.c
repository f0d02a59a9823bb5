/* Watches: one registration a process and account with the store, many watchers here.  A
 * registration without watchers is taken back when its next event comes. */
#include "store/client.h"

#include "base/mem.h"

static void watch_link(struct store *store, struct store_watch *watch, account_t account)
{
	struct store_watch **first = &store->watches[store_bucket(account)];

	*watch = (struct store_watch){.account = account, .store = store, .next = *first};
	if (*first)
		(*first)->prev = watch;
	*first = watch;
	store_use(store);
}

static bool is_watched(const struct store *store, account_t account)
{
	const struct store_watch *watch = store->watches[store_bucket(account)];

	while (watch && watch->account != account)
		watch = watch->next;
	return watch;
}

static void registration_drop(struct store *store, account_t account)
{
	struct store_request request = {.call = CALL_UNWATCH, .account = account};

	if (account >= QUEUE_BELL(QUEUE_REMOTE)) {
		request.call = CALL_UNWATCH_QUEUE;
		request.queue = (enum queue_kind)(UINT32_MAX - account);
		request.account = ACCOUNT_SYSTEM;
	}
	talk_tell(store, &request);
}

/* Linked before the store is asked, so that a new channel meanwhile knows of it too. */
static enum store_outcome watch_open(struct store *store, struct store_watch *watch,
				     account_t account,
				     const struct store_request *request)
{
	struct talk talk;

	watch_link(store, watch, account);
	talk_begin(&talk, store, TALK_READ);
	enum store_outcome outcome = talk_read(&talk, request);

	talk_end(&talk);
	if (outcome != STORE_OK)
		store_watch_close(watch);
	return outcome;
}

enum store_outcome store_watch_open(struct store *store, struct store_watch *watch,
				    account_t account)
{
	struct store_request request = {.call = CALL_WATCH, .account = account};

	if (account >= QUEUE_BELL(QUEUE_REMOTE))
		return STORE_ABSENT;
	return watch_open(store, watch, account, &request);
}

enum store_outcome store_watch_queue(struct store *store, struct store_watch *watch,
				     enum queue_kind kind)
{
	struct store_request request = {.call = CALL_WATCH_QUEUE};

	request.queue = kind;
	return watch_open(store, watch, QUEUE_BELL(kind), &request);
}

void store_watch_close(struct store_watch *watch)
{
	struct store *store = watch->store;
	account_t account = watch->account;

	if (!store)
		return;
	*(watch->prev ? &watch->prev->next : &store->watches[store_bucket(account)]) =
		watch->next;
	if (watch->next)
		watch->next->prev = watch->prev;
	watch->store = NULL;
	wake_all(&watch->changed);
	if (!is_watched(store, account))
		registration_drop(store, account);
	store_unuse(store);
}

static void ring(struct store_watch *watch)
{
	watch->rings++;
	wake_all(&watch->changed);
	if (watch->also)
		ring(watch->also);
}

static void wake_account(struct store *store, account_t account)
{
	struct store_watch *watch = store->watches[store_bucket(account)];

	for (; watch; watch = watch->next)
		if (watch->account == account)
			ring(watch);
}

void store_wake_watches(struct store *store)
{
	for (size_t i = 0; i < TABLE_BUCKETS; i++)
		for (struct store_watch *w = store->watches[i]; w; w = w->next)
			ring(w);
}

static void on_changed(struct store *store, account_t account)
{
	if (is_watched(store, account))
		wake_account(store, account);
	else
		registration_drop(store, account);
}

void store_on_event(struct store *store, struct str body)
{
	struct arena arena;
	struct store_event event;

	arena_init(&arena, EVENT_ACCOUNTS_MAX * sizeof(account_t));
	store_use(store);
	if (store_dec_event(body, &arena, &event)) {
		for (size_t i = 0; i < event.count; i++)
			on_changed(store, event.accounts[i]);
		if (event.queues & 1u << QUEUE_LOCAL)
			on_changed(store, QUEUE_BELL(QUEUE_LOCAL));
		if (event.queues & 1u << QUEUE_REMOTE)
			on_changed(store, QUEUE_BELL(QUEUE_REMOTE));
	}
	arena_fini(&arena);
	store_unuse(store);
}

/* ---- locks ------------------------------------------------------------------------- */

static struct held_lock *held_lock(struct store *store, account_t account,
				   struct str name)
{
	LIST_EACH(&store->locks, link)
	{
		struct held_lock *held = CONTAINER_OF(link, struct held_lock, in_locks);

		if (held->account == account &&
		    str_same((struct str){held->name, held->name_len}, name))
			return held;
	}
	return NULL;
}

enum store_outcome store_lock(struct store *store, account_t account, struct str name)
{
	struct store_request request = {.call = CALL_LOCK, .account = account};
	struct talk talk;

	if (name.len > LOCK_NAME_MAX)
		return STORE_INVALID;
	if (held_lock(store, account, name))
		return STORE_CONFLICT;
	request.name = name;
	talk_begin(&talk, store, TALK_READ);
	enum store_outcome outcome = talk_read(&talk, &request);

	if (outcome == STORE_OK) {
		struct held_lock *held = NEW(struct held_lock);

		held->account = account;
		held->name_len = name.len;
		if (name.len > 0)
			memcpy(held->name, name.ptr, name.len);
		list_add_last(&store->locks, &held->in_locks);
	}
	talk_end(&talk);
	return outcome;
}

void store_unlock(struct store *store, account_t account, struct str name)
{
	struct store_request request = {.call = CALL_UNLOCK, .account = account};
	struct held_lock *held = held_lock(store, account, name);

	if (!held)
		return;
	list_remove(&store->locks, &held->in_locks);
	mem_free(held);
	request.name = name;
	struct talk talk;

	talk_begin(&talk, store, TALK_READ);
	if (talk_read(&talk, &request) != STORE_OK)
		talk_tell(store, &request); /* we may not wait: so without */
	talk_end(&talk);
}
