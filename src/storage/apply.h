/* Doing what an effect says: the same code for live commits and for the replay of the
 * log, on an index that is at the same point.
 *
 * Where damage lost an earlier group, an effect may speak of what is not there: it then
 * does what it still can.  Failures are of the index only.
 */
#pragma once

#include "storage/work.h"

/* Fills in the numbers of the result; its UID sets are left alone. */
[[nodiscard]] err_t effect_apply(struct work *work, const struct effect *effect,
				 struct op_result *result);

/* What becomes of flags, of which some stay as they are. */
uint8_t flags_combine(uint8_t old, enum flags_mode mode, uint8_t operand, uint8_t kept);

/* Parts of it, by the family of the effect. */
[[nodiscard]] err_t apply_append(struct work *work, const struct effect_append *e,
				 struct op_result *result);
[[nodiscard]] err_t apply_flags(struct work *work, const struct effect_flags *e);
[[nodiscard]] err_t apply_copy(struct work *work, const struct effect_copy *e,
			       bool is_move, struct op_result *result);
[[nodiscard]] err_t apply_expunge(struct work *work, const struct effect_expunge *e);
[[nodiscard]] err_t apply_account(struct work *work, const struct effect_mailbox *e,
				  struct op_result *result);
[[nodiscard]] err_t apply_mailbox_create(struct work *work,
					 const struct effect_mailbox *e,
					 struct op_result *result);
/* A mailbox, and perhaps its account, whose making is lost: its mail has a place again.
 */
[[nodiscard]] err_t apply_mailbox_revive(struct work *work, uint64_t mailbox);
[[nodiscard]] err_t apply_mailbox_rename(struct work *work,
					 const struct effect_mailbox *e);
[[nodiscard]] err_t apply_mailbox_delete(struct work *work,
					 const struct effect_mailbox *e);
[[nodiscard]] err_t apply_mailbox_subscribe(struct work *work,
					    const struct effect_mailbox *e);
[[nodiscard]] err_t apply_purged(struct work *work, const struct effect_purged *e);
[[nodiscard]] err_t apply_queue_add(struct work *work, const struct effect_queue_add *e,
				    struct op_result *result);
[[nodiscard]] err_t apply_settle(struct work *work, const struct effect_settle *e);
[[nodiscard]] err_t apply_queue_change(struct work *work,
				       const struct effect_queue_change *e,
				       struct op_result *result);
[[nodiscard]] err_t apply_recent(struct work *work, const struct effect_recent *e);
[[nodiscard]] err_t apply_lease(struct work *work, const struct effect_lease *e);
[[nodiscard]] err_t apply_epoch(struct work *work, const struct effect_epoch *e);

/* Adds one to a message that is there, with all counters. */
[[nodiscard]] err_t member_add(struct work *work, uint64_t mailbox, uint32_t uid,
			       const struct member_row *member, struct op_result *result);
/* Removes one membership of the work's account that was expunged at that time, and what
 * only it needed, unless the account keeps that for a while; the mailbox's and account's
 * counters are the caller's.  *size is of the message. */
[[nodiscard]] err_t member_remove(struct work *work, uint64_t mailbox, uint32_t uid,
				  const struct member_row *row, int64_t at,
				  uint64_t *size);
/* Keeps the first result of a commit under its key. */
[[nodiscard]] err_t key_keep(struct work *work, const struct commit_head *head,
			     const struct op_result *ops, size_t count);
/* Forgets it, if it is there. */
[[nodiscard]] err_t key_forget(struct work *work, account_t account, struct str name);
/* For how many days the account keeps expunged messages, as a value of STORE_KV_UNDELETE
 * has it. */
[[nodiscard]] bool keep_days_parse(struct str value, uint32_t *days);
/* The account's limits as a value of STORE_KV_QUOTA has them. */
[[nodiscard]] bool quota_parse(struct str value, uint64_t *messages_max,
			       uint64_t *bytes_max);
