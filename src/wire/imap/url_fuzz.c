#include "wire/imap/url.h"

#include "wire/imap/mailbox_name.h"

/* Any octets: what is taken is a message in a mailbox that could be. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(arena_fini) struct arena arena;
	struct imap_url url;

	arena_init(&arena, 1 << 20);
	if (!imap_url((struct str){(const char *)data, len}, &arena, &url))
		return 0;
	ASSERT(len <= IMAP_URL_BYTES_MAX && url.uid > 0);
	ASSERT(imap_mailbox_name_ok(url.mailbox) && url.mailbox.len > 0);
	ASSERT(!url.section.is_partial || url.section.count > 0);
	return 0;
}
