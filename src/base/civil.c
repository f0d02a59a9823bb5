#include "base/civil.h"

/* Days from 1970-01-01 to the day, counting years from March so that the leap day is the
 * last of its year. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

struct civil civil_from_unix(int64_t unix_s, int zone_minutes)
{
	int64_t local = unix_s + (int64_t)zone_minutes * 60;
	int64_t days = local / 86400, rest = local % 86400;

	if (rest < 0) {
		rest += 86400;
		days--;
	}
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t doe = shifted - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);

	return (struct civil){
		.year = (int)(yoe + era * 400 + (month <= 2)),
		.month = month,
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
		.hour = (int)(rest / 3600),
		.minute = (int)(rest / 60 % 60),
		.second = (int)(rest % 60),
		.weekday = (int)(((days % 7) + 11) % 7),
		.zone_minutes = zone_minutes,
	};
}

int64_t civil_to_unix(struct civil at)
{
	return days_from_civil(at.year, at.month, at.day) * 86400 +
	       (int64_t)at.hour * 3600 + (int64_t)at.minute * 60 + at.second -
	       (int64_t)at.zone_minutes * 60;
}

bool civil_is_valid(struct civil at)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (at.year % 4 == 0 && at.year % 100 != 0) || at.year % 400 == 0;

	if (at.year < 1 || at.year > 9999 || at.month < 1 || at.month > 12)
		return false;
	if (at.day < 1 || at.day > days[at.month - 1])
		return false;
	if (at.month == 2 && at.day == 29 && !is_leap)
		return false;
	return at.hour >= 0 && at.hour <= 23 && at.minute >= 0 && at.minute <= 59 &&
	       at.second >= 0 && at.second <= 60;
}
