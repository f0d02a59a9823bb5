/* The rows of the search index, and those of one segment; for that folder alone. */
#pragma once

#include "db/kv.h"
#include "search/index.h"

enum { SEGMENTS_MAX = 2000 /* of an account: its row has room for them */ };
#define SYSTEM UINT32_MAX

struct segment_row {
	uint32_t id, docs;
	uint64_t bytes;
};

struct account_row {
	uint64_t upto, left_out;
	uint32_t next_id;
	size_t count;
	struct segment_row segments[SEGMENTS_MAX];
};

/* Room for a key on the stack. */
struct row_key {
	char bytes[16];
	size_t len;
};
struct str row_key(struct row_key *key, search_account account, char kind,
		   const uint32_t *segment, const enum search_class *class,
		   const uint32_t *number);
[[nodiscard]] err_t row_get(struct kv_txn *txn, search_account account,
			    struct account_row *row);
[[nodiscard]] err_t row_put(struct kv_txn *txn, search_account account,
			    const struct account_row *row);
/* Deletes all keys that begin so; those of damaged rows, too. */
[[nodiscard]] err_t rows_drop(struct kv_txn *txn, struct str prefix);
[[nodiscard]] err_t segment_drop(struct kv_txn *txn, search_account account, uint32_t id);

struct place {
	struct kv_txn *txn;
	search_account account;
	uint32_t segment;
};
/* A segment_block: arg is a struct place. */
err_t block_get(void *arg, enum search_class class, uint32_t number, struct str *block);
/* The numbers of its messages; count are expected. */
[[nodiscard]] err_t docs_get(const struct place *place, uint64_t *messages, size_t count);

struct writing {
	struct kv_txn *txn;
	search_account account;
	uint32_t segment;
	uint64_t bytes;
};
/* A segment_put: arg is a struct writing. */
err_t block_put(void *arg, enum search_class class, uint32_t number, struct str block);
[[nodiscard]] err_t docs_put(struct writing *writing, const uint64_t *messages,
			     size_t count);
