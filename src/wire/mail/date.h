/* Dates in headers (RFC 5322 §3.3, §4.3) and in IMAP (RFC 9051 §9, date-time).
 *
 * Header dates are read leniently, each form for mail that exists:
 * - OBS_YEAR, OBS_ZONE: two- and three-digit years, "EST" (RFC 5322 §4.3);
 * - NO_WEEKDAY, NO_SECONDS, NO_ZONE, NO_TIME: what is not there is 0, the zone unknown;
 * - ANY_ORDER: asctime's "Wed May 17 19:15:35 2000" and "17-Jul-1996";
 * - LONG_NAMES: "17 January 2000". */
#pragma once

#include "base/buf.h"

struct mail_date {
	int64_t unix_s;
	int zone_minutes;     /* east of UTC */
	bool zone_is_unknown; /* "-0000", none, or a name nobody knows; then 0 */
};

/* The whole value of a Date field; false, and *date untouched, if it holds no date. */
[[nodiscard]] bool mail_date_parse(struct str value, struct mail_date *date);
/* Appends "Wed, 17 May 2000 19:15:35 -0400".  Years 1 to 9999. */
void mail_date_add(struct buf *buf, int64_t unix_s, int zone_minutes);

/* Exactly "17-Jul-1996 02:44:25 -0700", or " 7-Jul-1996 ..."; without the quotes. */
[[nodiscard]] bool imap_date_time_parse(struct str text, struct mail_date *date);
/* Appends that form. */
void imap_date_time_add(struct buf *buf, int64_t unix_s, int zone_minutes);
