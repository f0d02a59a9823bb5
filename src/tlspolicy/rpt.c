#include "tlspolicy/rpt.h"

#include "base/codec.h"

enum { VERSION = 1, ARENA_MAX = 256 * 1024, HEX_OCTETS_MAX = 128 };

void rpt_init(struct rpt *rpt)
{
	*rpt = (struct rpt){.count = 0};
	arena_init(&rpt->arena, ARENA_MAX);
	rpt->policies = ARENA_ARRAY(&rpt->arena, struct rpt_policy, RPT_POLICIES_MAX);
	ASSERT(rpt->policies);
}

void rpt_fini(struct rpt *rpt)
{
	arena_fini(&rpt->arena);
}

/* ---- what a policy is -------------------------------------------------------------- */

void rpt_of_sts(struct rpt_policy *policy, struct str text,
		const struct mta_sts_policy *sts)
{
	while (text.len > 0 && policy->line_count < RPT_LINES_MAX) {
		struct str line = str_trim(str_cut(&text, '\n'));

		if (line.len > 0)
			policy->lines[policy->line_count++] =
				str_first(line, RPT_LINE_BYTES_MAX);
	}
	for (size_t i = 0; sts && i < sts->mx_count && i < RPT_LINES_MAX; i++)
		policy->mx[policy->mx_count++] = sts->mx[i];
}

/* The presentation format of RFC 6698 §2.2. */
void rpt_of_tlsa(struct rpt_policy *policy, const struct dns_tlsa *records, size_t count,
		 struct arena *arena)
{
	for (size_t i = 0; i < count && i < RPT_LINES_MAX; i++) {
		SCOPED(buf_fini) struct buf line = BUF(2 * HEX_OCTETS_MAX + 20);
		struct str data = str_first(records[i].association, HEX_OCTETS_MAX);
		struct str copy;

		buf_printf(&line, "%u %u %u ", records[i].usage, records[i].selector,
			   records[i].matching);
		for (size_t j = 0; j < data.len; j++)
			buf_printf(&line, "%02x", (unsigned char)data.ptr[j]);
		if (arena_copy(arena, buf_str(&line), &copy))
			policy->lines[policy->line_count++] = copy;
	}
}

/* ---- adding up --------------------------------------------------------------------- */

static bool is_same_policy(const struct rpt_policy *a, const struct rpt_policy *b)
{
	if (a->kind != b->kind || a->line_count != b->line_count)
		return false;
	for (size_t i = 0; i < a->line_count; i++)
		if (!str_same(a->lines[i], b->lines[i]))
			return false;
	return true;
}

static bool copy_all(struct arena *arena, const struct str *from, size_t count,
		     struct str *to)
{
	for (size_t i = 0; i < count; i++)
		if (!arena_copy(arena, from[i], &to[i]))
			return false;
	return true;
}

static struct rpt_policy *place_for(struct rpt *rpt, const struct rpt_policy *policy)
{
	for (size_t i = 0; i < rpt->count; i++)
		if (is_same_policy(&rpt->policies[i], policy))
			return &rpt->policies[i];
	if (rpt->count == RPT_POLICIES_MAX)
		return &rpt->policies[rpt->count - 1];
	struct rpt_policy *made = &rpt->policies[rpt->count];

	*made = (struct rpt_policy){.kind = policy->kind,
				    .line_count = policy->line_count,
				    .mx_count = policy->mx_count};
	if (!copy_all(&rpt->arena, policy->lines, policy->line_count, made->lines) ||
	    !copy_all(&rpt->arena, policy->mx, policy->mx_count, made->mx))
		return NULL;
	rpt->count++;
	return made;
}

static bool is_same_detail(const struct rpt_detail *a, const struct rpt_detail *b)
{
	return a->flaw == b->flaw && str_same(a->host, b->host) &&
	       str_same(a->address, b->address) && str_same(a->local, b->local) &&
	       str_same(a->why, b->why);
}

