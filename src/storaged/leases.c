/* The queue rows a guest has under lease: only these may it deliver from and settle. */
#include "base/hash.h"
#include "base/mem.h"
#include "rt/clock.h"
#include "storaged/state.h"

enum { LEASE_GRACE_S = 60 }; /* the store itself refuses a stale lease */

static size_t bucket_of(uint64_t number)
{
	return hash64_number(number) & (LEASE_BUCKETS - 1);
}

static void lease_free(struct leases *leases, struct lease *lease)
{
	list_remove(&leases->rows[bucket_of(lease->row)], &lease->by_row);
	list_remove(&leases->messages[bucket_of(lease->message)], &lease->by_message);
	list_remove(&leases->ages, &lease->by_age);
	leases->count--;
	mem_free(lease);
}

static struct lease *find_row(struct leases *leases, account_t account, uint64_t row)
{
	LIST_EACH(&leases->rows[bucket_of(row)], link)
	{
		struct lease *lease = CONTAINER_OF(link, struct lease, by_row);

		if (lease->row == row && lease->account == account)
			return lease;
	}
	return NULL;
}

bool leases_have_room(const struct guest *guest, size_t count)
{
	return !guest->leases || guest->leases->count + count <= LEASES_MAX;
}

static void forget_expired(struct leases *leases)
{
	int64_t now = clock_s();

	while (!list_is_empty(&leases->ages)) {
		struct lease *oldest =
			CONTAINER_OF(leases->ages.first, struct lease, by_age);

		if (oldest->until + LEASE_GRACE_S > now)
			break;
		lease_free(leases, oldest);
	}
}

void leases_add(struct guest *guest, const struct queue_row *rows, size_t count,
		int64_t until)
{
	if (!guest->leases)
		guest->leases = NEW(struct leases);
	struct leases *leases = guest->leases;

	forget_expired(leases);
	for (size_t i = 0; i < count; i++) {
		struct lease *lease = find_row(leases, rows[i].account, rows[i].row);

		if (lease) /* its lease had expired, and it took it again */
			lease_free(leases, lease);
		lease = NEW(struct lease);
		lease->account = rows[i].account;
		lease->row = rows[i].row;
		lease->message = rows[i].message;
		lease->number = rows[i].lease;
		lease->until = until;
		list_add_last(&leases->rows[bucket_of(lease->row)], &lease->by_row);
		list_add_last(&leases->messages[bucket_of(lease->message)],
			      &lease->by_message);
		list_add_last(&leases->ages, &lease->by_age);
		leases->count++;
	}
}

void leases_settle(struct guest *guest, account_t account,
		   const struct op_queue_settle *op)
{
	struct lease *lease =
		guest->leases ? find_row(guest->leases, account, op->row) : NULL;

	if (!lease)
		return;
	if (op->outcome != QUEUE_PROLONG) {
		lease_free(guest->leases, lease);
		return;
	}
	int64_t latest = clock_s() + LEASE_S_MAX;

	lease->until = op->due_at < latest ? op->due_at : latest;
	list_remove(&guest->leases->ages, &lease->by_age);
	list_add_last(&guest->leases->ages, &lease->by_age);
}

bool lease_of_row(struct guest *guest, account_t account, uint64_t row)
{
	return guest->leases && find_row(guest->leases, account, row);
}

bool lease_of_message(struct guest *guest, account_t account, uint64_t message)
{
	if (!guest->leases)
		return false;
	LIST_EACH(&guest->leases->messages[bucket_of(message)], link)
	{
		struct lease *lease = CONTAINER_OF(link, struct lease, by_message);

		/* Once it has ended another may have delivered the row and forgotten its
		 * key: then a late append would be a second copy. */
		if (lease->message == message && lease->account == account &&
		    clock_s() < lease->until)
			return true;
	}
	return false;
}

void leases_drop(struct guest *guest)
{
	if (!guest->leases)
		return;
	LIST_EACH(&guest->leases->ages, link)
	lease_free(guest->leases, CONTAINER_OF(link, struct lease, by_age));
	mem_free(guest->leases);
	guest->leases = NULL;
}

/* Up to SOME, whosever they are; they leave the list at once. */
static void release_some(struct guest *guest)
{
	enum { SOME = 256 };
	struct leases *leases = guest->leases;
	struct arena arena;
	size_t count = 0;

	arena_init(&arena, REQUEST_ARENA_BYTES);
	struct store_op *ops = ARENA_ARRAY(&arena, struct store_op, SOME);
	struct store_commit *given = ARENA_ARRAY(&arena, struct store_commit, SOME);
	struct storage_commit *commits = ARENA_ARRAY(&arena, struct storage_commit, SOME);

	LIST_EACH(&leases->ages, link)
	{
		struct lease *lease = CONTAINER_OF(link, struct lease, by_age);

		if (count == SOME)
			break;
		given[count] = (struct store_commit){
			.account = lease->account, .ops = &ops[count], .count = 1};
		ops[count].kind = OP_QUEUE_SETTLE;
		ops[count++].settle = (struct op_queue_settle){.row = lease->row,
							       .lease = lease->number,
							       .outcome = QUEUE_RELEASE,
							       .due_at = clock_s()};
		lease_free(leases, lease);
	}
	/* Each alone: a row that was settled meanwhile must not keep the others. */
	for (size_t i = 0; i < count; i++)
		commits[i] =
			(struct storage_commit){.commit = &given[i], .arena = &arena};
	writer_commit_all(guest->storaged->writer, commits, count);
	arena_fini(&arena);
}

static void release_all(void *arg)
{
	struct guest *guest = arg;

	while (guest->leases && guest->leases->count > 0)
		release_some(guest);
	events_queue(guest->storaged, 1u << QUEUE_LOCAL | 1u << QUEUE_REMOTE);
	guest_unref(guest);
}

void leases_release(struct guest *guest)
{
	if (!guest->leases || guest->leases->count == 0 || guest->storaged->is_closing)
		return;
	guest_ref(guest);
	if (!task_start("store leases", release_all, guest))
		guest_unref(guest); /* they end by themselves */
}
