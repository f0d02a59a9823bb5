/* The civil calendar without libc's time zones: seconds since 1970 to and from a date
 * with a zone offset.  Proleptic Gregorian, years 1 to 9999, no leap seconds. */
#pragma once

#include "base/base.h"

struct civil {
	int year, month, day;     /* month 1-12, day 1-31 */
	int hour, minute, second; /* second 0-60 */
	int weekday;              /* 0 Sunday; set by civil_from_unix() only */
	int zone_minutes;         /* east of UTC */
};

/* What a clock in that zone shows at that moment. */
struct civil civil_from_unix(int64_t unix_s, int zone_minutes);
/* The moment; the fields may be out of range, they are carried over. */
int64_t civil_to_unix(struct civil at);
/* True if year, month, day, hour, minute and second are a date that exists. */
bool civil_is_valid(struct civil at);
