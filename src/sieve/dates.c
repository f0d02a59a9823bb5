#include "sieve/dates.h"

#include "base/civil.h"
#include "base/num.h"
#include "sieve/compiler.h"
#include "sieve/fields.h"
#include "sieve/match.h"
#include "wire/mail/date.h"

enum { MODIFIED_JULIAN_1970 = 40587, SECONDS_OF_DAY = 86400 };

/* ---- zones ------------------------------------------------------------------------- */

/* time-zone = ( "+" / "-" ) 4DIGIT */
static bool zone_parse(struct str text, int *minutes)
{
	uint64_t number;

	if (text.len != 5 || (text.ptr[0] != '+' && text.ptr[0] != '-') ||
	    !num_parse(str_skip(text, 1), 9999, &number) || number % 100 > 59)
		return false;
	*minutes = (int)(number / 100 * 60 + number % 100);
	if (text.ptr[0] == '-')
		*minutes = -*minutes;
	return true;
}

/* The zone that the test is about; original_minutes is that of the field. */
static bool zone_of(struct sieve_run *run, const struct sieve_call *call,
		    int original_minutes, int *minutes)
{
	const struct sieve_given *given = &call->given[SIEVE_GROUP_ZONE];
	struct str text;

	*minutes = run->mail->zone_minutes;
	if (!given->tag)
		return true;
	*minutes = original_minutes;
	if (given->tag->id == SIEVE_TAG_ORIGINALZONE)
		return true;
	text = run_text(run, &given->value.texts[0], call->line);
	if (zone_parse(text, minutes))
		return true;
	run_fail(run, call->line, "\"%.*s\" is no time zone; those look like \"+0100\".",
		 STR_FMT(str_first(text, 100)));
	return false;
}

/* ---- parts ------------------------------------------------------------------------- */

enum part {
	PART_YEAR,
	PART_MONTH,
	PART_DAY,
	PART_DATE,
	PART_JULIAN,
	PART_HOUR,
	PART_MINUTE,
	PART_SECOND,
	PART_TIME,
	PART_ISO8601,
	PART_STD11,
	PART_ZONE,
	PART_WEEKDAY,
};

static bool part_find(struct str name, enum part *part)
{
	static const struct str names[] = {
		[PART_YEAR] = STR("year"),       [PART_MONTH] = STR("month"),
		[PART_DAY] = STR("day"),         [PART_DATE] = STR("date"),
		[PART_JULIAN] = STR("julian"),   [PART_HOUR] = STR("hour"),
		[PART_MINUTE] = STR("minute"),   [PART_SECOND] = STR("second"),
		[PART_TIME] = STR("time"),       [PART_ISO8601] = STR("iso8601"),
		[PART_STD11] = STR("std11"),     [PART_ZONE] = STR("zone"),
		[PART_WEEKDAY] = STR("weekday"),
	};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (str_same_nocase(names[i], name)) {
			*part = (enum part)i;
			return true;
		}
	}
	return false;
}

/* "+0100", or "+01:00" with a colon. */
static void add_zone(struct buf *out, int minutes, const char *colon)
{
	int positive = minutes < 0 ? -minutes : minutes;

	buf_printf(out, "%c%02d%s%02d", minutes < 0 ? '-' : '+', positive / 60, colon,
		   positive % 60);
}

static void add_date(struct buf *out, const struct civil *at)
{
	buf_printf(out, "%04d-%02d-%02d", at->year, at->month, at->day);
}

static void add_time(struct buf *out, const struct civil *at)
{
	buf_printf(out, "%02d:%02d:%02d", at->hour, at->minute, at->second);
}

static int64_t julian(int64_t unix_s, int zone_minutes)
{
	int64_t local_s = unix_s + zone_minutes * (int64_t)60;
	int64_t day = local_s / SECONDS_OF_DAY - (local_s % SECONDS_OF_DAY < 0);

	return day + MODIFIED_JULIAN_1970;
}

