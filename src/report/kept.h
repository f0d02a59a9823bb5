/* Reports that others have sent about domains of ours, kept as small pairs of the system
 * account: what they say, by source, without what is only for reading once.
 *
 *   r/kept/DOMAIN/DAY/KIND/NUMBER   DAY in days since 1970, six digits; KIND "dmarc" or
 *                                   "tls"; NUMBER is made of organisation and report id
 *
 *   u8 version 1; var begin, end; string organization, contact, id, policy; var good,
 *   bad, other good, other bad; var rows, each: var count, string row
 *   row: u8 flags; u8 fate; string source, why, from, dkim, spf, mx
 *
 * Numbers and strings as in base/codec.h.  The first report of a number stays.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

struct dmarc_report;
struct store;
struct tls_report;

enum {
	KEPT_DAYS = 400,
	KEPT_ROWS_MAX = 1000, /* of a report; the rest is a sum */
	KEPT_BYTES_MAX = 30 * 1024,
	KEPT_TEXT_MAX = 100, /* octets; what is longer is cut */
	KEPT_A_DAY_MAX = 200 /* of a domain, a day and a kind */
};

enum kept_kind { KEPT_DMARC, KEPT_TLS };

/* What the receiver did with the mail. */
enum kept_fate { KEPT_DELIVERED, KEPT_QUARANTINED, KEPT_REJECTED };

/* Mails that are alike, or TLS sessions that failed alike. */
struct kept_row {
	uint64_t count;
	struct str source; /* the address that sent */
	bool is_dkim_aligned, is_spf_aligned;
	enum kept_fate fate;
	struct str why;       /* of TLS: the failure; else why it was let in, or "" */
	struct str from;      /* the domain in From */
	struct str dkim, spf; /* domains that these were good for, whose ever; or "" */
	struct str mx;        /* of TLS */
};

struct kept {
	enum kept_kind kind;
	struct str domain; /* whom it tells of */
	struct str organization, contact, id;
	struct str policy;              /* "reject", ...; of TLS "" */
	int64_t begin, end;             /* seconds since 1970 */
	uint64_t good, bad;             /* mails aligned and not, or sessions */
	uint64_t other_good, other_bad; /* of these, what no row tells of */
	struct kept_row *rows;
	size_t count;
};

/* What is kept of a report; texts borrow it, rows live in the arena.  False: it is beyond
 * the arena. */
[[nodiscard]] bool kept_of_dmarc(const struct dmarc_report *report, struct arena *arena,
				 struct kept *kept);
/* What it says of one domain. */
[[nodiscard]] bool kept_of_tls(const struct tls_report *report, struct str domain,
			       struct arena *arena, struct kept *kept);
static inline bool kept_is_aligned(const struct kept_row *row)
{
	return row->is_dkim_aligned || row->is_spf_aligned;
}

/* Rows that are alike become one; those that failed, and then those that count most, come
 * first. */
[[nodiscard]] bool kept_encode(const struct kept *kept, struct arena *arena,
			       struct buf *value);
/* Texts borrow value.  False if the octets are none of ours. */
[[nodiscard]] bool kept_decode(struct str value, struct arena *arena, struct kept *kept);

enum kept_outcome {
	KEPT_NEW,
	KEPT_BEFORE,  /* it was there already */
	KEPT_UNUSUAL, /* it names no domain, or no time that we keep */
	KEPT_MANY,    /* KEPT_A_DAY_MAX are there */
	KEPT_LATER,   /* the store cannot do it now */
};

/* These may suspend. */
enum kept_outcome kept_put(struct store *store, const struct kept *kept,
			   struct arena *arena);
/* Calls take for what is kept of a domain ("": of all), that begins at since or later, in
 * the order of domain and day; it is good during that call.  False: it could not be read
 * to its end. */
[[nodiscard]] bool kept_each(struct store *store, struct str domain, int64_t since,
			     void (*take)(void *arg, const struct kept *kept), void *arg);
/* Forgets what is older than KEPT_DAYS. */
void kept_purge(struct store *store);
