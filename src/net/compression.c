#include "net/compression.h"

#include <zlib.h>

#include "base/mem.h"
#include "base/num.h"

enum {
	/* Responses of IMAP hardly become smaller with more (a list of 200 envelopes
	 * comes to 15.8 % of its size, as with the greatest window). */
	OUT_WINDOW_BITS = 13,
	OUT_MEMORY_LEVEL = 5,
	OUT_LEVEL = 3,
	OUT_KEPT_MAX = 4 * 1024,
	IN_WINDOW_BITS = 15, /* the peer does not say what it uses */
	WINDOW_MAX = 32 * 1024,
	/* Of z_stream.data_type (zlib.h): where inflate() stands. */
	STANDS_MASK = 0x1ff,
	STANDS_IN_LAST_BLOCK = 64,
	STANDS_BETWEEN_BLOCKS = 128,
};

struct compression {
	z_stream out, in;
	bool has_out, has_in;         /* zlib is at work; otherwise: */
	struct buf out_kept, in_kept; /* the text that may be referred to */
	bool is_finishing;
	bool is_between; /* blocks, and octets */
	bool will_end, has_ended;
};

struct compression *compression_new(void)
{
	struct compression *c = NEW(struct compression);

	c->out_kept = BUF(OUT_KEPT_MAX);
	c->in_kept = BUF(WINDOW_MAX);
	c->is_between = true;
	return c;
}

/* These fail only without memory, which stops us like any other lack of it. */
static void out_begin(struct compression *c)
{
	struct str kept = buf_str(&c->out_kept);

	if (c->has_out)
		return;
	c->out = (z_stream){0};
	ASSERT(deflateInit2(&c->out, OUT_LEVEL, Z_DEFLATED, -OUT_WINDOW_BITS,
			    OUT_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK);
	c->has_out = true;
	if (kept.len > 0)
		ASSERT(deflateSetDictionary(&c->out, (const Bytef *)kept.ptr,
					    (uInt)kept.len) == Z_OK);
	buf_release(&c->out_kept);
}

static void in_begin(struct compression *c)
{
	struct str kept = buf_str(&c->in_kept);

	if (c->has_in)
		return;
	c->in = (z_stream){0};
	ASSERT(inflateInit2(&c->in, -IN_WINDOW_BITS) == Z_OK);
	c->has_in = true;
	if (kept.len > 0)
		ASSERT(inflateSetDictionary(&c->in, (const Bytef *)kept.ptr,
					    (uInt)kept.len) == Z_OK);
	buf_release(&c->in_kept);
}

static void out_end(struct compression *c)
{
	if (c->has_out)
		(void)deflateEnd(&c->out); /* says what state it was in; either will do */
	c->has_out = false;
}

static void in_end(struct compression *c)
{
	if (c->has_in)
		(void)inflateEnd(&c->in); /* it is there, so this cannot fail */
	c->has_in = false;
}

void compression_free(struct compression **compression)
{
	struct compression *c = *compression;

	if (!c)
		return;
	*compression = NULL;
	out_end(c);
	in_end(c);
	buf_fini(&c->out_kept);
	buf_fini(&c->in_kept);
	mem_free(c);
}

size_t compression_out(struct compression *c, struct str *text, char *to, size_t room,
		       bool *is_whole)
{
	size_t len = num_min(text->len, INT32_MAX);

	out_begin(c);
	c->out.next_in = (Bytef *)(uintptr_t)text->ptr; /* zlib only reads it */
	c->out.avail_in = (uInt)len;
	c->out.next_out = (Bytef *)to;
	c->out.avail_out = (uInt)num_min(room, INT32_MAX);
	size_t before = c->out.avail_out;
	int result = deflate(&c->out, c->is_finishing ? Z_FINISH : Z_SYNC_FLUSH);

	ASSERT(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR);
	*text = str_skip(*text, len - c->out.avail_in);
	*is_whole = c->out.avail_out > 0 && text->len == 0;
	return before - c->out.avail_out;
}

void compression_finish(struct compression *c)
{
	c->is_finishing = true;
}

void compression_will_end(struct compression *c)
{
	c->will_end = true;
}

/* Plain text begins with a visible octet; a block that could still belong to the stream,
 * being empty, with one that is not (RFC 1951 §3.2.3, §3.2.4). */
static bool is_plain_now(const struct compression *c, struct str wire)
{
	return c->will_end && c->is_between && wire.len > 0 &&
	       (unsigned char)wire.ptr[0] >= ' ';
}

enum compression_in compression_in(struct compression *c, struct str *wire, char *to,
				   size_t room, size_t *got)
{
	*got = 0;
	for (;;) {
		size_t len = num_min(wire->len, INT32_MAX);

		c->has_ended |= is_plain_now(c, *wire);
		if (c->has_ended)
			return COMPRESSION_END;
		in_begin(c);
		c->in.next_in = (Bytef *)(uintptr_t)wire->ptr; /* zlib only reads it */
		c->in.avail_in = (uInt)len;
		c->in.next_out = (Bytef *)to;
		c->in.avail_out = (uInt)num_min(room, INT32_MAX);
		size_t before = c->in.avail_out;
		/* Block by block, so that it stands still where a stream may end. */
		int result = inflate(&c->in, Z_BLOCK);

		*wire = str_skip(*wire, len - c->in.avail_in);
		*got = before - c->in.avail_out;
		c->is_between = (c->in.data_type & STANDS_MASK) == STANDS_BETWEEN_BLOCKS;
		c->has_ended |= result == Z_STREAM_END;
		if (*got > 0)
			return COMPRESSION_TEXT;
		if (c->has_ended)
			return COMPRESSION_END;
		/* Without input another call would only lose track of the boundary; but
		 * behind the last block it finds the end. */
		bool is_last = (c->in.data_type & STANDS_IN_LAST_BLOCK) != 0;

		if (result == Z_BUF_ERROR ||
		    (result == Z_OK && wire->len == 0 && !is_last))
			return COMPRESSION_MORE;
		if (result != Z_OK)
			return COMPRESSION_BAD;
	}
}

/* The last octets of what was said, as far as they are kept. */
static void keep_out(struct compression *c)
{
	uInt len = 0;

	if (!c->has_out || c->is_finishing)
		return;
	Bytef *window = NEW_ARRAY(Bytef, 1 << OUT_WINDOW_BITS);

	ASSERT(deflateGetDictionary(&c->out, window, &len) == Z_OK);
	struct str all = {(const char *)window, len};

	buf_release(&c->out_kept);
	buf_add(&c->out_kept, str_skip(all, len - num_min(len, OUT_KEPT_MAX)));
	mem_free(window);
	out_end(c);
}

static void keep_in(struct compression *c)
{
	uInt len = 0;

	if (!c->has_in || !c->is_between || c->has_ended)
		return;
	ASSERT(inflateGetDictionary(&c->in, NULL, &len) == Z_OK && len <= WINDOW_MAX);
	buf_release(&c->in_kept);
	if (len > 0) {
		Bytef *window = (Bytef *)buf_room(&c->in_kept, len);

		ASSERT(inflateGetDictionary(&c->in, window, &len) == Z_OK);
		buf_grew(&c->in_kept, len);
	}
	in_end(c);
}

void compression_rest(struct compression *c)
{
	keep_out(c);
	keep_in(c);
}

size_t compression_kept(const struct compression *c, bool *is_resting)
{
	*is_resting = !c->has_out && !c->has_in;
	return c->out_kept.room + c->in_kept.room;
}
