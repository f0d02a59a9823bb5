/* Queue rows out of the index, for the lease and for the lists.  Private to storage/. */
#pragma once

#include "storage/embedded.h"

struct due {
	account_t account;
	uint64_t row;
};

/* The whole row, or one without trace and size.  UNAVAILABLE if it is damaged, which was
 * logged. */
enum store_outcome queue_row_get(struct kv_txn *txn, const struct due *due, bool is_brief,
				 struct arena *arena, struct queue_row *row);
