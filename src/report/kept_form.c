#include <stdlib.h>

#include "base/codec.h"
#include "base/num.h"
#include "report/dmarc_report.h"
#include "report/kept.h"
#include "wire/auth/tls_report.h"

enum {
	VERSION = 1,
	FLAG_DKIM = 1,
	FLAG_SPF = 2,
	ROW_BYTES_MAX = 8 * (KEPT_TEXT_MAX + 2),
	HEAD_BYTES_MAX = 1024,
};

struct packed {
	struct str bytes;
	uint64_t count;
	bool is_aligned;
};

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > INT64_MAX - b ? INT64_MAX : a + b; /* strangers' numbers */
}

/* ---- what is kept of a report ------------------------------------------------------ */

/* Of the first that passed. */
static struct str good_domain(const struct dmarc_report_auth *auth)
{
	for (; auth; auth = auth->next)
		if (str_same_nocase(auth->result, STR("pass")))
			return auth->domain;
	return STR("");
}

static enum kept_fate fate_of(struct str disposition)
{
	if (str_same_nocase(disposition, STR("quarantine")))
		return KEPT_QUARANTINED;
	return str_same_nocase(disposition, STR("reject")) ? KEPT_REJECTED
							   : KEPT_DELIVERED;
}

bool kept_of_dmarc(const struct dmarc_report *report, struct arena *arena,
		   struct kept *kept)
{
	*kept = (struct kept){
		.kind = KEPT_DMARC,
		.domain = report->domain,
		.organization = report->organization,
		.contact = report->email,
		.id = report->id,
		.policy = report->p,
		.begin = (int64_t)num_min(report->begin, INT64_MAX),
		.end = (int64_t)num_min(report->end, INT64_MAX),
		.rows = ARENA_ARRAY(arena, struct kept_row, report->row_count + 1)};
	if (!kept->rows)
		return false;
	for (const struct dmarc_report_row *row = report->rows; row; row = row->next) {
		bool is_good = dmarc_report_is_aligned(row);
		uint64_t count = num_min(row->count, INT64_MAX);

		kept->rows[kept->count++] = (struct kept_row){
			.count = count,
			.source = row->source_ip,
			.is_dkim_aligned = str_same_nocase(row->dkim, STR("pass")),
			.is_spf_aligned = str_same_nocase(row->spf, STR("pass")),
			.fate = fate_of(row->disposition),
			.why = row->reasons ? row->reasons->type : STR(""),
			.from = row->header_from,
			.dkim = good_domain(row->dkim_results),
			.spf = good_domain(row->spf_results)};
		if (is_good)
			kept->good = sum(kept->good, count);
		else
			kept->bad = sum(kept->bad, count);
	}
	return true;
}

static void add_policy(struct kept *kept, const struct tls_report_policy *policy)
{
	uint64_t told = 0;

	kept->good = sum(kept->good, policy->good);
	kept->other_good = sum(kept->other_good, policy->good);
	kept->bad = sum(kept->bad, policy->bad);
	for (size_t i = 0; i < policy->detail_count; i++) {
		const struct tls_report_detail *detail = &policy->details[i];

		kept->rows[kept->count++] =
			(struct kept_row){.count = detail->sessions,
					  .source = detail->sending_ip,
					  .why = detail->type,
					  .mx = detail->mx};
		told = sum(told, detail->sessions);
	}
	if (told < policy->bad)
		kept->other_bad = sum(kept->other_bad, policy->bad - told);
}

bool kept_of_tls(const struct tls_report *report, struct str domain, struct arena *arena,
		 struct kept *kept)
{
	size_t details = 0;

	for (size_t i = 0; i < report->count; i++)
		details += report->policies[i].detail_count;
	*kept = (struct kept){.kind = KEPT_TLS,
			      .domain = domain,
			      .organization = report->organization,
			      .contact = report->contact,
			      .id = report->id,
			      .begin = report->begin,
			      .end = report->end,
			      .rows = ARENA_ARRAY(arena, struct kept_row, details + 1)};
	for (size_t i = 0; kept->rows && i < report->count; i++)
		if (str_same_nocase(report->policies[i].domain, domain))
			add_policy(kept, &report->policies[i]);
	return kept->rows;
}

/* ---- writing ----------------------------------------------------------------------- */

static void text(struct buf *out, struct str text)
{
	enc_str(out, str_first(text, KEPT_TEXT_MAX));
}

static bool pack_row(const struct kept_row *row, struct arena *arena,
		     struct packed *packed)
{
	SCOPED(buf_fini) struct buf out = BUF(ROW_BYTES_MAX);

	enc_u8(&out, (uint8_t)((row->is_dkim_aligned ? FLAG_DKIM : 0) |
			       (row->is_spf_aligned ? FLAG_SPF : 0)));
	enc_u8(&out, (uint8_t)row->fate);
	text(&out, row->source);
	text(&out, row->why);
	text(&out, row->from);
	text(&out, row->dkim);
	text(&out, row->spf);
	text(&out, row->mx);
	ASSERT(buf_ok(&out));
	packed->count = row->count;
	packed->is_aligned = kept_is_aligned(row);
	return arena_copy(arena, buf_str(&out), &packed->bytes);
}

