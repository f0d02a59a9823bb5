#include "wire/auth/mta_sts.h"

#include "base/buf.h"

/* What a policy says, written down again, says the same; a host made from a pattern is
 * matched by it. */
static void check_policy(const struct mta_sts_policy *policy)
{
	SCOPED(buf_fini) struct buf text = BUF(256 * 1024);
	SCOPED(arena_fini) struct arena arena;
	struct mta_sts_policy again;

	arena_init(&arena, 256 * 1024);
	buf_printf(&text, "version: STSv1\nmode: %s\nmax_age: %u\n",
		   mta_sts_mode_name(policy->mode), policy->max_age_s);
	for (size_t i = 0; i < policy->mx_count; i++)
		buf_printf(&text, "mx: %.*s\n", STR_FMT(policy->mx[i]));
	ASSERT(mta_sts_policy_parse(buf_str(&text), &arena, &again) ||
	       text.len > MTA_STS_POLICY_BYTES_MAX);
	if (text.len > MTA_STS_POLICY_BYTES_MAX)
		return;
	ASSERT(again.mode == policy->mode && again.max_age_s == policy->max_age_s &&
	       again.mx_count == policy->mx_count);
	for (size_t i = 0; i < policy->mx_count; i++) {
		ASSERT(str_same(again.mx[i], policy->mx[i]));
		buf_reset(&text);
		buf_add_byte(&text, 'x');
		buf_add(&text, str_skip(policy->mx[i], policy->mx[i].ptr[0] == '*'));
		ASSERT(policy->mx[i].ptr[0] != '*' ||
		       mta_sts_has_mx(policy, buf_str(&text)));
		ASSERT(policy->mx[i].ptr[0] == '*' ||
		       mta_sts_has_mx(policy, policy->mx[i]));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(arena_fini) struct arena arena;
	struct str input = {(const char *)data, len}, id;
	struct mta_sts_policy policy;

	arena_init(&arena, 256 * 1024);
	if (mta_sts_record_parse(input, &id)) {
		ASSERT(mta_sts_is_record(input));
		ASSERT(id.len > 0 && id.len <= MTA_STS_ID_MAX);
		ASSERT(id.ptr > input.ptr && id.ptr + id.len <= input.ptr + input.len);
	}
	if (mta_sts_policy_parse(input, &arena, &policy))
		check_policy(&policy);
	return 0;
}
