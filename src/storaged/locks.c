/* Locks by account and name; few at a time, so a list will do. */
#include "base/mem.h"
#include "storaged/state.h"

static struct lock *lock_find(struct storaged *storaged, account_t account,
			      struct str name)
{
	LIST_EACH(&storaged->locks, link)
	{
		struct lock *lock = CONTAINER_OF(link, struct lock, in_locks);

		if (lock->account == account && str_same(lock->name, name))
			return lock;
	}
	return NULL;
}

enum store_outcome lock_take(struct guest *guest, account_t account, struct str name)
{
	if (lock_find(guest->storaged, account, name))
		return STORE_CONFLICT;
	if (guest->lock_count == LOCKS_MAX)
		return STORE_UNAVAILABLE;
	guest->lock_count++;
	struct lock *lock = mem_zeroed(1, sizeof *lock + name.len);

	lock->account = account;
	if (name.len > 0)
		memcpy(lock->bytes, name.ptr, name.len);
	lock->name = (struct str){lock->bytes, name.len};
	list_add_last(&guest->locks, &lock->in_guest);
	list_add_last(&guest->storaged->locks, &lock->in_locks);
	return STORE_OK;
}

static void lock_free(struct guest *guest, struct lock *lock)
{
	list_remove(&guest->locks, &lock->in_guest);
	list_remove(&guest->storaged->locks, &lock->in_locks);
	guest->lock_count--;
	mem_free(lock);
}

void lock_give(struct guest *guest, account_t account, struct str name)
{
	LIST_EACH(&guest->locks, link)
	{
		struct lock *lock = CONTAINER_OF(link, struct lock, in_guest);

		if (lock->account == account && str_same(lock->name, name))
			return lock_free(guest, lock);
	}
}

void locks_drop(struct guest *guest)
{
	LIST_EACH(&guest->locks, link)
	lock_free(guest, CONTAINER_OF(link, struct lock, in_guest));
}
