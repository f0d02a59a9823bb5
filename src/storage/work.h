/* One write transaction on the index: commits are planned and applied in it one after the
 * other, live and when the log is replayed.  Rows that many commits of a group change
 * (account, mailboxes, state) are kept here and written once.
 *
 * Reads and writes give err_t: ERR_ABSENT where a row is not there; anything else but OK
 * ends the whole transaction.
 */
#pragma once

#include "storage/keys.h"
#include "storage/ranges.h"
#include "storage/record.h"

enum { MAILBOX_SLOTS = 4 };

struct pack_slot {
	uint32_t pack; /* 0: none */
	bool is_dirty;
	struct pack_row row;
};

struct mailbox_slot {
	account_t account;
	bool is_used, is_dirty;
	uint64_t touched; /* the oldest gives way */
	struct mailbox_row row;
	char name[MAILBOX_NAME_MAX];
};

struct account_slot {
	account_t id;
	bool is_loaded, is_there, is_dirty;
	struct account_row row;
};

struct work {
	struct kv_txn *txn;
	struct kv_cursor cursor; /* for whoever needs one for a moment */
	struct state_row state;
	struct account_slot account; /* of the commit under way */
	struct mailbox_slot mailboxes[MAILBOX_SLOTS];
	uint64_t touches;
	struct pack_slot pack;
	/* Housekeeping has been through once since the log was replayed: it does not tell
	 * what was let go, whose bodies may have been punched out. */
	bool may_share;
	struct buf row; /* for writing one */
	struct buf words;
	struct ranges changed, refused;
	struct arena arena; /* for one commit */

	int64_t now;
	uint64_t change; /* of the commit; 0: none was needed yet */
	uint32_t change_part;

	/* What the mark remembers. */
	struct state_row marked_state;
	struct account_slot marked_account;
	uint64_t marked_change;
	uint32_t marked_part;
};

/* The transaction's state row is read by work_begin(); *is_there tells if it was. */
[[nodiscard]] err_t work_begin(struct work *work, struct kv *kv, bool *is_there);
/* Writes what is kept; the transaction goes on. */
[[nodiscard]] err_t work_flush(struct work *work);
[[nodiscard]] err_t work_put_state(struct work *work);
[[nodiscard]] err_t work_commit(struct work *work);
void work_drop(struct work *work);
/* Logs that a row's bytes are not what they should be; gives ERR_SYNTAX. */
err_t work_damaged(const char *what);
void work_fini(struct work *work);

/* Everything until work_rewind() can be taken back. */
[[nodiscard]] err_t work_mark(struct work *work);
void work_unmark(struct work *work);
[[nodiscard]] err_t work_rewind(struct work *work);

/* Starts a commit of that account: loads its row. */
[[nodiscard]] err_t work_account(struct work *work, account_t account);
/* The next number of the account. */
uint64_t work_number(struct work *work);
/* Numbers up to that one are in use. */
void work_number_used(struct work *work, uint64_t number);
/* The change number of this commit; given when first asked for. */
uint64_t work_change(struct work *work);
/* The account's mailbox, kept here; the pointer stays good until the next call. */
[[nodiscard]] err_t work_mailbox(struct work *work, uint64_t mailbox,
				 struct mailbox_row **row);
void work_mailbox_dirty(struct work *work, uint64_t mailbox);
/* A new or renamed mailbox; the name is copied. */
[[nodiscard]] err_t work_mailbox_put(struct work *work, const struct mailbox_row *row);
[[nodiscard]] err_t work_mailbox_delete(struct work *work, uint64_t mailbox);

/* The pack's row, kept here and written later; the caller changes it before the next
 * call.
 */
[[nodiscard]] err_t work_pack(struct work *work, uint32_t pack, struct pack_row **row);

[[nodiscard]] err_t work_member(struct work *work, uint64_t mailbox, uint32_t uid,
				struct member_row *row);
[[nodiscard]] err_t work_member_put(struct work *work, uint64_t mailbox, uint32_t uid,
				    const struct member_row *row);
[[nodiscard]] err_t work_item(struct work *work, account_t account, uint64_t message,
			      struct item_row *row);
/* The row's trace may point into the index: it is copied first. */
[[nodiscard]] err_t work_item_put(struct work *work, account_t account, uint64_t message,
				  const struct item_row *row);
