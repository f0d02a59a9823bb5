#include "wire/auth/dkim_canon.h"

static void keep(void *context, struct str piece)
{
	buf_add(context, piece);
}

/* The body cut at places that come from its own octets. */
static void canon(enum dkim_canon kind, struct str body, bool in_pieces, struct buf *out)
{
	struct dkim_canon_body state = {.canon = kind};
	struct dkim_sink sink = {keep, out};

	while (body.len > 0) {
		size_t size = in_pieces ? 1 + ((unsigned char)body.ptr[0] & 7) : body.len;

		dkim_canon_body_add(&state, str_first(body, size), &sink);
		body = str_skip(body, size);
	}
	dkim_canon_body_end(&state, &sink);
}

/* Pieces make no difference; what is canonical stays as it is; simple keeps all but line
 * ends at the end; relaxed leaves no white space that could change. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len};

	for (int kind = 0; kind < DKIM_CANONS; kind++) {
		SCOPED(buf_fini) struct buf whole = BUF(len + 2);
		SCOPED(buf_fini) struct buf pieces = BUF(len + 2);
		SCOPED(buf_fini) struct buf again = BUF(len + 4);

		canon((enum dkim_canon)kind, text, false, &whole);
		canon((enum dkim_canon)kind, text, true, &pieces);
		ASSERT(buf_ok(&whole) && str_same(buf_str(&whole), buf_str(&pieces)));
		canon((enum dkim_canon)kind, buf_str(&whole), false, &again);
		ASSERT(str_same(buf_str(&whole), buf_str(&again)));
		if (kind == DKIM_SIMPLE)
			ASSERT(str_starts(text,
					  str_first(buf_str(&whole), whole.len - 2)));
		else
			ASSERT(str_find(buf_str(&whole), STR("  ")) == whole.len &&
			       str_find(buf_str(&whole), STR(" \r\n")) == whole.len);
		buf_reset(&pieces);
		buf_reset(&again);
		dkim_canon_field((enum dkim_canon)kind, text, &pieces);
		ASSERT(buf_ok(&pieces));
	}
	return 0;
}
