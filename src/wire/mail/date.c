#include "wire/mail/date.h"

#include "base/civil.h"
#include "base/num.h"

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char weekdays[] = "SunMonTueWedThuFriSat";

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return is_ascii_digit((unsigned char)c);
}

/* 1 to 12, or 0 if the word's first three letters are no month's. */
static int month_of(struct str word)
{
	for (int m = 0; m < 12 && word.len >= 3; m++)
		if (str_same_nocase(str_first(word, 3), (struct str){months + m * 3, 3}))
			return m + 1;
	return 0;
}

/* Hours east of UTC.  RFC 5322 §4.3. */
static const struct {
	char name[4];
	int hours;
} zones[] = {
	{"UT", 0},   {"GMT", 0},  {"UTC", 0},  {"Z", 0},    {"EST", -5}, {"EDT", -4},
	{"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7},
};

/* What the words and numbers of a date gave so far. */
struct found {
	struct civil at; /* day and month 0, year -1 until seen */
	bool has_time, has_zone, zone_is_unknown;
};

static void on_word(struct found *f, struct str word)
{
	int month = month_of(word);

	if (month && f->at.month == 0) {
		f->at.month = month;
		return;
	}
	if (!f->has_time || f->has_zone)
		return; /* a weekday */
	for (size_t i = 0; i < COUNT_OF(zones); i++) {
		if (str_same_nocase(word, str_c(zones[i].name))) {
			f->at.zone_minutes = zones[i].hours * 60;
			f->has_zone = true;
			f->zone_is_unknown = false;
			return;
		}
	}
}

static void on_number(struct found *f, int number, size_t digits)
{
	if (f->at.day == 0) {
		f->at.day = number;
	} else if (f->at.year < 0) { /* OBS_YEAR: RFC 5322 §4.3 */
		if (digits <= 2)
			number += number < 50 ? 2000 : 1900;
		else if (digits == 3)
			number += 1900;
		f->at.year = number;
	}
}

/* The number at the cursor of at most 9 digits, or -1; *digits is how many there were. */
static int number_at(struct str text, size_t *at, size_t *digits)
{
	size_t from = *at;
	uint64_t number = 0;

	while (*at < text.len && is_digit(text.ptr[*at]))
		(*at)++;
	*digits = *at - from;
	if (!num_parse((struct str){text.ptr + from, *digits}, 999999999, &number))
		return -1;
	return (int)number;
}

/* ":" mm [":" ss] after the hour. */
static bool time_at(struct str text, size_t *at, int hour, struct found *f)
{
	size_t digits;

	(*at)++;
	f->at.hour = hour;
	f->at.minute = number_at(text, at, &digits);
	f->has_time = true;
	if (*at < text.len && text.ptr[*at] == ':') {
		(*at)++;
		f->at.second = number_at(text, at, &digits);
	}
	return f->at.minute >= 0 && f->at.second >= 0;
}

/* "+hhmm" or "-hhmm" after the time. */
static void zone_at(struct str text, size_t *at, struct found *f)
{
	bool is_west = text.ptr[(*at)++] == '-';
	size_t digits;
	int number = number_at(text, at, &digits);

	if (digits != 4 || number < 0 || number % 100 > 59 || number / 100 > 23)
		return;
	int minutes = number / 100 * 60 + number % 100;

	f->at.zone_minutes = is_west ? -minutes : minutes;
	f->zone_is_unknown = is_west && minutes == 0; /* RFC 5322 §3.3 */
	f->has_zone = true;
}

/* Past a comment and those inside it, or past the rest if it has no end. */
static size_t comment_end(struct str text, size_t at)
{
	size_t depth = 0;

	for (; at < text.len; at++) {
		if (text.ptr[at] == '\\')
			at++;
		else if (text.ptr[at] == '(')
			depth++;
		else if (text.ptr[at] == ')' && --depth == 0)
			return at + 1;
	}
	return text.len;
}

static bool scan(struct str text, struct found *f)
{
	size_t at = 0, digits;

	while (at < text.len) {
		char c = text.ptr[at];

		if (c == '(') {
			at = comment_end(text, at);
		} else if (is_alpha(c)) {
			size_t from = at;

			while (at < text.len && is_alpha(text.ptr[at]))
				at++;
			on_word(f, (struct str){text.ptr + from, at - from});
		} else if (is_digit(c)) {
			int number = number_at(text, &at, &digits);
			bool is_hour = at < text.len && text.ptr[at] == ':';

			if (number < 0)
				return false;
			if (!is_hour || f->has_time)
				on_number(f, number, digits);
			else if (!time_at(text, &at, number, f))
				return false;
		} else if ((c == '+' || c == '-') && f->has_time) {
			zone_at(text, &at, f);
		} else {
			at++;
		}
	}
	return true;
}

bool mail_date_parse(struct str value, struct mail_date *date)
{
	struct found f = {.at.year = -1, .zone_is_unknown = true};

	if (!scan(str_first(value, 1000), &f) || !civil_is_valid(f.at))
		return false;
	*date = (struct mail_date){.unix_s = civil_to_unix(f.at),
				   .zone_minutes = f.at.zone_minutes,
				   .zone_is_unknown = f.zone_is_unknown};
	return true;
}

static void add_zone(struct buf *buf, int zone_minutes)
{
	int m = zone_minutes < 0 ? -zone_minutes : zone_minutes;

	buf_printf(buf, "%c%02d%02d", zone_minutes < 0 ? '-' : '+', m / 60, m % 60);
}

void mail_date_add(struct buf *buf, int64_t unix_s, int zone_minutes)
{
	struct civil at = civil_from_unix(unix_s, zone_minutes);

	buf_printf(buf, "%.3s, %d %.3s %04d %02d:%02d:%02d ", weekdays + at.weekday * 3,
		   at.day, months + (at.month - 1) * 3, at.year, at.hour, at.minute,
		   at.second);
	add_zone(buf, zone_minutes);
}

void imap_date_time_add(struct buf *buf, int64_t unix_s, int zone_minutes)
{
	struct civil at = civil_from_unix(unix_s, zone_minutes);

	buf_printf(buf, "%2d-%.3s-%04d %02d:%02d:%02d ", at.day,
		   months + (at.month - 1) * 3, at.year, at.hour, at.minute, at.second);
	add_zone(buf, zone_minutes);
}

/* The digits at [from, from+len) as a number, or -1. */
static int fixed(struct str text, size_t from, size_t len)
{
	uint64_t number;

	if (!num_parse((struct str){text.ptr + from, len}, 9999, &number))
		return -1;
	return (int)number;
}

bool imap_date_time_parse(struct str text, struct mail_date *date)
{
	static const char form[] = "dd-mmm-dddd dd:dd:dd sdddd";

	if (text.len != sizeof form - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool fits = form[i] == 'd'   ? is_digit(c) || (i == 0 && c == ' ')
			    : form[i] == 'm' ? is_alpha(c)
			    : form[i] == 's' ? c == '+' || c == '-'
					     : c == form[i];

		if (!fits)
			return false;
	}
	size_t pad = text.ptr[0] == ' ';
	struct civil at = {
		.day = fixed(text, pad, 2 - pad),
		.month = month_of((struct str){text.ptr + 3, 3}),
		.year = fixed(text, 7, 4),
		.hour = fixed(text, 12, 2),
		.minute = fixed(text, 15, 2),
		.second = fixed(text, 18, 2),
		.zone_minutes = fixed(text, 22, 2) * 60 + fixed(text, 24, 2),
	};

	if (!civil_is_valid(at) || at.zone_minutes >= 24 * 60)
		return false;
	if (text.ptr[21] == '-')
		at.zone_minutes = -at.zone_minutes;
	*date = (struct mail_date){.unix_s = civil_to_unix(at),
				   .zone_minutes = at.zone_minutes};
	return true;
}
