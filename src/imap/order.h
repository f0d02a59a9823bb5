/* Messages in the order of a SORT.  RFC 5256 §3.
 *
 * Each has a key: octets that compare, as octets, as the messages do by all criteria
 * together.  Nothing here reads anything: sorting.h gathers what stands in the keys. */
#pragma once

#include "base/buf.h"
#include "imap/ranked.h"
#include "store/sort_text.h"
#include "wire/imap/sort.h"

struct order {
	struct imap_sort by;
	struct buf keys; /* the latest of all messages, also of those taken out */
	struct ranked *list;
	size_t count, room;
};

/* What is compared; only what the criteria name needs to be set. */
struct order_facts {
	uint32_t uid;
	int64_t arrived, sent;
	uint64_t size;
	struct str texts[SORT_TEXTS];
	unsigned score; /* up to 100 */
};

/* Keys may take so many octets. */
void order_init(struct order *order, const struct imap_sort *by, size_t keys_max);
void order_fini(struct order *order);
/* The text that a criterion compares; SORT_TEXTS if it compares none. */
enum sort_text order_text_of(enum imap_sort_by by);
/* Adds a message at the end, wherever it belongs.  False at the bound. */
[[nodiscard]] bool order_add(struct order *order, const struct order_facts *facts);
/* Puts all in order; pause() is called now and then. */
void order_sort(struct order *order, void (*pause)(void));
/* Adds a message to what is in order, at its place *at (from 0).  False at the bound. */
[[nodiscard]] bool order_insert(struct order *order, const struct order_facts *facts,
				size_t *at);
