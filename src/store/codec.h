/* The messages between the doors and the store process: what store.h's calls look like on
 * a channel (rt/ipc.h).
 *
 * A request is a struct store_request; its frame's type is the call.  A reply is one
 * octet of enum store_outcome and, when that is OK, what the call gives (a commit's
 * result comes with every outcome).  A reply too long for one frame comes as REPLY_PART
 * {u64 token, u64 length, the first octets}, and CALL_REST fetches the others.  Numbers
 * and slices are those of base/codec.h.
 *
 * Decoders take any octets: they enforce the bounds of types.h, allocate only from the
 * arena, and say false.  What they give borrows the input and the arena.
 */
#pragma once

#include "base/codec.h"
#include "store/search.h"
#include "store/types.h"

enum store_message {
	CALL_ENTER = 1, /* grant */
	CALL_LEAVE,     /* no reply */
	CALL_COMMIT,    /* commit */
	CALL_SUMMARY,
	CALL_MAILBOXES,
	CALL_MAILBOX, /* mailbox */
	CALL_ROWS,
	CALL_CHANGES,
	CALL_BODY,
	CALL_KV_GET, /* key */
	CALL_KV_SCAN,
	CALL_QUEUE_LEASE,
	CALL_QUEUE_LIST,
	CALL_LOCK,   /* name */
	CALL_UNLOCK, /* name */
	CALL_WATCH,
	CALL_UNWATCH,       /* no reply */
	CALL_WATCH_QUEUE,   /* queue */
	CALL_UNWATCH_QUEUE, /* queue; no reply */
	CALL_STAGE,         /* the next octets of a body's frame, before its commit */
	CALL_STAGE_DROP,    /* stage; no reply */
	CALL_REST,          /* rest */
	CALL_STATS,
	CALL_BODIES,       /* whole small ones, several at once */
	CALL_BACKUP_BEGIN, /* comes with a descriptor, for a copy of the index */
	CALL_BACKUP_END,
	CALL_EXPUNGED, /* list */
	CALL_QUEUE_COUNTS,
	CALL_SEARCH,     /* find */
	CALL_INDEX_TAKE, /* waits for work */
	CALL_INDEX_PUT,  /* done */
	CALL_INDEX_STATE,
	CALL_INDEX_RENEW,
	CALL_VISIT,
	CALL_VISIT_END, /* no reply */
	CALL_COUNT_,

	EVENT_CHANGED = 64, /* from the store: what watches should look at again */
	REPLY_WHOLE,
	REPLY_PART,
	EVENT_ENDED, /* from the store: what an account's older grants gave has ended */
};

/* Bounds that types.h leaves to the seam. */
enum {
	COMMIT_KEY_MAX = 64,
	GRANT_BYTES_MAX = 128,
	LOCK_NAME_MAX = 100,
	QUEUE_ADDRESS_MAX =
		1024,           /* sender, address, original; RFC 5321 §4.5.3.1.3: 256 */
	QUEUE_ORCPT_MAX = 1024, /* RFC 3461 §5.4: 500 */
	QUEUE_ENVID_MAX = 256,  /* RFC 3461 §5.4: 100 */
	QUEUE_REASON_MAX = 500,
	QUEUE_HOST_MAX = 255,
	SCAN_ROWS_MAX = 200, /* of one request; the client asks again */
	LEASE_ROWS_MAX = 500,
	LIST_ROWS_MAX = 1000,   /* of the queue; */
	COUNT_ROWS_MAX = 10000, /* of its domains */
	BODY_PAGE_BYTES =
		400 * 1024,        /* of a frame, in CALL_BODY's reply and CALL_STAGE */
	STAGED_MAX = 512,          /* bodies of one channel, of commits to come */
	PART_BYTES = 256 * 1024,   /* of a long reply */
	BODIES_MAX = 128,          /* of one CALL_BODIES; */
	BODIES_BYTES = 288 * 1024, /* of their frames: so the reply is one frame */
	REPLY_BYTES_MAX = 16 * 1024 * 1024,
};
#define STORE_BODY_BYTES_MAX ((uint64_t)256 * 1024 * 1024) /* raw, and of its frame */

