#include "wire/mail/params.h"

/* Any octets: bounded, and every parameter that is there is found under its name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len}, value, charset;
	struct mail_content_type ct;
	struct mail_disposition d;
	struct arena arena;
	size_t total = 0;

	arena_init(&arena, 1 << 20);
	if (mail_content_type_parse(&arena, text, &ct)) {
		ASSERT(ct.type.len > 0 && ct.subtype.len > 0);
		ASSERT(ct.params.count <= MAIL_PARAMS_MAX);
		for (size_t i = 0; i < ct.params.count; i++) {
			total += ct.params.items[i].value.len;
			if (!mail_param_find(&arena, &ct.params, ct.params.items[i].name,
					     &value, &charset))
				break;
			ASSERT(value.len <= len);
		}
		ASSERT(total <= len);
	}
	if (mail_disposition_parse(&arena, text, &d))
		(void)mail_param_find(&arena, &d.params, STR("filename"), &value,
				      &charset); /* either answer is fine */
	arena_fini(&arena);
	return 0;
}
