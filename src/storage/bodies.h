/* Bodies as the index knows them: which are equal, who shares one, which are dead, and
 * how much of each pack is needed. */
#pragma once

#include "storage/work.h"

/* A message with the same frame whose body is needed; *message is 0 if there is none. */
[[nodiscard]] err_t body_find_equal(struct work *work, const struct effect_body *body,
				    account_t *account, uint64_t *message);
/* The message's body is new in its pack. */
[[nodiscard]] err_t body_add(struct work *work, account_t account, uint64_t message,
			     const struct blob *blob);
/* The message has the body of another, which gets a reference as well if it had it alone.
 */
[[nodiscard]] err_t body_share(struct work *work, account_t account, uint64_t message,
			       const struct blob *blob, account_t from_account,
			       uint64_t from_message);
/* The message needs it no more: it is dead, unless others share it.  The row's trace is
 * not looked at. */
[[nodiscard]] err_t body_drop(struct work *work, account_t account, uint64_t message,
			      const struct item_row *row);
/* Whoever has the body has its copy now, and the old one is dead. */
[[nodiscard]] err_t apply_body_moved(struct work *work,
				     const struct effect_body_moved *e);
/* Do messages have the body that stands there?  The given one may be all of them. */
[[nodiscard]] err_t body_is_needed(struct work *work, struct pack_body at,
				   account_t account, uint64_t message, bool *is_needed);
/* A dead one was punched out of its pack. */
[[nodiscard]] err_t body_punched(struct work *work, uint32_t pack, uint64_t offset,
				 uint64_t length);
