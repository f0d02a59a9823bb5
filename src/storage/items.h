/* Messages as the index keeps them: who needs one, and who shares a body. */
#pragma once

#include "storage/work.h"

/* Adds the message with its digest; with from_message the body is shared with that one,
 * and so is its digest if none is given. */
[[nodiscard]] err_t item_add(struct work *work, uint64_t message,
			     const struct item_row *row, struct str digest,
			     account_t from_account, uint64_t from_message);
/* One more membership needs it. */
[[nodiscard]] err_t item_ref(struct work *work, uint64_t message);
/* One less; *gone if it was the last, and then the body is dead unless it is shared. */
[[nodiscard]] err_t item_unref(struct work *work, account_t account, uint64_t message,
			       bool *gone);
/* Octets of trace and body. */
uint64_t item_size(const struct item_row *row);
