/* What others, such as a backup, take from a storage that is in use. */
#include "storage/embedded.h"

/* The oldest pin's group stands for all of them, until the last has gone. */
void storage_pin(struct storage *storage)
{
	if (atomic_load(&storage->pins) == 0)
		atomic_store(&storage->pinned_sequence,
			     flusher_durable(&storage->flusher));
	atomic_fetch_add(&storage->pins, 1);
}

void storage_unpin(struct storage *storage)
{
	ASSERT(atomic_fetch_sub(&storage->pins, 1) > 0);
}

bool storage_is_pinned(struct storage *storage)
{
	return atomic_load(&storage->pins) > 0;
}

uint64_t storage_pinned_sequence(struct storage *storage)
{
	return storage_is_pinned(storage) ? atomic_load(&storage->pinned_sequence)
					  : UINT64_MAX;
}
