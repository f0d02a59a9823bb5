/* Looking whether everything in the data directory is in order: each group and body of
 * the packs against its checksums, each row of the index against its own, and all that
 * rows say of one another.
 *
 * What is damaged is told mail by mail.  Repairing gives back what can be computed or is
 * proved by the log, removes rows that lead nowhere, and sets aside mails whose body is
 * lost: they keep their rows and digests, so that their owner still sees what they were,
 * but their body cannot be read.  No readable body is ever removed.  Calls block, for
 * long.
 */
#pragma once

#include "storage/storage.h"

enum check_what {
	CHECK_BODY_LOST,      /* the mail's body is damaged */
	CHECK_MESSAGE_LOST,   /* its row is: nobody knows any more where the body is */
	CHECK_ROW_DAMAGED,    /* a row's checksum is wrong, or it cannot be understood */
	CHECK_COUNT_WRONG,    /* a sum, count or counter */
	CHECK_LEADS_NOWHERE,  /* a row speaks of another that is not there */
	CHECK_MISSING,        /* a row that should be there is not */
	CHECK_GROUPS_LOST,    /* a stretch of the log cannot be read */
	CHECK_PACK_HEADER,    /* of a pack; what it said is known */
	CHECK_PAGES_DAMAGED,  /* the index as a whole cannot be trusted */
	CHECK_SEARCH_DAMAGED, /* the search index: it is made anew */
	CHECK_BEHIND, /* the index lacks what the packs hold, or the other way round */
	CHECK_WHATS,
};

/* Something that is not in order; slices are good during the call. */
struct check_finding {
	enum check_what what;
	const char *text;  /* a phrase for people: "its count of unseen mails" */
	account_t account; /* 0: nobody's */
	uint64_t mailbox, message;
	uint32_t uid, pack;
	uint64_t offset, size; /* the mail's octets */
	struct str mailbox_name, digest;
	int64_t received_at;
	bool is_set_aside; /* it is listed already */
};

enum check_phase { CHECK_INDEX_PAGES, CHECK_PACKS, CHECK_ROWS, CHECK_REBUILD };

struct check_report {
	uint64_t accounts, mailboxes, mails, bodies, packs, pack_bytes, groups;
	uint64_t found[CHECK_WHATS];
	uint64_t set_aside; /* body lost, and known before */
	bool is_whole_log;  /* every group from the first one on is intact */
	bool is_repaired;   /* something was, and now all is in order */
	bool is_rebuilt;    /* the index was made anew from the packs */
	bool is_epoch_raised;
};

struct check_options {
	const char *folder; /* the data directory */
	bool is_repairing;
	/* The folder holds a copy of the index and the packs of a storage that is in use:
	 * nothing is changed, and what was written after the copy does not count. */
	bool is_copy;
	uint64_t pack_bytes_max, index_bytes_max; /* as of storage_open() */
	/* Told of each finding, and now and then how far it is; they may be NULL. */
	void (*tell)(void *arg, const struct check_finding *finding);
	void (*progress)(void *arg, enum check_phase phase, uint64_t done, uint64_t all);
	void *arg;
};

/* OK: it was looked at, and report says what is left.  Failures are as those of
 * storage_open(), with *why (in arena). */
[[nodiscard]] err_t storage_check(const struct check_options *options,
				  struct arena *arena, struct check_report *report,
				  struct str *why);
/* Makes the index anew from the packs, and puts it into the place of the old one when it
 * is complete and in order.  If groups are lost, the epoch and all UIDVALIDITYs are
 * raised.  Failures as above; the old index stays then. */
[[nodiscard]] err_t storage_rebuild(const struct check_options *options,
				    struct arena *arena, struct check_report *report,
				    struct str *why);

/* What is set aside.  Good as long as the arena. */
struct damaged_row {
	account_t account;
	uint64_t mailbox, message, size;
	uint32_t uid;
	int64_t found_at, received_at;
	struct str mailbox_name, digest;
};
/* Up to limit of them, after that one. */
enum store_outcome storage_damaged(struct storage *storage, account_t after_account,
				   uint64_t after_message, size_t limit,
				   struct arena *arena, struct damaged_row **rows,
				   size_t *count);

/* True if nothing is wrong, or only bodies that are set aside already. */
bool check_is_clean(const struct check_report *report);
