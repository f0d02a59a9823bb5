/* The local parts that forwarders give to senders, so that reports find their way back
 * through them (Sender Rewriting Scheme; there is no RFC):
 *
 *   SRS0=HASH=TT=DOMAIN=LOCAL          for LOCAL@DOMAIN; TT is the day
 *   SRS1=HASH=FORWARDER==HASH=TT=...   for SRS0=HASH=TT=...@FORWARDER, by a second
 *                                      forwarder, and by all behind that one
 *
 * After SRS0 and SRS1 there may be "=", "+" or "-", and letters of either case, since
 * servers on the way change it.
 */
#pragma once

#include "base/buf.h"

enum srs_kind { SRS_FIRST, SRS_NEXT };
struct srs {
	enum srs_kind kind;
	struct str hash;
	struct str day;    /* SRS_FIRST: SRS_DAY_LETTERS */
	struct str domain; /* of the first sender; SRS_NEXT: of the first forwarder */
	struct str rest;   /* the sender's local part; SRS_NEXT: what followed SRS0 there,
			    * "=HASH=TT=..." with the sign it had */
};

/* Any octets; slices borrow local, which is without quotes.  False: it is none. */
[[nodiscard]] bool srs_parse(struct str local, struct srs *srs);
/* Whether it calls itself one, well written or not. */
bool srs_is_meant(struct str local);
/* Appends the local part, unquoted. */
void srs_add(struct buf *local, const struct srs *srs);

/* Days since 1970, modulo SRS_DAYS, in two letters. */
enum { SRS_DAYS = 1024, SRS_DAY_LETTERS = 2 };
void srs_day_add(struct buf *to, int64_t now_s);
/* How many days ago that was, 0 to SRS_DAYS - 1; negative: these are no such letters. */
int srs_days_since(struct str day, int64_t now_s);
