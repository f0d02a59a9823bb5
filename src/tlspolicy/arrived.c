#include "tlspolicy/arrived.h"

#include "report/received.h"
#include "rt/task.h"
#include "tlspolicy/received.h"

struct reading {
	struct str bytes;
	struct arena *arena;
	struct kept *list;
	size_t count;
	enum arrived arrived;
};

static bool is_listed(const struct reading *reading, struct str domain)
{
	for (size_t i = 0; i < reading->count; i++)
		if (str_same_nocase(reading->list[i].domain, domain))
			return true;
	return false;
}

static bool list_tls(struct reading *reading, const struct tls_report *report)
{
	reading->list = ARENA_ARRAY(reading->arena, struct kept, report->count + 1);
	for (size_t i = 0; reading->list && i < report->count; i++) {
		struct str domain = report->policies[i].domain;

		if (is_listed(reading, domain))
			continue;
		if (!kept_of_tls(report, domain, reading->arena,
				 &reading->list[reading->count]))
			return false;
		reading->count++;
	}
	return reading->list;
}

static enum arrived read_tls(struct reading *reading)
{
	struct tls_report report;

	switch (received_read(reading->bytes, reading->arena, &report)) {
	case RECEIVED_REPORT:
		return list_tls(reading, &report) ? ARRIVED_REPORT : ARRIVED_BAD;
	case RECEIVED_OTHER:
		return ARRIVED_OTHER;
	case RECEIVED_DAMAGED:
	case RECEIVED_LONG:
		break;
	}
	return ARRIVED_BAD;
}

static enum arrived read_dmarc(struct reading *reading)
{
	struct dmarc_report report;
	struct received_failure failure;

	switch (received_dmarc_read(reading->bytes, reading->arena, &report, &failure)) {
	case RECEIVED_DMARC_REPORT:
		reading->list = ARENA_NEW(reading->arena, struct kept);
		reading->count = 1;
		return reading->list && kept_of_dmarc(&report, reading->arena,
						      reading->list)
			       ? ARRIVED_REPORT
			       : ARRIVED_BAD;
	case RECEIVED_DMARC_OTHER:
	case RECEIVED_DMARC_FAILURE:
		return ARRIVED_OTHER;
	case RECEIVED_DMARC_DAMAGED:
	case RECEIVED_DMARC_REFUSED:
	case RECEIVED_DMARC_LONG:
		break;
	}
	return ARRIVED_BAD;
}

/* gzip alone does not say which it is: what one cannot read may be the other. */
static void read_either(void *arg)
{
	struct reading *reading = arg;
	enum arrived tls = read_tls(reading);

	if (tls == ARRIVED_REPORT) {
		reading->arrived = tls;
		return;
	}
	reading->arrived = read_dmarc(reading);
	if (reading->arrived == ARRIVED_OTHER)
		reading->arrived = tls;
}

enum arrived arrived_read(struct str bytes, struct arena *arena, struct kept **list,
			  size_t *count)
{
	struct reading reading = {.bytes = bytes, .arena = arena};

	on_big_stack(read_either, &reading); /* for libxml2 */
	*list = reading.list;
	*count = reading.arrived == ARRIVED_REPORT ? reading.count : 0;
	return reading.arrived;
}
