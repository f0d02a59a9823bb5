#include <jansson.h>

#include "ctl/headers_say.h"
#include "ctl/word.h"

static json_t *address(bool has, const struct ip *ip)
{
	char text[IP_TEXT_BYTES];

	return has ? ctl_json(ip_text(ip, text)) : json_null();
}

static json_t *number(bool has, int64_t value)
{
	return has ? json_integer((json_int_t)value) : json_null();
}

static json_t *hop(const struct headers_hop *hop)
{
	const struct mail_received *r = &hop->received;
	json_t *json = json_pack(
		"{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "from",
		ctl_json(r->from), "helo", ctl_json(r->helo), "reverse",
		ctl_json(r->reverse), "address", address(r->has_ip, &r->ip), "by",
		ctl_json(r->by), "via", ctl_json(r->via), "with", ctl_json(r->with), "id",
		ctl_json(r->id), "for", ctl_json(r->rcpt), "envelope_from",
		ctl_json(r->sender), "tls", ctl_json(r->tls));
	json_t *more = json_pack("{s:o,s:o,s:b,s:b,s:b,s:b,s:o}", "time",
				 number(r->has_date, r->date.unix_s), "delay",
				 number(hop->has_delay, hop->delay_s), "skewed",
				 (int)hop->is_skewed, "inside", (int)r->is_inside,
				 "understood", (int)hop->is_understood, "verified",
				 (int)hop->is_verified, "text", ctl_json(hop->text));

	(void)json_object_update(json, more); /* then they are missing */
	json_decref(more);
	return json;
}

static json_t *hops(const struct headers *headers)
{
	json_t *list = json_array();

	for (size_t i = 0; i < headers->hop_count; i++)
		(void)json_array_append_new(list, hop(&headers->hops[i]));
	return list;
}

static json_t *claims(const struct headers *headers)
{
	json_t *list = json_array();

	for (size_t i = 0; i < headers->claim_count; i++) {
		const struct headers_claim *claim = &headers->claims[i];

		(void)json_array_append_new(
			list, json_pack("{s:s,s:o,s:b,s:o,s:o,s:o,s:o}", "field",
					claim->field, "by", ctl_json(claim->by),
					"verified", (int)claim->is_verified, "method",
					ctl_json(claim->method), "result",
					ctl_json(claim->result), "about",
					ctl_json(claim->about), "sentence",
					ctl_json(claim->sentence)));
	}
	return list;
}

static json_t *checks(const struct headers *headers)
{
	json_t *all = json_object();

	for (size_t i = 0; i < HEADERS_METHODS; i++) {
		const struct headers_check *check = &headers->checks[i];

		(void)json_object_set_new(
			all, headers_method_name((enum headers_method)i),
			json_pack("{s:b,s:o,s:o,s:o}", "done", (int)check->is_done,
				  "result", ctl_json(check->result), "about",
				  ctl_json(check->about), "sentence",
				  ctl_json(check->sentence)));
	}
	return all;
}

static json_t *notes(const struct headers *headers)
{
	json_t *list = json_array();

	for (size_t i = 0; i < headers->note_count; i++)
		(void)json_array_append_new(
			list, json_pack("{s:s,s:s,s:o}", "weight",
					headers_weight_name(headers->notes[i].weight),
					"code", headers->notes[i].code, "sentence",
					ctl_json(headers->notes[i].sentence)));
	return list;
}

static json_t *trust(const struct headers *headers)
{
	bool has_edge = headers->edge < headers->hop_count;

	return json_pack("{s:s,s:o,s:o}", "kind", headers_trust_name(headers->trust),
			 "name", ctl_json(headers->trusted), "hop",
			 number(has_edge, (int64_t)headers->edge));
}

json_t *headers_json(const struct headers *headers)
{
	json_t *json = json_pack(
		"{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "verdict",
		headers_word_name(headers->word), "sentence", ctl_json(headers->sentence),
		"from", ctl_json(headers->from), "from_address",
		ctl_json(headers->from_address), "subject", ctl_json(headers->subject),
		"date", ctl_json(headers->date), "message_id",
		ctl_json(headers->message_id), "return_path",
		headers->has_return_path ? ctl_json(headers->return_path) : json_null());
	json_t *more = json_pack(
		"{s:o,s:o,s:o,s:b,s:o,s:o,s:o,s:o,s:o}", "trust", trust(headers), "total",
		number(headers->has_total, headers->total_s), "origin",
		address(headers->has_origin, &headers->origin), "origin_verified",
		(int)headers->is_origin_verified, "originating_ip",
		ctl_json(headers->originating), "hops", hops(headers), "claims",
		claims(headers), "checks", checks(headers), "notes", notes(headers));
	json_t *flags = json_pack(
		"{s:b,s:b,s:b,s:I,s:I,s:b}", "list", (int)headers->is_list, "automatic",
		(int)headers->is_automatic, "body", (int)headers->has_body, "mended",
		(json_int_t)headers->mended, "not_understood",
		(json_int_t)headers->not_understood, "cut", (int)headers->is_cut);

	(void)json_object_update(json, more); /* then they are missing */
	(void)json_object_update(json, flags);
	json_decref(more);
	json_decref(flags);
	return json;
}
