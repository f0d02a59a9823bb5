#include "wire/imap/acl.h"

static void check(struct str input, bool (*read)(struct imap_in *, struct imap_acl *))
{
	SCOPED(arena_fini) struct arena arena;
	struct imap_acl it;

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	if (!read(&in, &it)) {
		ASSERT(in.at.at == input.ptr);
		return;
	}
	ASSERT(in.at.at > input.ptr && in.at.at <= input.ptr + input.len);
	ASSERT(it.identifier.len > 0 && it.identifier.len <= IMAP_IDENTIFIER_MAX);
	ASSERT(it.how == 0 || it.how == '+' || it.how == '-');
	ASSERT(it.rights.len <= IMAP_RIGHTS_MAX);
	for (size_t i = 0; i < it.rights.len; i++)
		ASSERT(it.rights.ptr[i] >= '0' && it.rights.ptr[i] <= 'z');
}

/* Any octets: it stays inside, and on failure nothing moved. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};

	check(input, imap_setacl);
	check(input, imap_identified);
	return 0;
}
