#include "wire/imap/notify.h"

/* Any octets: it stays inside, and on failure nothing moved; what is read keeps the rules
 * that the grammar has in words. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;
	struct imap_notify it;
	size_t selected = 0;

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	in.is_utf8 = len % 2 == 1;
	if (!imap_notify(&in, &it)) {
		ASSERT(in.at.at == input.ptr && in.reason.len > 0);
		return 0;
	}
	ASSERT(in.at.at > input.ptr && in.at.at <= input.ptr + len);
	ASSERT(it.is_set == (it.group_count > 0));
	for (size_t i = 0; i < it.group_count; i++) {
		const struct imap_event_group *group = &it.groups[i];
		unsigned both = IMAP_EVENT_MESSAGE_NEW | IMAP_EVENT_MESSAGE_EXPUNGE;
		bool is_selected = group->watched <= IMAP_WATCH_SELECTED_DELAYED;

		selected += is_selected;
		ASSERT((group->mailbox_count > 0) ==
		       (group->watched >= IMAP_WATCH_SUBTREE));
		ASSERT(!(group->events & IMAP_EVENTS_OF_MESSAGES) ||
		       (group->events & both) == both);
		ASSERT(is_selected || group->items.section_count == 0);
		ASSERT((group->events & ~it.events) == 0);
	}
	ASSERT(selected <= 1);
	return 0;
}
