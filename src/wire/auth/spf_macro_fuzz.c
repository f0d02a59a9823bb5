#include "wire/auth/spf_macro.h"

/* The first line is the text, the second whom it is about.  What is valid in a term is
 * valid in the wider kinds; what has no macro stands for itself; a name fits. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(buf_fini) struct buf out = BUF(SPF_EXPANDED_MAX);
	struct str rest = {(const char *)data, len};
	struct str text = str_cut(&rest, '\n');
	struct spf_macros macros = {.sender = rest,
				    .local = rest,
				    .sender_domain = str_skip(rest, rest.len / 2),
				    .domain = str_first(rest, rest.len / 2),
				    .ip = {{1, 2, 3, 4}, len % 2 ? IP4_BYTES : IP6_BYTES},
				    .validated = STR("unknown"),
				    .helo = rest,
				    .receiver = STR("mx.example.org"),
				    .now_s = 1};

	if (spf_domain_spec_is_valid(text))
		ASSERT(spf_macro_string_is_valid(text));
	if (spf_macro_string_is_valid(text))
		ASSERT(spf_explain_string_is_valid(text));
	if (!spf_explain_string_is_valid(text))
		return 0;
	spf_macro_expand(text, &macros, &out);
	ASSERT(out.len <= SPF_EXPANDED_MAX);
	if (str_find_byte(text, '%') == text.len && text.len <= SPF_EXPANDED_MAX)
		ASSERT(str_same(buf_str(&out), text));
	struct str name = spf_fit_name(buf_str(&out));

	ASSERT(name.len <= SPF_NAME_MAX && name.len <= out.len);
	(void)spf_macro_has(text, 'p');
	return 0;
}
