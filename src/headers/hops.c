#include "headers/part.h"

static void read_hops(struct work *work)
{
	struct headers *headers = work->headers;
	size_t count = headers_count(work, "Received"), room = count;

	if (room > HEADERS_HOPS_MAX)
		room = HEADERS_HOPS_MAX;
	headers->is_cut |= room < count;
	headers->hops = ARENA_ARRAY(work->arena, struct headers_hop, room + 1);
	work->hop_fields = ARENA_ARRAY(work->arena, size_t, room + 1);
	if (!headers->hops || !work->hop_fields)
		return;
	/* The newest stand first; those beyond the bound are the oldest. */
	for (size_t i = 0; i < work->header.count && headers->hop_count < room; i++) {
		const struct mail_field *field = &work->header.fields[i];
		size_t place = room - 1 - headers->hop_count;
		struct headers_hop *hop = &headers->hops[place];

		if (!str_same_nocase(field->name, STR("Received")))
			continue;
		headers->hop_count++;
		work->hop_fields[place] = i;
		if (!mail_unfold(work->arena,
				 str_first(field->value, MAIL_RECEIVED_BYTES_MAX),
				 &hop->text))
			headers->is_cut = true;
		hop->is_understood = mail_received_parse(hop->text, &hop->received);
		headers->not_understood += !hop->is_understood;
	}
}

static void measure(struct headers *headers)
{
	const struct headers_hop *first = NULL, *before = NULL;

	for (size_t i = 0; i < headers->hop_count; i++) {
		struct headers_hop *hop = &headers->hops[i];

		if (!hop->received.has_date)
			continue;
		if (before) {
			hop->has_delay = true;
			hop->delay_s =
				hop->received.date.unix_s - before->received.date.unix_s;
			hop->is_skewed = hop->delay_s < -HEADERS_SKEW_S;
		}
		first = first ? first : hop;
		before = hop;
	}
	if (!first || first == before)
		return;
	headers->total_s = before->received.date.unix_s - first->received.date.unix_s;
	headers->has_total = headers->total_s >= 0;
}

static bool is_from_outside(const struct work *work, const struct headers_hop *hop)
{
	return hop->received.has_ip && ip_is_public(&hop->received.ip) &&
	       !headers_is_trusted(work, hop->received.reverse);
}

/* The topmost server that says its name.  What stands above it was written later, within
 * a machine. */
static void assume(struct headers *headers)
{
	for (size_t i = headers->hop_count; i > 0; i--) {
		const struct headers_hop *hop = &headers->hops[i - 1];

		if (hop->received.by.len > 0) {
			headers->trust = HEADERS_TRUST_ASSUMED;
			headers->trusted = hop->received.by;
			return;
		}
		if (hop->received.has_ip && ip_is_public(&hop->received.ip))
			return;
	}
}

/* From the top down.  Steps inside a machine are passed over, but do not count by
 * themselves; the first field that takes the mail from outside is the last that is looked
 * at, since anybody may have written what is below it. */
static void draw_line(struct work *work)
{
	struct headers *headers = work->headers;
	size_t verified = headers->hop_count;

	for (size_t i = headers->hop_count; i > 0; i--) {
		const struct headers_hop *hop = &headers->hops[i - 1];
		bool is_ours = headers_is_trusted(work, hop->received.by);

		if (is_ours) {
			verified = i - 1;
			if (headers->trust == HEADERS_TRUST_NONE) {
				headers->trust = HEADERS_TRUST_NAMED;
				headers->trusted = hop->received.by;
			}
		}
		if (is_from_outside(work, hop) ||
		    (!is_ours && hop->received.by.len > 0 && hop->received.has_ip))
			break;
	}
	headers->edge = verified;
	for (size_t i = verified; i < headers->hop_count; i++)
		headers->hops[i].is_verified = true;
}

static void find_origin(struct work *work)
{
	struct headers *headers = work->headers;

	for (size_t i = 0; i < headers->hop_count && !headers->has_origin; i++) {
		const struct headers_hop *hop = &headers->hops[i];

		headers->has_origin =
			hop->received.has_ip && ip_is_public(&hop->received.ip);
		headers->origin = hop->received.ip;
		headers->is_origin_verified = headers->has_origin && hop->is_verified &&
					      headers->trust == HEADERS_TRUST_NAMED;
	}
	headers->originating = headers_value(work, "X-Originating-IP");
}

void headers_find_hops(struct work *work)
{
	struct headers *headers = work->headers;

	read_hops(work);
	measure(headers);
	draw_line(work);
	if (headers->trust == HEADERS_TRUST_NONE) {
		assume(headers);
		draw_line(work);
	}
	find_origin(work);
}
