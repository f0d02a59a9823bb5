/* The search index: for each account, segments (search/segment.h) of its messages by
 * their numbers, in one file of keys and values (db/kv.h).
 *
 *   key  {account u32, 'A'}                             the account: struct account_row
 *        {account u32, 'D', segment u32, part u32}      its documents: var differences
 *                                                       of message numbers
 *        {account u32, 'T', segment u32, class u8, block u32}
 *        {UINT32_MAX, 'V'}                              u8 version, u64 epoch,
 *                                                       u8 has no attachments
 *
 * New messages make a segment, small ones become bigger ones, and these are left alone.
 * What was expunged goes when its segment is written again.  The index says only what it
 * knows: a message that is in no segment is not found and not missing either, but
 * unknown. Nothing is lost with the file.  These calls block. */
#pragma once

#include "search/segment.h"

typedef uint32_t search_account;
struct search_index;

/* Whether the message may still be wanted; false: its words may be forgotten. */
typedef bool search_wanted(void *arg, search_account account, uint64_t message);

/* Whether the words of attached documents are among those of their messages. */
enum search_attachments {
	SEARCH_ATTACHMENTS_AS_THEY_ARE, /* of an index that is there; a new one has them
					 */
	SEARCH_ATTACHMENTS,
	SEARCH_NO_ATTACHMENTS,
};

struct search_index_options {
	const char *path;   /* NULL: in memory */
	uint64_t bytes_max; /* of the file */
	uint64_t epoch;     /* of another one nothing is kept */
	/* Nor of one where these were taken otherwise. */
	enum search_attachments attachments;
	search_wanted *wanted;
	void *arg;
};
/* A damaged file, or one of another version or epoch, is begun anew. */
[[nodiscard]] err_t search_index_open(const struct search_index_options *options,
				      struct search_index **index);
void search_index_close(struct search_index **index);
/* Whether the pages and rows of a file are whole, which nobody has open: garbage in its
 * pages stops the process that opens it.  ERR_SYNTAX: they are not; ERR_ABSENT: there is
 * none. */
[[nodiscard]] err_t search_index_look(const char *path);
/* Removes it: it is begun anew. */
void search_index_remove(const char *path);

struct search_state {
	uint64_t upto; /* messages up to this number were looked at */
	uint64_t docs, left_out, bytes;
	size_t segments;
};
/* Zero if there is nothing. */
[[nodiscard]] err_t search_index_state(struct search_index *index, search_account account,
				       struct search_state *state);

struct search_doc {
	uint64_t message;
	struct str terms; /* of terms_write() */
};
enum { SEARCH_ADD_MAX = 64 };
/* The messages above `from`, where the account was left, up to `upto`, are these, in the
 * order of their numbers, and so many that are not for the index.  By one thread at a
 * time.  ERR_CANCELED: it is elsewhere; ERR_SYNTAX: not terms, or the index is damaged
 * there, and the account was emptied; ERR_LIMIT: no room. */
[[nodiscard]] err_t search_index_add(struct search_index *index, search_account account,
				     uint64_t from, uint64_t upto,
				     const struct search_doc *docs, size_t count,
				     uint64_t left_out);
/* Rewrites one segment of which so much is no longer wanted that it is worth it; *more if
 * it did.  As above. */
[[nodiscard]] err_t search_index_tidy(struct search_index *index, search_account account,
				      bool *more);
/* Forgets the account. */
[[nodiscard]] err_t search_index_drop(struct search_index *index, search_account account);

/* All messages that are in the index, ascending, and of each whether it has the needle,
 * for sure or, if the needle is not exact, perhaps. */
struct search_found {
	uint64_t *messages;
	bool *is_hit;  /* of a needle; */
	uint8_t *fits; /* of what is fuzzy: words octets of each message */
	size_t count, words;
};
void search_found_fini(struct search_found *found);
/* By any thread.  ERR_SYNTAX: it is damaged. */
[[nodiscard]] err_t search_index_find(struct search_index *index, search_account account,
				      const struct needle *needle, unsigned classes,
				      struct search_found *found);
/* The same, with how well each message fits (search/fuzzy.h). */
[[nodiscard]] err_t search_index_fuzzy(struct search_index *index, search_account account,
				       const struct fuzzy *fuzzy,
				       struct search_found *found);
/* How well the message at that place fits. */
struct fuzzy_fit search_found_fit(const struct search_found *found, size_t place);
/* The octets of the whole file. */
uint64_t search_index_bytes(struct search_index *index);
