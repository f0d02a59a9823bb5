/* The pairs that go with a mailbox (store/acl.h). */
#pragma once

#include "storage/work.h"

/* The new mailbox gets the access control list of the one above it. */
[[nodiscard]] err_t shared_inherit(struct work *work, uint64_t parent, uint64_t mailbox);
/* Nothing of what went with it stays. */
[[nodiscard]] err_t shared_forget(struct work *work, uint64_t mailbox);