struct store_request {
	enum store_message call;
	account_t account;
	int fd; /* that came along; -1: none.  Not encoded */
	/* Nor this: in a visit, who visits the account, and the visit
	 * (storaged/visits.c). */
	account_t visitor, number;
	union {
		struct str grant;
		struct store_commit commit;
		uint64_t mailbox;
		struct {
			uint64_t mailbox;
			struct uid_set uids; /* 1 to ROWS_RANGES_MAX ranges */
			unsigned columns;
		} rows;
		struct {
			uint64_t mailbox, since;
		} changes;
		struct {
			struct message_ref ref;
			uint64_t offset;
			size_t room; /* up to BODY_PAGE_BYTES */
		} body;
		struct {
			const struct message_ref *refs;
			size_t count; /* 1 to BODIES_MAX */
		} bodies;
		struct str key;
		struct {
			struct str prefix, after;
			size_t limit; /* up to SCAN_ROWS_MAX */
		} scan;
		struct {
			enum queue_kind kind;
			int64_t now, leased_until;
			size_t limit; /* up to LEASE_ROWS_MAX */
		} lease;
		struct {
			uint64_t after_row; /* CALL_EXPUNGED: membership */
			size_t limit;       /* up to LEASE_ROWS_MAX */
		} list;
		struct {
			struct queue_select select;
			struct queue_place place;
			size_t limit; /* up to LIST_ROWS_MAX */
		} listing;
		struct {
			struct str after;
			size_t limit; /* up to COUNT_ROWS_MAX */
		} counts;
		struct str name;
		enum queue_kind queue;
		struct {
			uint64_t id;     /* chosen by the client, never 0 */
			uint64_t offset; /* how much was staged before */
			struct str bytes;
		} stage;
		struct {
			uint64_t token, offset;
		} rest;
		struct store_find find;
		struct index_done done;
		struct {
			account_t owner;  /* whom the account visits */
			account_t number; /* CALL_VISIT_END: that ends */
		} visit;
	};
};

/* Whether a call is answered (the others are events, frame id 0). */
bool store_call_has_reply(enum store_message call);
/* Not for CALL_COMMIT, whose bodies need more (below).  The buffer fails if a bound is
 * broken. */
void store_enc_request(struct buf *buf, const struct store_request *request);
/* Any call.  False on anything that is not exactly one request within the bounds. */
[[nodiscard]] bool store_dec_request(uint16_t type, struct str body, struct arena *arena,
				     struct store_request *request);

/* A commit.  staged[i], if not 0, is where the client put the body of op i before;
 * staged may be NULL.  Other raw bodies are compressed straight into buf. */
struct ZSTD_CCtx_s;
void store_enc_commit(struct buf *buf, const struct store_commit *commit,
		      const uint64_t *staged, struct ZSTD_CCtx_s *zstd);
void store_enc_result(struct buf *buf, const struct store_result *result);
[[nodiscard]] bool store_dec_result(struct dec *dec, struct arena *arena,
				    struct store_result *result);

/* What the other calls give, in their replies. */
void store_enc_summary(struct buf *buf, const struct account_summary *summary);
bool store_dec_summary(struct dec *dec, struct account_summary *summary);
void store_enc_mailbox(struct buf *buf, const struct mailbox_row *row);
bool store_dec_mailbox(struct dec *dec, struct mailbox_row *row);
void store_enc_mailboxes(struct buf *buf, const struct mailbox_row *rows, size_t count);
bool store_dec_mailboxes(struct dec *dec, struct arena *arena, struct mailbox_row **rows,
			 size_t *count);
/* Rows of messages leave as they are found: how many they are is said at the end, in
 * front of them. */
struct rows_writer {
	struct buf *buf;
	size_t head;
	unsigned columns;
	uint32_t uid, count; /* of the last row, and up to it */
};
struct rows_writer store_enc_rows(struct buf *buf, unsigned columns);
void store_enc_row(struct rows_writer *writer, const struct message_row *row);
void store_enc_rows_end(const struct rows_writer *writer, uint32_t next_uid);
bool store_dec_rows(struct dec *dec, struct arena *arena, struct message_row **rows,
		    size_t *count, uint32_t *next_uid);
void store_enc_changes(struct buf *buf, const struct change_row *rows, size_t count,
		       uint64_t upto, bool more);
bool store_dec_changes(struct dec *dec, struct arena *arena, struct change_row **rows,
		       size_t *count, uint64_t *upto, bool *more);
void store_enc_kv_rows(struct buf *buf, const struct kv_row *rows, size_t count);
bool store_dec_kv_rows(struct dec *dec, struct arena *arena, struct kv_row **rows,
		       size_t *count);