static int by_bytes(const void *a, const void *b)
{
	return str_cmp(((const struct packed *)a)->bytes,
		       ((const struct packed *)b)->bytes);
}

static int by_weight(const void *a, const void *b)
{
	const struct packed *left = a, *right = b;

	if (left->is_aligned != right->is_aligned)
		return left->is_aligned ? 1 : -1;
	if (left->count != right->count)
		return left->count < right->count ? 1 : -1;
	return str_cmp(left->bytes, right->bytes);
}

/* One for those that are alike; returns how many. */
static size_t merge(struct packed *rows, size_t count)
{
	size_t made = 0;

	qsort(rows, count, sizeof *rows, by_bytes);
	for (size_t i = 0; i < count; i++) {
		if (made > 0 && str_same(rows[made - 1].bytes, rows[i].bytes))
			rows[made - 1].count = sum(rows[made - 1].count, rows[i].count);
		else
			rows[made++] = rows[i];
	}
	qsort(rows, made, sizeof *rows, by_weight);
	return made;
}

/* So many of the rows find room; the rest is summed. */
static size_t encode_rows(struct buf *out, const struct packed *rows, size_t count,
			  uint64_t *other_good, uint64_t *other_bad)
{
	size_t fitting = 0, bytes = 0;

	while (fitting < num_min(count, KEPT_ROWS_MAX) &&
	       bytes + rows[fitting].bytes.len + 12 <= KEPT_BYTES_MAX - HEAD_BYTES_MAX) {
		bytes += rows[fitting].bytes.len + 12;
		enc_var(out, rows[fitting].count);
		enc_str(out, rows[fitting++].bytes);
	}
	for (size_t i = fitting; i < count; i++) {
		if (rows[i].is_aligned)
			*other_good = sum(*other_good, rows[i].count);
		else
			*other_bad = sum(*other_bad, rows[i].count);
	}
	return fitting;
}

bool kept_encode(const struct kept *kept, struct arena *arena, struct buf *value)
{
	SCOPED(buf_fini) struct buf rows = BUF(KEPT_BYTES_MAX);
	struct packed *packed = ARENA_ARRAY(arena, struct packed, kept->count + 1);
	uint64_t other_good = kept->other_good, other_bad = kept->other_bad;

	if (!packed)
		return false;
	for (size_t i = 0; i < kept->count; i++)
		if (!pack_row(&kept->rows[i], arena, &packed[i]))
			return false;
	size_t count = encode_rows(&rows, packed, merge(packed, kept->count), &other_good,
				   &other_bad);

	enc_u8(value, VERSION);
	enc_var(value, (uint64_t)kept->begin);
	enc_var(value, (uint64_t)kept->end);
	text(value, kept->organization);
	text(value, kept->contact);
	text(value, kept->id);
	text(value, kept->policy);
	enc_var(value, kept->good);
	enc_var(value, kept->bad);
	enc_var(value, other_good);
	enc_var(value, other_bad);
	enc_var(value, count);
	buf_add(value, buf_str(&rows));
	return buf_ok(value);
}

/* ---- reading ----------------------------------------------------------------------- */

static bool read_row(struct dec *dec, struct kept_row *row)
{
	row->count = dec_var(dec);
	struct dec in = dec_over(dec_str(dec));
	uint8_t flags = dec_u8(&in), fate = dec_u8(&in);

	row->is_dkim_aligned = flags & FLAG_DKIM;
	row->is_spf_aligned = flags & FLAG_SPF;
	row->fate = fate > KEPT_REJECTED ? KEPT_DELIVERED : (enum kept_fate)fate;
	row->source = dec_str(&in);
	row->why = dec_str(&in);
	row->from = dec_str(&in);
	row->dkim = dec_str(&in);
	row->spf = dec_str(&in);
	row->mx = dec_str(&in);
	return dec_ok(dec) && dec_done(&in);
}

bool kept_decode(struct str value, struct arena *arena, struct kept *kept)
{
	struct dec dec = dec_over(value);

	if (dec_u8(&dec) != VERSION)
		return false;
	kept->begin = (int64_t)dec_var_max(&dec, INT64_MAX);
	kept->end = (int64_t)dec_var_max(&dec, INT64_MAX);
	kept->organization = dec_str(&dec);
	kept->contact = dec_str(&dec);
	kept->id = dec_str(&dec);
	kept->policy = dec_str(&dec);
	kept->good = dec_var(&dec);
	kept->bad = dec_var(&dec);
	kept->other_good = dec_var(&dec);
	kept->other_bad = dec_var(&dec);
	size_t count = dec_var_max(&dec, KEPT_ROWS_MAX);

	kept->rows = ARENA_ARRAY(arena, struct kept_row, count + 1);
	for (kept->count = 0; kept->rows && kept->count < count; kept->count++)
		if (!read_row(&dec, &kept->rows[kept->count]))
			return false;
	return kept->rows && dec_done(&dec);
}
