/* Events are dirty bits: one a guest and account, sent when the guest's channel takes
 * them.  Nothing here waits for a guest, and nothing piles up for a slow one. */
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "storaged/state.h"

/* Takes up to EVENT_ACCOUNTS_MAX dirty seats. */
static void take_dirty(struct guest *guest, account_t *accounts,
		       struct store_event *event)
{
	*event = (struct store_event){guest->dirty_queues, accounts, 0};
	guest->dirty_queues = 0;
	while (event->count < EVENT_ACCOUNTS_MAX && !list_is_empty(&guest->dirty)) {
		struct seat *seat = CONTAINER_OF(list_take_first(&guest->dirty),
						 struct seat, in_dirty);

		seat->is_dirty = false;
		accounts[event->count++] = seat->number;
	}
}

static bool is_dirty(const struct guest *guest)
{
	return guest->ipc && (guest->dirty_queues || !list_is_empty(&guest->dirty));
}

/* Runs while the guest has dirty seats; suspends when its channel is full. */
static void send_events(void *arg)
{
	struct guest *guest = arg;
	struct arena arena;
	struct buf body = BUF(IPC_BODY_MAX);

	arena_init(&arena, EVENT_ACCOUNTS_MAX * sizeof(account_t));
	while (is_dirty(guest)) {
		struct store_event event;

		arena_reset(&arena);
		buf_reset(&body);
		take_dirty(guest, ARENA_ARRAY(&arena, account_t, EVENT_ACCOUNTS_MAX),
			   &event);
		store_enc_event(&body, &event);
		if (ipc_event(guest->ipc, EVENT_CHANGED, buf_str(&body), -1) != OK)
			break; /* gone, or we are */
	}
	arena_fini(&arena);
	buf_fini(&body);
	guest->has_events_task = false;
	guest_unref(guest);
}

static void guest_wake(struct guest *guest)
{
	if (guest->has_events_task || !guest->ipc)
		return;
	guest_ref(guest);
	guest->has_events_task = task_start("store events", send_events, guest);
	if (!guest->has_events_task)
		guest_unref(guest); /* the bits stay; the next commit tries again */
}

static void mark_account(struct storaged *storaged, account_t account)
{
	size_t bucket = hash64_number(account) & (SEAT_BUCKETS - 1);

	LIST_EACH(&storaged->seats[bucket], link)
	{
		struct seat *seat = CONTAINER_OF(link, struct seat, in_bucket);

		if (seat->account != account || !seat->is_watched || seat->is_dirty)
			continue;
		seat->is_dirty = true;
		list_add_last(&seat->guest->dirty, &seat->in_dirty);
		guest_wake(seat->guest);
	}
}

void events_queue(struct storaged *storaged, unsigned queues)
{
	LIST_EACH(&storaged->guests, link)
	{
		struct guest *guest = CONTAINER_OF(link, struct guest, in_all);

		if (!(guest->watched_queues & queues))
			continue;
		guest->dirty_queues |= guest->watched_queues & queues;
		guest_wake(guest);
	}
}

static void mark_queues(struct storaged *storaged, const struct op_queue_add *op)
{
	unsigned queues = 0;

	for (size_t i = 0; i < op->count; i++)
		queues |= 1u << op->recipients[i].kind;
	events_queue(storaged, queues);
}

void events_commit(struct storaged *storaged, const struct store_commit *commit)
{
	bool is_changed = false;

	for (size_t i = 0; i < commit->count; i++) {
		const struct store_op *op = &commit->ops[i];

		if (op->kind == OP_QUEUE_ADD)
			mark_queues(storaged, &op->queue_add);
		else if (op->kind == OP_QUEUE_CHANGE)
			events_queue(storaged, 1u << QUEUE_LOCAL | 1u << QUEUE_REMOTE);
		else if (op->kind != OP_QUEUE_SETTLE && op->kind != OP_RECENT &&
			 op->kind != OP_KEY_FORGET)
			is_changed = true;
	}
	if (!is_changed)
		return;
	mark_account(storaged, commit->account);
	indexing_mark(storaged, commit->account);
}

struct ended_note {
	struct guest *guest;
	struct store_ended ended;
};

static void send_ended(void *arg)
{
	struct ended_note *note = arg;
	struct guest *guest = note->guest;
	struct buf body = BUF(64);

	store_enc_ended(&body, &note->ended);
	if (guest->ipc)
		(void)ipc_event(guest->ipc, EVENT_ENDED, buf_str(&body), -1);
	/* Who is gone presents its grants again, and hears it then. */
	buf_fini(&body);
	mem_free(note);
	guest_unref(guest);
}

void events_ended(struct guest *guest, account_t account, uint32_t generation)
{
	struct ended_note *note = NEW(struct ended_note);

	*note = (struct ended_note){guest, {account, generation}};
	guest_ref(guest);
	if (task_start("store ended", send_ended, note))
		return;
	LOG(WARN, "door not told of revocation", KV_INT("account", account));
	mem_free(note);
	guest_unref(guest);
}