void store_enc_queue_rows(struct buf *buf, const struct queue_row *rows, size_t count);
bool store_dec_queue_rows(struct dec *dec, struct arena *arena, struct queue_row **rows,
			  size_t *count);
void store_enc_undelete_rows(struct buf *buf, const struct undelete_row *rows,
			     size_t count);
bool store_dec_undelete_rows(struct dec *dec, struct arena *arena,
			     struct undelete_row **rows, size_t *count);
void store_enc_place(struct buf *buf, const struct queue_place *place);
struct queue_place store_dec_place(struct dec *dec);
void store_enc_count(struct buf *buf, const struct queue_count *count);
void store_dec_count(struct dec *dec, struct queue_count *count);
void store_enc_counts(struct buf *buf, const struct queue_count *all,
		      const struct queue_domain *domains, size_t count);
bool store_dec_counts(struct dec *dec, struct arena *arena, struct queue_count *all,
		      struct queue_domain **domains, size_t *count);
void store_enc_stats(struct buf *buf, const struct store_stats *stats);
bool store_dec_stats(struct dec *dec, struct store_stats *stats);

void store_enc_extent(struct buf *buf, const struct store_extent *extent);
bool store_dec_extent(struct dec *dec, struct arena *arena, struct store_extent *extent);

/* EVENT_CHANGED: accounts, and a bit for each queue kind. */
struct store_event {
	unsigned queues; /* 1 << enum queue_kind */
	const account_t *accounts;
	size_t count;
};
enum { EVENT_ACCOUNTS_MAX = 4096 };
void store_enc_event(struct buf *buf, const struct store_event *event);
[[nodiscard]] bool store_dec_event(struct str body, struct arena *arena,
				   struct store_event *event);
/* EVENT_ENDED: grants of the account made before that generation. */
struct store_ended {
	account_t account;
	uint32_t generation;
};
void store_enc_ended(struct buf *buf, const struct store_ended *ended);
[[nodiscard]] bool store_dec_ended(struct str body, struct store_ended *ended);

/* codec_search.c */
void store_enc_find(struct buf *buf, const struct store_request *request);
void store_dec_find(struct dec *dec, struct store_request *request);
void store_enc_done(struct buf *buf, const struct index_done *done);
void store_dec_done(struct dec *dec, struct arena *arena, struct index_done *done);
void store_enc_candidates(struct buf *buf, const struct store_candidates *candidates);
[[nodiscard]] bool store_dec_candidates(struct dec *dec, struct arena *arena,
					struct store_candidates *candidates);
void store_enc_work(struct buf *buf, const struct index_work *work);
[[nodiscard]] bool store_dec_work(struct dec *dec, struct arena *arena,
				  struct index_work *work);
void store_enc_index_state(struct buf *buf, const struct index_state *state);
[[nodiscard]] bool store_dec_index_state(struct dec *dec, struct index_state *state);

/* ---- shared by the codec's files --------------------------------------------------- */

/* A slice of at most max octets; longer ones fail. */
void store_enc_bounded(struct buf *buf, struct str value, size_t max);
struct str store_dec_bounded(struct dec *dec, size_t max);
void store_enc_bool(struct buf *buf, bool value);
bool store_dec_bool(struct dec *dec);
void store_enc_uids(struct buf *buf, struct uid_set set, size_t max);
struct uid_set store_dec_uids(struct dec *dec, struct arena *arena, size_t max);
void store_enc_keywords(struct buf *buf, struct keywords keywords);
struct keywords store_dec_keywords(struct dec *dec, struct arena *arena);
void store_enc_recipient(struct buf *buf, const struct queue_recipient *to);
struct queue_recipient store_dec_recipient(struct dec *dec);
void store_enc_timing(struct buf *buf, const struct queue_timing *timing);
struct queue_timing store_dec_timing(struct dec *dec);
/* The count of a list of which each item takes at least least octets, and the zeroed
 * array for it; NULL and *count 0 on failure or for an empty list. */
void *store_dec_array(struct dec *dec, struct arena *arena, size_t least, size_t size,
		      size_t max, size_t *count);
/* The same where the count was read already. */
void *store_dec_room(struct dec *dec, struct arena *arena, uint64_t claimed, size_t least,
		     size_t size, size_t *count);
#define STORE_DEC_ARRAY(dec, arena, type, least, max, count)                             \
	((type *)store_dec_array((dec), (arena), (least), sizeof(type), (max), (count)))
