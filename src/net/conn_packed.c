/* Connections whose octets are compressed: between conn's buffers and the wire. */
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "net/conn_state.h"

enum {
	WIRE_OUT_MAX = 16 * 1024,
	WIRE_IN_MAX = 4 * 1024,
	/* Empty blocks are DEFLATE, too; who sends so many only keeps us busy. */
	WIRE_IDLE_BYTES_MAX = 128 * 1024,
};

err_t conn_compress(struct conn *conn)
{
	ASSERT(!conn_is_compressed(conn));
	TRY(conn_flush(conn));
	if (conn->packed && (conn->packed->packs_in || conn_packed_may_recv(conn)))
		return ERR_SYNTAX;
	conn_packed_free(conn);
	struct conn_packed *packed = NEW(struct conn_packed);

	packed->compression = compression_new();
	packed->packs_out = packed->packs_in = packed->is_whole = true;
	packed->wire_out = BUF(WIRE_OUT_MAX);
	packed->wire_in = BUF(WIRE_IN_MAX);
	conn->packed = packed;
	return OK;
}

bool conn_is_compressed(const struct conn *conn)
{
	return conn->packed && conn->packed->packs_out;
}

void conn_packed_free(struct conn *conn)
{
	struct conn_packed *packed = conn->packed;

	if (!packed)
		return;
	conn->packed = NULL;
	compression_free(&packed->compression);
	buf_fini(&packed->wire_out);
	buf_fini(&packed->wire_in);
	mem_free(packed);
}

err_t conn_uncompress(struct conn *conn)
{
	ASSERT(conn_is_compressed(conn));
	compression_finish(conn->packed->compression);
	compression_will_end(conn->packed->compression);
	conn->packed->is_whole = false; /* the end is still to be said */
	TRY(conn_flush(conn));
	conn->packed->packs_out = false;
	return OK;
}

bool conn_packed_has_output(const struct conn *conn)
{
	const struct conn_packed *packed = conn->packed;

	return packed && packed->packs_out &&
	       (!packed->is_whole || packed->wire_sent < packed->wire_out.len);
}

/* The next piece of what waits, compressed. */
static void pack_more(struct conn *conn)
{
	struct conn_packed *packed = conn->packed;
	struct str rest = str_skip(buf_str(&conn->out), conn->out_sent);

	buf_reset(&packed->wire_out);
	packed->wire_sent = 0;
	char *room = buf_room(&packed->wire_out, WIRE_OUT_MAX);
	size_t made = compression_out(packed->compression, &rest, room, WIRE_OUT_MAX,
				      &packed->is_whole);

	buf_grew(&packed->wire_out, made);
	conn->out_sent = conn->out.len - rest.len;
}

enum conn_io conn_packed_send(struct conn *conn)
{
	struct conn_packed *packed = conn->packed;
	size_t sent = 0;

	if (packed->wire_sent == packed->wire_out.len)
		pack_more(conn);
	struct str rest = str_skip(buf_str(&packed->wire_out), packed->wire_sent);

	if (rest.len == 0)
		return CONN_IO_DONE;
	enum conn_io outcome = conn_wire_send(conn, rest, &sent);

	packed->wire_sent += sent;
	return outcome;
}

bool conn_packed_may_recv(const struct conn *conn)
{
	const struct conn_packed *packed = conn->packed;

	return packed &&
	       (packed->may_hold_text || packed->wire_taken < packed->wire_in.len);
}

/* What came behind the peer's stream is plain. */
static enum conn_io plain_recv(struct conn *conn, char *to, size_t room, size_t *got)
{
	struct conn_packed *packed = conn->packed;
	struct str rest = str_skip(buf_str(&packed->wire_in), packed->wire_taken);

	packed->packs_in = packed->may_hold_text = false;
	if (rest.len == 0) {
		if (!packed->packs_out)
			conn_packed_free(conn);
		return conn_wire_recv(conn, to, room, got);
	}
	*got = num_min(room, rest.len);
	memcpy(to, rest.ptr, *got);
	packed->wire_taken += *got;
	return CONN_IO_DONE;
}

/* More octets from the wire, where the last were used up. */
static enum conn_io refill(struct conn *conn)
{
	struct conn_packed *packed = conn->packed;
	size_t got = 0;

	buf_reset(&packed->wire_in);
	packed->wire_taken = 0;
	if (packed->wire_idle_bytes > WIRE_IDLE_BYTES_MAX)
		return CONN_IO_END;
	char *room = buf_room(&packed->wire_in, WIRE_IN_MAX);
	enum conn_io outcome = conn_wire_recv(conn, room, WIRE_IN_MAX, &got);

	buf_grew(&packed->wire_in, got);
	packed->wire_idle_bytes += got;
	return outcome;
}

enum conn_io conn_packed_recv(struct conn *conn, char *to, size_t room, size_t *got)
{
	struct conn_packed *packed = conn->packed;

	while (packed->packs_in) {
		struct str wire = str_skip(buf_str(&packed->wire_in), packed->wire_taken);
		enum conn_io outcome;

		enum compression_in what =
			compression_in(packed->compression, &wire, to, room, got);

		packed->wire_taken = packed->wire_in.len - wire.len;
		packed->may_hold_text = *got == room;
		switch (what) {
		case COMPRESSION_TEXT:
			packed->wire_idle_bytes = 0;
			return CONN_IO_DONE;
		case COMPRESSION_END:
			if (packed->packs_out) /* nobody asked for that */
				return CONN_IO_END;
			return plain_recv(conn, to, room, got);
		case COMPRESSION_BAD:
			LOG(INFO, "not compressed", KV("peer", conn->peer));
			return CONN_IO_END;
		case COMPRESSION_MORE:
			outcome = refill(conn);
			if (outcome != CONN_IO_DONE)
				return outcome;
			break;
		}
	}
	return plain_recv(conn, to, room, got);
}

size_t conn_packed_drop_input(struct conn *conn)
{
	struct conn_packed *packed = conn->packed;

	if (!packed || packed->packs_in)
		return 0;
	size_t dropped = packed->wire_in.len - packed->wire_taken;

	packed->wire_taken = packed->wire_in.len;
	return dropped;
}

void conn_packed_shrink(struct conn *conn)
{
	struct conn_packed *packed = conn->packed;

	if (!packed)
		return;
	if (packed->wire_sent == packed->wire_out.len) {
		buf_release(&packed->wire_out);
		packed->wire_sent = 0;
	}
	if (packed->wire_taken == packed->wire_in.len) {
		buf_release(&packed->wire_in);
		packed->wire_taken = 0;
	}
	if (packed->is_whole)
		compression_rest(packed->compression);
}
