#include "wire/mail/address.h"

/* Any octets: within the bound, groups are whole, and the list ends what it begins. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len};
	struct arena arena;
	size_t max = len > 0 ? data[0] % 64 : 0, total = 0;
	bool in_group = false;

	arena_init(&arena, 1 << 20);
	struct mail_addresses list = mail_addresses_parse(&arena, text, max);

	ASSERT(list.count <= max);
	for (size_t i = 0; i < list.count; i++) {
		const struct mail_address *a = &list.items[i];

		total += a->name.len + a->route.len + a->local.len + a->domain.len;
		if (a->kind == MAIL_MAILBOX)
			continue;
		ASSERT(in_group == (a->kind == MAIL_GROUP_END));
		in_group = !in_group;
	}
	ASSERT(!in_group && total <= 2 * len);
	arena_fini(&arena);
	return 0;
}
