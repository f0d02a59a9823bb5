#include "wire/imap/list.h"

/* The plain way to match, which takes exponential time. */
static bool match(struct str pattern, struct str name)
{
	if (pattern.len == 0)
		return name.len == 0;
	char c = pattern.ptr[0];

	if (c == '*' || c == '%') {
		if (match(str_skip(pattern, 1), name))
			return true;
		return name.len > 0 && (c == '*' || name.ptr[0] != '/') &&
		       match(pattern, str_skip(name, 1));
	}
	return name.len > 0 && name.ptr[0] == c &&
	       match(str_skip(pattern, 1), str_skip(name, 1));
}

/* LIST's arguments stay inside; matching agrees with the plain way. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;
	struct imap_list list;

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	if (!imap_list(&in, &list) && !imap_lsub(&in, &list))
		ASSERT(in.at.at == input.ptr);
	else
		ASSERT(list.pattern_count > 0 && in.at.at <= input.ptr + len);
	if (len < 24) {
		struct str pattern = str_first(input, len / 2);
		struct str name = str_skip(input, len / 2);

		ASSERT(imap_list_match(STR(""), pattern, name, '/') ==
			       (match(pattern, name) || str_same(name, STR("INBOX"))) ||
		       str_same(name, STR("INBOX")));
	}
	return 0;
}