static bool add_detail(struct rpt *rpt, struct rpt_policy *policy,
		       const struct rpt_detail *detail)
{
	for (size_t i = 0; i < policy->detail_count; i++) {
		if (!is_same_detail(&policy->details[i], detail))
			continue;
		policy->details[i].sessions += detail->sessions;
		return true;
	}
	if (policy->detail_count == RPT_DETAILS_MAX)
		return true;
	struct rpt_detail *made = &policy->details[policy->detail_count];

	*made = *detail;
	if (!arena_copy(&rpt->arena, detail->host, &made->host) ||
	    !arena_copy(&rpt->arena, detail->address, &made->address) ||
	    !arena_copy(&rpt->arena, detail->local, &made->local) ||
	    !arena_copy(&rpt->arena, detail->why, &made->why))
		return false;
	policy->detail_count++;
	return true;
}

bool rpt_add(struct rpt *rpt, const struct rpt_policy *policy)
{
	struct rpt_policy *place = place_for(rpt, policy);

	if (!place)
		return false;
	place->good += policy->good;
	place->bad += policy->bad;
	for (size_t i = 0; i < policy->detail_count; i++)
		if (!add_detail(rpt, place, &policy->details[i]))
			return false;
	return true;
}

/* ---- in the store ------------------------------------------------------------------ */

static void encode_strings(struct buf *value, const struct str *strings, size_t count)
{
	enc_u8(value, (uint8_t)count);
	for (size_t i = 0; i < count; i++)
		enc_str(value, strings[i]);
}

static void encode_policy(struct buf *value, const struct rpt_policy *policy)
{
	enc_u8(value, (uint8_t)policy->kind);
	encode_strings(value, policy->lines, policy->line_count);
	encode_strings(value, policy->mx, policy->mx_count);
	enc_var(value, policy->good);
	enc_var(value, policy->bad);
	enc_u8(value, (uint8_t)policy->detail_count);
	for (size_t i = 0; i < policy->detail_count; i++) {
		const struct rpt_detail *detail = &policy->details[i];

		enc_u8(value, (uint8_t)detail->flaw);
		enc_str(value, detail->host);
		enc_str(value, detail->address);
		enc_str(value, detail->local);
		enc_str(value, detail->why);
		enc_var(value, detail->sessions);
	}
}

void rpt_encode(struct buf *value, const struct rpt *rpt)
{
	enc_u8(value, VERSION);
	enc_u8(value, (uint8_t)rpt->count);
	for (size_t i = 0; i < rpt->count; i++)
		encode_policy(value, &rpt->policies[i]);
}

static bool decode_strings(struct dec *dec, struct str *strings, size_t *count)
{
	*count = dec_u8(dec);
	if (*count > RPT_LINES_MAX)
		return false;
	for (size_t i = 0; i < *count; i++)
		strings[i] = dec_str(dec);
	return dec_ok(dec);
}

static bool decode_details(struct dec *dec, struct rpt_policy *policy)
{
	policy->detail_count = dec_u8(dec);
	if (policy->detail_count > RPT_DETAILS_MAX)
		return false;
	for (size_t i = 0; i < policy->detail_count; i++) {
		uint8_t flaw = dec_u8(dec);

		if (flaw >= TLS_FLAWS)
			return false;
		policy->details[i].flaw = (enum tls_flaw)flaw;
		policy->details[i].host = dec_str(dec);
		policy->details[i].address = dec_str(dec);
		policy->details[i].local = dec_str(dec);
		policy->details[i].why = dec_str(dec);
		policy->details[i].sessions = dec_var(dec);
	}
	return dec_ok(dec);
}

static bool decode_policy(struct dec *dec, struct rpt_policy *policy)
{
	uint8_t kind = dec_u8(dec);

	*policy = (struct rpt_policy){.kind = (enum tls_policy_kind)kind};
	if (kind > TLS_POLICY_TLSA ||
	    !decode_strings(dec, policy->lines, &policy->line_count) ||
	    !decode_strings(dec, policy->mx, &policy->mx_count))
		return false;
	policy->good = dec_var(dec);
	policy->bad = dec_var(dec);
	return decode_details(dec, policy);
}

bool rpt_decode(struct str value, struct rpt *rpt)
{
	struct dec dec = dec_over(value);
	struct rpt_policy policy;

	if (dec_u8(&dec) != VERSION)
		return false;
	for (size_t count = dec_u8(&dec); count > 0; count--)
		if (!decode_policy(&dec, &policy) || !rpt_add(rpt, &policy))
			return false;
	return dec_done(&dec);
}
