#include "wire/auth/spf.h"

#include "wire/auth/spf_macro.h"

static bool is_within(struct str part, struct str text)
{
	return part.len == 0 ||
	       (part.ptr >= text.ptr && part.ptr + part.len <= text.ptr + text.len);
}

static void check_directive(const struct spf_directive *directive, struct str text)
{
	ASSERT(is_within(directive->text, text) && directive->text.len > 0);
	ASSERT(is_within(directive->domain_spec, directive->text));
	ASSERT(directive->bits4 <= 32 && directive->bits6 <= 128);
	ASSERT(directive->result != SPF_NONE && directive->result < SPF_TEMPERROR);
	if (directive->domain_spec.len > 0)
		ASSERT(spf_domain_spec_is_valid(directive->domain_spec));
	if (directive->mechanism == SPF_IP4 || directive->mechanism == SPF_IP6)
		ASSERT(directive->network.len ==
		       (directive->mechanism == SPF_IP4 ? IP4_BYTES : IP6_BYTES));
}

/* A record is plain ASCII, its parts are within it, and its terms alone are a record
 * again with the same number of directives. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf again = BUF(2 * len + 10);
	struct str text = {(const char *)data, len}, wrong;
	struct spf_record record, other;

	arena_init(&arena, 1024 * 1024);
	if (!spf_record_parse(text, &arena, &record, &wrong)) {
		ASSERT(is_within(wrong, text));
		return 0;
	}
	ASSERT(spf_is_record(text));
	buf_add_c(&again, "v=spf1");
	for (size_t i = 0; i < record.directive_count; i++) {
		check_directive(&record.directives[i], text);
		buf_add_byte(&again, ' ');
		buf_add(&again, record.directives[i].text);
	}
	for (size_t i = 0; i < len; i++)
		ASSERT(data[i] >= ' ' && data[i] < 127);
	for (size_t i = 0; i < record.modifier_count; i++)
		ASSERT(is_within(record.modifiers[i].name, text) &&
		       is_within(record.modifiers[i].value, text));
	ASSERT(spf_record_parse(buf_str(&again), &arena, &other, &wrong));
	ASSERT(other.directive_count == record.directive_count &&
	       other.has_all == record.has_all && other.modifier_count == 0);
	return 0;
}
