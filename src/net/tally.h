/* Counts by key of what this process has, such as a stranger's connections or an
 * account's sessions, when the bound is on what all processes have together.  Each keeps
 * a tally; the vault (vaultd/) keeps a copy of each, and says what the others have.
 *
 * No count waits for that: changes are news, which somebody carries (daemon/) soon after,
 * and what is elsewhere is what was heard last.  News are whole counts, so that what
 * was lost or came twice does no harm.
 */
#pragma once

#include "rt/task.h"

enum {
	TALLY_KEY_BYTES = 16,
	TALLY_MUCH =
		8, /* counts that all should know of, whether they have some or not */
};

struct tally_key {
	unsigned char octets[TALLY_KEY_BYTES];
};

struct tally;

struct tally *tally_new(void);
/* Who waits for news of it hears ERR_CLOSED. */
void tally_free(struct tally **tally);
/* By is 1 or -1; a count never falls below 0. */
void tally_add(struct tally *tally, const struct tally_key *key, int by);
/* Without being news. */
void tally_set(struct tally *tally, const struct tally_key *key, uint32_t count);
/* As news. */
void tally_put(struct tally *tally, const struct tally_key *key, uint32_t count);
/* Of this process alone. */
uint32_t tally_here(const struct tally *tally, const struct tally_key *key);
/* With what others have, as far as it is known. */
uint32_t tally_everywhere(const struct tally *tally, const struct tally_key *key);
/* How many keys there are. */
size_t tally_keys(const struct tally *tally);

struct tally_item {
	struct tally_key key;
	uint32_t count;
};

/* May suspend until there are news that should be told now: some milliseconds after a
 * change, so that many go together and a short visit is none; at once when a count is
 * high.  ERR_TIMEOUT, ERR_CANCELED; ERR_CLOSED: the tally is no more. */
[[nodiscard]] err_t tally_wait(struct tally *tally, deadline_t deadline);
/* Takes up to max of the news. */
size_t tally_news(struct tally *tally, struct tally_item *items, size_t max);
/* They have come to nothing: whoever is asked next must hear all. */
void tally_tell_all(struct tally *tally);
/* Others may have a wrong notion of it, or we of theirs: it is told in any case. */
void tally_doubt(struct tally *tally, const struct tally_key *key);
/* What others have of it.  It is remembered if there is a count here, or if it is much.
 */
void tally_heard(struct tally *tally, const struct tally_key *key, uint32_t elsewhere);
