#include "wire/auth/tls_report.h"

#include "base/civil.h"
#include "base/num.h"
#include "base/utf8.h"
#include "wire/json/json.h"

/* ---- RFC 3339 §5.6 ----------------------------------------------------------------- */

static bool take_number(struct cursor *c, int digits, int *number)
{
	if (c->end - c->at < digits)
		return false;
	*number = 0;
	for (int i = 0; i < digits; i++) {
		if (c->at[i] < '0' || c->at[i] > '9')
			return false;
		*number = *number * 10 + (c->at[i] - '0');
	}
	c->at += digits;
	return true;
}

/* full-date */
static bool take_date(struct cursor *c, struct civil *at)
{
	return take_number(c, 4, &at->year) && cur_byte(c, '-') &&
	       take_number(c, 2, &at->month) && cur_byte(c, '-') &&
	       take_number(c, 2, &at->day);
}

/* partial-time; a fraction is passed over */
static bool take_time(struct cursor *c, struct civil *at)
{
	if (!take_number(c, 2, &at->hour) || !cur_byte(c, ':') ||
	    !take_number(c, 2, &at->minute) || !cur_byte(c, ':') ||
	    !take_number(c, 2, &at->second))
		return false;
	if (!cur_byte(c, '.'))
		return true;
	int digit;

	if (!take_number(c, 1, &digit))
		return false;
	while (take_number(c, 1, &digit))
		;
	return true;
}

/* time-offset */
static bool take_offset(struct cursor *c, struct civil *at)
{
	int hour, minute;

	at->zone_minutes = 0;
	if (cur_byte(c, 'Z') || cur_byte(c, 'z'))
		return true;
	bool is_west = cur_sees(*c, '-');

	if (!cur_byte(c, '+') && !cur_byte(c, '-'))
		return false;
	if (!take_number(c, 2, &hour) || !cur_byte(c, ':') ||
	    !take_number(c, 2, &minute) || hour > 23 || minute > 59)
		return false;
	at->zone_minutes = (hour * 60 + minute) * (is_west ? -1 : 1);
	return true;
}

bool tls_report_time(struct str text, int64_t *at)
{
	struct cursor c = cur_over(text);
	struct civil civil = {0};

	if (!take_date(&c, &civil) ||
	    (!cur_byte(&c, 'T') && !cur_byte(&c, 't') && !cur_byte(&c, ' ')) ||
	    !take_time(&c, &civil) || !take_offset(&c, &civil) || !cur_done(c) ||
	    !civil_is_valid(civil))
		return false;
	*at = civil_to_unix(civil);
	return true;
}

/* ---- values ------------------------------------------------------------------------ */

struct reading {
	struct arena *arena;
	struct tls_report *report;
};

/* "" for what is no string. */
static struct str text_of(struct reading *r, struct str value)
{
	struct str text;

	if (!js_text(value, r->arena, &text))
		return STR("");
	r->report->is_cut |= text.len > TLS_REPORT_TEXT_MAX;
	return utf8_first(text, TLS_REPORT_TEXT_MAX);
}

static uint64_t count_of(struct reading *r, struct str value)
{
	uint64_t count = 0;

	if (!js_count(value, INT64_MAX, &count)) /* COUNT_AS_STRING */
		if (!js_count(text_of(r, value), INT64_MAX, &count))
			return 0;
	return count;
}

static size_t items_in(struct str value, size_t max, struct reading *r)
{
	struct js_items items;
	struct str name, item;
	size_t count = 0;

	if (!js_array(value, &items))
		return 0;
	while (js_next(&items, &name, &item))
		count++;
	r->report->is_cut |= count > max;
	return num_min(count, max);
}

static void read_lines(struct reading *r, struct str value, struct str **lines,
		       size_t *count)
{
	size_t want = items_in(value, TLS_REPORT_LINES_MAX, r);
	struct js_items items;
	struct str name, item;

	*count = 0;
	if (!js_array(value, &items)) { /* STRING_FOR_LIST, or null */
		*lines = ARENA_ARRAY(r->arena, struct str, 1);
		if (*lines && value.ptr[0] == '"')
			(*lines)[(*count)++] = text_of(r, value);
		return;
	}
	*lines = ARENA_ARRAY(r->arena, struct str, want + 1);
	while (*lines && *count < want && js_next(&items, &name, &item))
		(*lines)[(*count)++] = text_of(r, item);
	r->report->is_cut |= *count < want;
}

/* ---- the schema: RFC 8460 §4.4 ----------------------------------------------------- */

static void read_detail(struct reading *r, struct str value,
			struct tls_report_detail *detail)
{
	const struct {
		struct str name, *place;
	} texts[] = {
		{STR("result-type"), &detail->type},
		{STR("sending-mta-ip"), &detail->sending_ip},
		{STR("receiving-mx-hostname"), &detail->mx},
		{STR("receiving-mx-helo"), &detail->helo},
		{STR("receiving-ip"), &detail->receiving_ip},
		{STR("additional-information"), &detail->more},
		{STR("failure-reason-code"), &detail->reason},
	};
	struct js_items items;
	struct str name, item;

