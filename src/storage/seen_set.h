/* Which messages of somebody else's mailbox a visitor has seen: a pair of the owner's
 * account (store/acl.h). */
#pragma once

#include "storage/work.h"

/* UIDs as ranges, ascending, that do not touch. */
struct seen_set {
	struct uid_range *list;
	size_t count, room;
};

void seen_set_fini(struct seen_set *seen);
/* False if the octets are none of ours; then it is empty. */
[[nodiscard]] bool seen_set_read(struct str value, struct seen_set *seen);
/* Appends them; false if they are more than a pair can hold. */
[[nodiscard]] bool seen_set_write(struct buf *value, const struct seen_set *seen);
bool seen_set_has(const struct seen_set *seen, uint32_t uid);
/* Adds the set, or takes it out. */
void seen_set_change(struct seen_set *seen, struct uid_set uids, bool is_added);

/* Of the work's account; empty if there is none. */
[[nodiscard]] err_t seen_set_load(struct work *work, uint64_t mailbox, account_t visitor,
				  struct seen_set *seen);
[[nodiscard]] err_t seen_set_store(struct work *work, uint64_t mailbox, account_t visitor,
				   const struct seen_set *seen);
