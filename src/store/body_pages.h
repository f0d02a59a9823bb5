/* The pages of a body's frame: while one is unpacked and sent, the next is on its way. */
#pragma once

#include "store/store.h"

struct body_pages;

/* Asks for nothing yet. */
struct body_pages *body_pages_new(struct store *store, account_t account,
				  struct message_ref ref);
/* Does not wait for what is under way. */
void body_pages_free(struct body_pages **pages);
/* Asks for the first page, which then waits until it is taken.  Never suspends. */
void body_pages_begin(struct body_pages *pages);
/* Begins those once these have all been asked for. */
void body_pages_follow(struct body_pages *pages, struct body_pages *then);
/* The next page, never empty, and good until the next call; not to be called behind the
 * last.  May suspend.  DAMAGED: the pages do not agree about the sizes, or these cannot
 * be. */
enum store_outcome body_pages_next(struct body_pages *pages, struct str *page);
/* More will be wanted than that page: what follows is asked for while it is looked at.
 * May suspend. */
void body_pages_ahead(struct body_pages *pages);
/* As the first page has said. */
uint64_t body_pages_frame_size(const struct body_pages *pages);
uint64_t body_pages_raw_size(const struct body_pages *pages);
struct store *body_pages_store(const struct body_pages *pages);
/* Logs that a message is: DAMAGED. */
enum store_outcome body_damaged(account_t account, uint64_t message);
enum store_outcome body_pages_damaged(const struct body_pages *pages);
