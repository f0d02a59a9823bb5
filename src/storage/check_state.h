/* What the files of the check share.  Private to storage/. */
#pragma once

#include "storage/check_packs.h"
#include "storage/keys.h"
#include "storage/rows.h"

/* A message, and who needs it. */
struct tally {
	uint64_t message, size;
	uint32_t members, seen;
	int64_t received_at;
	bool is_lost, is_told;
	bool is_kept; /* it was expunged, and can be brought back */
};

/* What a pack holds, as its bodies have it. */
struct pack_sum {
	uint64_t live, dead;
};

/* A mailbox, and what is in it. */
struct box {
	struct mailbox_row row; /* its name is in text */
	uint32_t exists, unseen, deleted, recent, top_uid;
	uint64_t bytes, top_modseq;
	bool is_bad;
	char text[MAILBOX_NAME_MAX];
};

enum { CHECK_DOMAIN_BUCKETS = 4096 };

struct checker {
	const struct check_options *options;
	struct check_report *report;
	struct packs *packs;
	const struct pack_map *map;
	struct kv_txn *txn;
	struct kv_cursor at, other; /* the walk, and for a look elsewhere */
	struct buf fixes;           /* u8 1 put or 0 delete, str key, str value */
	struct buf row;
	uint64_t rows, rows_all, told_ms;
	int64_t now;

	/* The account whose rows come. */
	account_t account;
	bool has_account, has_row;
	struct account_row sums; /* as its rows have it */
	struct account_row is;   /* as its own row has it */
	uint64_t top_number;
	bool is_log_short; /* a change is missing from the log */
	struct box *boxes;
	size_t box_count, box_room;
	struct tally *tallies;
	size_t tally_count, tally_room;

	/* All of them. */
	struct state_row state, totals;
	bool has_state;
	uint32_t shared_pack; /* the body that the last reference was of */
	uint64_t shared_offset;
	struct pack_sum *packs_sums; /* [number - 1] */
	size_t pack_count, pack_room;
	struct domain_tally *domains[CHECK_DOMAIN_BUCKETS]; /* of the queue */
};

/* check.c */
void found(struct checker *c, struct check_finding finding);
void found_row(struct checker *c, enum check_what what, const char *text);
void fix_delete(struct checker *c, struct str key);
void fix_put(struct checker *c, struct str key, struct str value);
/* True if the row is there and good; the value is good until the cursor `other` moves. */
[[nodiscard]] bool look(struct checker *c, struct str key, struct str *value);
struct box *box_find(struct checker *c, uint64_t mailbox);
struct tally *tally_find(struct checker *c, uint64_t message);

/* check_account.c: a row of an account; its end. */
void check_account_row(struct checker *c, int table, struct str key, struct str value);
void check_account_end(struct checker *c);
/* A number that was given out. */
void number_seen(struct checker *c, uint64_t number);

/* check_message.c */
void check_message_row(struct checker *c, struct str key, struct str value);
void check_member_row(struct checker *c, struct str key, struct str value);
void check_queue_row(struct checker *c, struct str key, struct str value);
void check_messages_end(struct checker *c);

/* check_space.c: what was expunged and can come back, what is dead, what is equal. */
void check_expunged_row(struct checker *c, struct str key, struct str value);
void check_expiry_row(struct checker *c, struct str key);
void check_equal_row(struct checker *c, struct str key, struct str value);
void check_dead_row(struct checker *c, struct str key, struct str value);
/* A body is needed; its octets count in its pack. */
void body_seen(struct checker *c, const struct pack_body *at);
void check_pack_sums(struct checker *c);
/* check_queue.c: a queue row is good; what follows from it? */
void check_standing(struct checker *c, uint64_t id, const struct waiting_row *row,
		    struct str queue_id);
/* Is there a row that waits under that key?  A message with that queue id? */
bool is_waiting_there(struct checker *c, struct str key);
bool is_queue_id(struct checker *c, struct str key);
/* At the end. */
void check_domains(struct checker *c);
void domains_fini(struct checker *c);

/* check_system.c */
/* The row of a message; false if it is not there or damaged. */
[[nodiscard]] bool item_look(struct checker *c, account_t account, uint64_t message,
			     struct item_row *item);
/* A row that leads nowhere: told, and to be deleted. */
void row_nowhere(struct checker *c, struct str key, const char *text);
void check_system_row(struct checker *c, int table, struct str key, struct str value);
void check_totals(struct checker *c);

/* Walks all rows of the index once; what can be put right is noted in fixes. */
[[nodiscard]] err_t check_rows(struct checker *c, struct kv *kv);
void checker_fini(struct checker *c);

/* The row of a mail that is set aside. */
void damaged_write(struct buf *buf, const struct damaged_row *row);
[[nodiscard]] bool damaged_read(struct str key, struct str value,
				struct damaged_row *row);
