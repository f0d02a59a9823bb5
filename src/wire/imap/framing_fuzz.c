#include "wire/imap/framing.h"

static enum imap_frame_state scan(struct str input, size_t step, struct imap_frame *frame)
{
	enum imap_frame_state state = IMAP_FRAME_MORE;
	size_t have = 0;

	*frame = (struct imap_frame){0};
	while (have < input.len || state == IMAP_FRAME_GO) {
		have += state == IMAP_FRAME_GO ? 0 : step;
		if (have > input.len)
			have = input.len;
		state = imap_frame_scan(frame, str_first(input, have),
					&imap_frame_after_login);
		if (state != IMAP_FRAME_MORE && state != IMAP_FRAME_GO)
			break;
	}
	return state;
}

/* In one piece or octet by octet, a command ends at the same place. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	struct imap_frame whole, pieces;
	enum imap_frame_state a = scan(input, len + 1, &whole);
	enum imap_frame_state b = scan(input, 1, &pieces);

	ASSERT(a == b);
	ASSERT(whole.len <= len && whole.len == pieces.len);
	if (a == IMAP_FRAME_WHOLE || a == IMAP_FRAME_MESSAGE)
		ASSERT(whole.len > 0 && input.ptr[whole.len - 1] == '\n');
	return 0;
}