	*detail = (struct tls_report_detail){.sessions = 0};
	if (!js_object(value, &items))
		return;
	while (js_next(&items, &name, &item)) {
		if (js_is(name, STR("failed-session-count")))
			detail->sessions = count_of(r, item);
		for (size_t i = 0; i < COUNT_OF(texts); i++)
			if (js_is(name, texts[i].name))
				*texts[i].place = text_of(r, item);
	}
}

static void read_details(struct reading *r, struct str value,
			 struct tls_report_policy *policy)
{
	size_t want = items_in(value, TLS_REPORT_DETAILS_MAX, r);
	struct js_items items;
	struct str name, item;

	policy->detail_count = 0;
	policy->details = ARENA_ARRAY(r->arena, struct tls_report_detail, want + 1);
	r->report->is_cut |= !policy->details;
	if (!policy->details || !js_array(value, &items))
		return;
	while (policy->detail_count < want && js_next(&items, &name, &item))
		read_detail(r, item, &policy->details[policy->detail_count++]);
}

static void read_what(struct reading *r, struct str value,
		      struct tls_report_policy *policy)
{
	struct js_items items;
	struct str name, item;

	if (!js_object(value, &items))
		return;
	while (js_next(&items, &name, &item)) {
		if (js_is(name, STR("policy-type")))
			policy->type = text_of(r, item);
		else if (js_is(name, STR("policy-domain")))
			policy->domain = text_of(r, item);
		else if (js_is(name, STR("policy-string")))
			read_lines(r, item, &policy->lines, &policy->line_count);
		else if (js_is(name, STR("mx-host")))
			read_lines(r, item, &policy->mx, &policy->mx_count);
	}
}

static void read_summary(struct reading *r, struct str value,
			 struct tls_report_policy *policy)
{
	struct js_items items;
	struct str name, item;

	if (!js_object(value, &items))
		return;
	while (js_next(&items, &name, &item)) {
		if (js_is(name, STR("total-successful-session-count")))
			policy->good = count_of(r, item);
		else if (js_is(name, STR("total-failure-session-count")))
			policy->bad = count_of(r, item);
	}
}

static void read_policy(struct reading *r, struct str value,
			struct tls_report_policy *policy)
{
	struct js_items items;
	struct str name, item;

	*policy = (struct tls_report_policy){.good = 0};
	if (!js_object(value, &items))
		return;
	while (js_next(&items, &name, &item)) {
		if (js_is(name, STR("policy")))
			read_what(r, item, policy);
		else if (js_is(name, STR("summary")))
			read_summary(r, item, policy);
		else if (js_is(name, STR("failure-details")))
			read_details(r, item, policy);
	}
}

static bool read_policies(struct reading *r, struct str value)
{
	size_t want = items_in(value, TLS_REPORT_POLICIES_MAX, r);
	struct tls_report *report = r->report;
	struct js_items items;
	struct str name, item;

	report->count = 0;
	report->policies = ARENA_ARRAY(r->arena, struct tls_report_policy, want + 1);
	report->is_cut |= !report->policies;
	if (!report->policies || !js_array(value, &items))
		return false;
	while (report->count < want && js_next(&items, &name, &item))
		read_policy(r, item, &report->policies[report->count++]);
	return true;
}

/* What cannot be read stays 0. */
static void read_range(struct reading *r, struct str value)
{
	struct js_items items;
	struct str name, item;

	if (!js_object(value, &items))
		return;
	while (js_next(&items, &name, &item)) {
		int64_t at = 0;

		if (!tls_report_time(text_of(r, item), &at))
			continue;
		if (js_is(name, STR("start-datetime")))
			r->report->begin = at;
		else if (js_is(name, STR("end-datetime")))
			r->report->end = at;
	}
}

bool tls_report_parse(struct str json, struct arena *arena, struct tls_report *report)
{
	struct reading r = {arena, report};
	struct js_items items;
	struct str name, item, whole;
	bool has_policies = false;

	*report = (struct tls_report){.count = 0};
	if (str_starts(json, STR("\xef\xbb\xbf"))) /* BYTE_ORDER_MARK */
		json = str_skip(json, 3);
	struct cursor c = cur_over(json);

	if (json.len > TLS_REPORT_BYTES_MAX || !js_take(&c, &whole) || !cur_done(c) ||
	    !js_object(whole, &items))
		return false;
	while (js_next(&items, &name, &item)) {
		if (js_is(name, STR("organization-name")))
			report->organization = text_of(&r, item);
		else if (js_is(name, STR("contact-info")))
			report->contact = text_of(&r, item);
		else if (js_is(name, STR("report-id")))
			report->id = text_of(&r, item);
		else if (js_is(name, STR("date-range")))
			read_range(&r, item);
		else if (js_is(name, STR("policies")))
			has_policies |= read_policies(&r, item);
	}
	return has_policies;
}