/* RFC 5260 §4.2 */
static void add_part(struct buf *out, enum part part, int64_t unix_s, int zone_minutes)
{
	struct civil at = civil_from_unix(unix_s, zone_minutes);

	switch (part) {
	case PART_YEAR:
		buf_printf(out, "%04d", at.year);
		return;
	case PART_MONTH:
		buf_printf(out, "%02d", at.month);
		return;
	case PART_DAY:
		buf_printf(out, "%02d", at.day);
		return;
	case PART_DATE:
		add_date(out, &at);
		return;
	case PART_JULIAN:
		buf_printf(out, "%lld", (long long)julian(unix_s, zone_minutes));
		return;
	case PART_HOUR:
		buf_printf(out, "%02d", at.hour);
		return;
	case PART_MINUTE:
		buf_printf(out, "%02d", at.minute);
		return;
	case PART_SECOND:
		buf_printf(out, "%02d", at.second);
		return;
	case PART_TIME:
		add_time(out, &at);
		return;
	case PART_ISO8601:
		add_date(out, &at);
		buf_add_byte(out, 'T');
		add_time(out, &at);
		if (zone_minutes == 0) /* "a time zone offset of zero MUST be "Z"" */
			buf_add_byte(out, 'Z');
		else
			add_zone(out, zone_minutes, ":");
		return;
	case PART_STD11:
		mail_date_add(out, unix_s, zone_minutes);
		return;
	case PART_ZONE:
		add_zone(out, zone_minutes, "");
		return;
	case PART_WEEKDAY:
		buf_printf(out, "%d", at.weekday);
		return;
	}
}

/* ---- tests ------------------------------------------------------------------------- */

/* The call's arguments end in the part and the keys. */
static bool date_matches(struct sieve_run *run, const struct sieve_call *call,
			 struct match *match, size_t part_at,
			 const struct mail_date *date)
{
	SCOPED(buf_fini) struct buf out = BUF(100);
	struct str name = run_string(run, call, part_at);
	enum part part;
	int zone_minutes;

	if (!part_find(name, &part)) {
		run_fail(run, call->line, "A date has no part \"%.*s\".",
			 STR_FMT(str_first(name, 100)));
		return false;
	}
	if (!zone_of(run, call, date->zone_minutes, &zone_minutes))
		return false;
	add_part(&out, part, date->unix_s, zone_minutes);
	return match_value(match, run_copy(run, buf_str(&out), call->line));
}

/* RFC 5260 §5 */
bool test_currentdate(struct sieve_run *run, const struct sieve_call *call)
{
	struct mail_date now = {.unix_s = run->mail->now_s,
				.zone_minutes = run->mail->zone_minutes};
	struct match match = match_begin(run, call, 1);

	return date_matches(run, call, &match, 0, &now) || match_end(&match);
}

/* RFC 5260 §4: the whole field, or what stands behind its last semicolon. */
static bool field_date(struct str value, struct mail_date *date)
{
	size_t semicolon = str_rfind_byte(value, ';');

	return mail_date_parse(
		semicolon < value.len ? str_skip(value, semicolon + 1) : value, date);
}

bool test_date(struct sieve_run *run, const struct sieve_call *call)
{
	struct match match = match_begin(run, call, 2);
	struct fields fields = fields_begin(run, call, 0);
	const struct mail_field *field;
	struct mail_date date;

	/* "only the first field that is found is used" */
	if (fields_next(&fields, &field) &&
	    run_spend(run, (uint64_t)RUN_DECODE_STEPS * field->value.len, call->line) &&
	    field_date(field->value, &date) && date_matches(run, call, &match, 1, &date))
		return true;
	return match_end(&match);
}

/* ---- checks ------------------------------------------------------------------------ */

static bool check_parts(struct compiler *compiler, const struct sieve_call *call,
			size_t part_at)
{
	const struct str *zone = compile_constant(&call->given[SIEVE_GROUP_ZONE].value);
	const struct str *name = compile_constant(&call->arguments[part_at]);
	enum part part;
	int minutes;

	if (zone && !zone_parse(*zone, &minutes))
		return sieve_wrong(compiler, call->line,
				   "\"%.*s\" is no time zone; those look like \"+0100\".",
				   STR_FMT(str_first(*zone, 100)));
	return !name || part_find(*name, &part) ||
	       sieve_wrong(compiler, call->line, "A date has no part \"%.*s\".",
			   STR_FMT(str_first(*name, 100)));
}

bool check_date(struct compiler *compiler, struct sieve_call *call)
{
	return check_parts(compiler, call, 1) && check_index(compiler, call);
}

bool check_currentdate(struct compiler *compiler, struct sieve_call *call)
{
	if (run_has_tag(call, SIEVE_GROUP_ZONE, SIEVE_TAG_ORIGINALZONE))
		return sieve_wrong(compiler, call->line,
				   "The test \"currentdate\" does not take the tag "
				   "\":originalzone\".");
	return check_parts(compiler, call, 0);
}
