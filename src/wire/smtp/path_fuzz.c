#include "wire/smtp/path.h"

/* Any octets: no crash; on success the slices lie inside the input and the address parses
 * again to the same; on failure nothing was moved or written.  The first octet chooses
 * the character set. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	enum smtp_charset charset = data[0] & 1 ? SMTP_UTF8 : SMTP_ASCII;
	struct str input = {(const char *)data + 1, len - 1};
	struct cursor c = cur_over(input);
	struct smtp_path path = {.local = STR("untouched")}, again;

	if (!smtp_path_parse(&c, charset, &path)) {
		ASSERT(c.at == input.ptr && path.local.len == 9);
		return 0;
	}
	ASSERT(c.at > input.ptr && c.at <= input.ptr + input.len);
	ASSERT(path.domain.len == 0 || path.local.len > 0);
	ASSERT(!path.is_utf8 || charset == SMTP_UTF8);
	if (path.domain.len > 0) {
		ASSERT(path.local.ptr > input.ptr);
		ASSERT(path.domain.ptr == path.local.ptr + path.local.len + 1);
		ASSERT(path.domain.ptr + path.domain.len == c.at - 1);
		struct str whole = {path.local.ptr, path.local.len + 1 + path.domain.len};

		ASSERT(smtp_mailbox_parse(whole, charset, &again));
		ASSERT(str_same(path.local, again.local) &&
		       str_same(path.domain, again.domain));
		struct arena arena;
		struct str plain;

		arena_init(&arena, 1000);
		ASSERT(smtp_local_plain(path.local, &arena, &plain));
		ASSERT(plain.len <= path.local.len);
		arena_fini(&arena);
	}
	return 0;
}
