#include "net/compression.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/test.h"

enum { WIRE_MAX = 4 << 20 };

/* All of the text, compressed in steps of step octets. */
static void pack(struct compression *c, struct str text, size_t step, struct buf *wire)
{
	bool is_whole = false;
	char room[64 * 1024];

	while (!is_whole) {
		size_t made = compression_out(c, &text, room, step, &is_whole);

		buf_add(wire, (struct str){room, made});
	}
	CHECK(text.len == 0 && buf_ok(wire));
}

/* What the wire says up to so much text, fed in steps, and the last that was said about
 * it. */
static enum compression_in unpack_to(struct compression *c, struct str *wire, size_t step,
				     struct buf *text, size_t text_len)
{
	enum compression_in what = COMPRESSION_MORE;
	char room[700];

	while ((wire->len > 0 || what == COMPRESSION_TEXT) && text->len < text_len) {
		struct str piece = str_first(*wire, step);
		size_t before = piece.len, got;

		what = compression_in(c, &piece, room, sizeof room, &got);
		*wire = str_skip(*wire, before - piece.len);
		buf_add(text, (struct str){room, got});
		if (what == COMPRESSION_END || what == COMPRESSION_BAD)
			break;
	}
	return what;
}

static enum compression_in unpack(struct compression *c, struct str *wire, size_t step,
				  struct buf *text)
{
	return unpack_to(c, wire, step, text, SIZE_MAX);
}

static struct str some_text(struct buf *text, unsigned seed)
{
	buf_reset(text);
	for (unsigned i = 0; i < 400; i++)
		buf_printf(text, "* %u FETCH (UID %u FLAGS (\\Seen))\r\n", i, i * seed);
	return buf_str(text);
}

TEST(what_was_compressed_can_be_read_at_every_flush)
{
	SCOPED(compression_free) struct compression *here = compression_new();
	SCOPED(compression_free) struct compression *there = compression_new();
	SCOPED(buf_fini)
	struct buf text = BUF(WIRE_MAX), wire = BUF(WIRE_MAX), back = BUF(WIRE_MAX);
	static const size_t steps[] = {7, 100, 5000, 64 * 1024};

	for (unsigned i = 0; i < 200; i++) {
		struct str all = some_text(&text, i + 1), left;

		buf_reset(&wire);
		buf_reset(&back);
		pack(here, all, steps[i % 4], &wire);
		CHECK(wire.len < all.len / 3);
		left = buf_str(&wire);
		CHECK(unpack(there, &left, steps[i / 4 % 4], &back) == COMPRESSION_MORE);
		CHECK_STR(buf_str(&back), all);
		if (i % 3 != 0)
			continue;
		bool is_resting;

		compression_rest(here); /* each begins anew where it was */
		compression_rest(there);
		CHECK(compression_kept(here, &is_resting) <= 4096 && is_resting);
		CHECK(compression_kept(there, &is_resting) <= 32768 && is_resting);
	}
}

/* The peer may refer to all of its last 32 KB whether we rested meanwhile or not. */
TEST(resting_forgets_nothing_that_the_peer_may_refer_to)
{
	SCOPED(compression_free) struct compression *c = compression_new();
	SCOPED(buf_fini) struct buf first = BUF(WIRE_MAX);
	SCOPED(buf_fini) struct buf back = BUF(WIRE_MAX);
	z_stream peer = {0};
	unsigned char wire[80000];

	CHECK(deflateInit2(&peer, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK);
	srandom(1);
	for (unsigned i = 0; i < 30000; i++)
		buf_add_byte(&first, (char)random());
	for (unsigned round = 0; round < 2; round++) {
		peer.next_in = (Bytef *)first.ptr;
		peer.avail_in = 30000;
		peer.next_out = wire;
		peer.avail_out = sizeof wire;
		CHECK(deflate(&peer, Z_SYNC_FLUSH) == Z_OK);
		struct str left = {(const char *)wire, sizeof wire - peer.avail_out};

		CHECK((left.len < 1000) == (round == 1)); /* the same again is short */
		buf_reset(&back);
		CHECK(unpack(c, &left, 1000, &back) == COMPRESSION_MORE);
		CHECK_STR(buf_str(&back), buf_str(&first));
		compression_rest(c);
	}
	(void)deflateEnd(&peer); /* a test's own */
}

TEST(what_is_no_deflate_is_noticed)
{
	SCOPED(compression_free) struct compression *c = compression_new();
	struct str wire = STR("\x07\xff\xff\xff");
	char room[100];
	size_t got;

	CHECK(compression_in(c, &wire, room, sizeof room, &got) == COMPRESSION_BAD);
}

/* A megabyte of zeros is a kilobyte on the wire, and never more than the room at once. */
TEST(a_bomb_comes_in_pieces)
{
	SCOPED(compression_free) struct compression *here = compression_new();
	SCOPED(compression_free) struct compression *there = compression_new();
	SCOPED(buf_fini)
	struct buf text = BUF(WIRE_MAX), wire = BUF(WIRE_MAX), back = BUF(WIRE_MAX);

	memset(buf_room(&text, 1 << 20), 0, 1 << 20);
	buf_grew(&text, 1 << 20);
	pack(here, buf_str(&text), 10000, &wire);
	CHECK(wire.len < 10000);
	struct str left = buf_str(&wire);

	CHECK(unpack(there, &left, 100, &back) == COMPRESSION_MORE);
	CHECK(back.len == 1 << 20);
}

/* RFC 8437 §4.1: however the peer ends its stream, what follows is plain. */
TEST(the_end_of_the_stream_is_found)
{
	for (unsigned i = 0; i < 40; i++) {
		SCOPED(compression_free) struct compression *here = compression_new();
		SCOPED(compression_free) struct compression *there = compression_new();
		SCOPED(buf_fini)
		struct buf wire = BUF(WIRE_MAX), back = BUF(WIRE_MAX),
			   text = BUF(WIRE_MAX);

		/* Of another length in bits each time. */
		for (unsigned n = 0; n <= i; n++)
			buf_printf(&text, "%u", n * n);
		if (i % 2 == 1)
			compression_finish(here);
		pack(here, buf_str(&text), 1000, &wire);
		buf_add_c(&wire, "a NOOP\r\n");
		struct str left = buf_str(&wire);

		CHECK(unpack_to(there, &left, 1 + i % 5, &back, text.len) ==
		      COMPRESSION_TEXT);
		if (i % 2 == 0) /* it only says so in the text */
			compression_will_end(there);
		CHECK(unpack(there, &left, 1 + i % 5, &back) == COMPRESSION_END);
		CHECK_STR(buf_str(&back), buf_str(&text));
		CHECK_STR(left, STR("a NOOP\r\n"));
	}
}
