#include "net/compression.h"

#include <zlib.h>

enum { ROOM = 300, TEXT_MAX = 1 << 20 };

/* What the octets say, fed in steps; rests now and then if it should. */
static enum compression_in read_all(struct str wire, size_t step, bool rests,
				    struct buf *text)
{
	SCOPED(compression_free) struct compression *c = compression_new();
	enum compression_in what = COMPRESSION_MORE;
	char room[ROOM];

	while ((wire.len > 0 || what == COMPRESSION_TEXT) && buf_ok(text)) {
		struct str piece = str_first(wire, step);
		size_t before = piece.len, got;

		what = compression_in(c, &piece, room, sizeof room, &got);
		ASSERT(got <= sizeof room && (got > 0) == (what == COMPRESSION_TEXT));
		ASSERT(what != COMPRESSION_MORE || piece.len == 0);
		wire = str_skip(wire, before - piece.len);
		buf_add(text, (struct str){room, got});
		if (what == COMPRESSION_END || what == COMPRESSION_BAD)
			break;
		if (rests && what == COMPRESSION_MORE)
			compression_rest(c);
	}
	/* What zlib holds of the last octet may only be looked at with the next. */
	if (what == COMPRESSION_MORE) {
		size_t got;

		what = compression_in(c, &wire, room, sizeof room, &got);
		buf_add(text, (struct str){room, got});
	}
	return what;
}

/* Whatever a peer sends: it says the same in one piece, octet by octet, and with rests.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(buf_fini) struct buf whole = BUF(TEXT_MAX);
	SCOPED(buf_fini) struct buf pieces = BUF(TEXT_MAX);
	SCOPED(buf_fini) struct buf rested = BUF(TEXT_MAX);
	enum compression_in a = read_all(input, len + 1, false, &whole);
	enum compression_in b = read_all(input, 1, false, &pieces);
	enum compression_in c = read_all(input, 3, true, &rested);

	if (!buf_ok(&whole))
		return 0;
	ASSERT(a == b && b == c);
	ASSERT(str_same(buf_str(&whole), buf_str(&pieces)));
	ASSERT(str_same(buf_str(&whole), buf_str(&rested)));
	return 0;
}
