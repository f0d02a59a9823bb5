/* Expunged messages, kept for a while so that they can be brought back.  Nobody but an
 * undeletion sees them, and the quota does not count them. */
#pragma once

#include "storage/work.h"

/* True if the account keeps what was the last membership of that message. */
bool expunged_wants(const struct work *work, const struct item_row *item);
/* Keeps the membership, which the caller takes out of its mailbox afterwards; at is when
 * it was expunged.  Slices of both rows may stand in the index. */
[[nodiscard]] err_t expunged_add(struct work *work, uint64_t mailbox, uint32_t uid,
				 const struct member_row *row, int64_t at);
[[nodiscard]] err_t expunged_get(struct work *work, account_t account, uint64_t member,
				 struct expunged_row *row);
/* Lets one go: its body is dead, unless it is shared. */
[[nodiscard]] err_t expunged_drop(struct work *work, account_t account, uint64_t member,
				  int64_t until);
[[nodiscard]] err_t apply_expired(struct work *work, const struct effect_expired *e);
[[nodiscard]] err_t apply_undelete(struct work *work, const struct effect_undelete *e,
				   struct op_result *result);
