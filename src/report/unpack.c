#include "report/unpack.h"

#include <zlib.h>

#include "base/buf.h"
#include "base/num.h"
#include "wire/mail/zip.h"

enum {
	GZIP = 15 + 16,
	RAW = -15,
	PIECE = 64 * 1024,
	PARTS_MAX = 100,
	DEPTH_MAX = 8,
};

/* Stops as soon as it is more than max. */
static enum unpack inflate_all(struct str packed, int form, size_t max, struct buf *out)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.ptr,
		      .avail_in = (uInt)packed.len};
	int state = Z_OK;

	if (packed.len > UINT32_MAX || inflateInit2(&z, form) != Z_OK)
		return UNPACK_LONG;
	while (state == Z_OK && out->len < max) {
		size_t room_len = num_min(PIECE, max - out->len);
		char *room = buf_room(out, room_len);

		if (!room)
			break;
		z.next_out = (Bytef *)room;
		z.avail_out = (uInt)room_len;
		state = inflate(&z, Z_NO_FLUSH);
		buf_grew(out, room_len - z.avail_out);
	}
	(void)inflateEnd(&z); /* it only frees */
	if (state == Z_STREAM_END)
		return UNPACK_DONE;
	return state == Z_OK ? UNPACK_LONG : UNPACK_DAMAGED;
}

static enum unpack unpack_zip(struct str archive, size_t max, struct buf *out)
{
	struct zip_member member;
	enum unpack unpacked = UNPACK_DONE;

	if (!zip_first(archive, &member))
		return UNPACK_DAMAGED;
	if (member.method == ZIP_DEFLATED)
		unpacked = inflate_all(member.packed, RAW, max, out);
	else if (member.packed.len > max)
		return UNPACK_LONG;
	else
		buf_add(out, member.packed);
	if (unpacked != UNPACK_DONE)
		return unpacked;
	return crc32(0, (const Bytef *)out->ptr, (uInt)out->len) == member.crc
		       ? UNPACK_DONE
		       : UNPACK_DAMAGED;
}

static bool is_gzip(struct str bytes)
{
	return str_starts(bytes, STR("\x1f\x8b"));
}

bool unpack_is_packed(struct str bytes)
{
	return is_gzip(bytes) || zip_is(bytes);
}

enum unpack unpack_file(struct str bytes, size_t max, struct arena *arena,
			struct str *plain)
{
	SCOPED(buf_fini) struct buf out = BUF(max);
	enum unpack unpacked = UNPACK_DONE;

	*plain = bytes;
	if (!unpack_is_packed(bytes))
		return bytes.len > max ? UNPACK_LONG : UNPACK_DONE;
	unpacked = is_gzip(bytes) ? inflate_all(bytes, GZIP, max, &out)
				  : unpack_zip(bytes, max, &out);
	if (unpacked == UNPACK_DONE && !arena_copy(arena, buf_str(&out), plain))
		return UNPACK_LONG;
	return unpacked;
}

enum unpack unpack_mail(struct str mail,
			bool (*is_wanted)(const struct mime_part *part,
					  const struct mime_part *root),
			size_t max, struct arena *arena, struct str *plain)
{
	struct mime mime = mime_parse_within(arena, mail, PARTS_MAX, DEPTH_MAX);

	for (struct mime_part *part = mime.root; part; part = mime_next(part)) {
		SCOPED(buf_fini) struct buf body = BUF(max);
		struct str kept;

		if (part->kind != MIME_LEAF || !is_wanted(part, mime.root))
			continue;
		mail_transfer_decode(
			part->transfer,
			str_first(str_skip(mail, part->body_at), part->body_len), &body);
		if (!buf_ok(&body) || !arena_copy(arena, buf_str(&body), &kept))
			return UNPACK_LONG;
		return unpack_file(kept, max, arena, plain);
	}
	return UNPACK_OTHER;
}

bool unpack_is_report(const struct mime_part *root, struct str type)
{
	return mime_is(root, "multipart", "report") &&
	       str_same_nocase(mail_param_plain(&root->params, STR("report-type")), type);
}

bool pack_gzip(struct str bytes, struct buf *out)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes.ptr,
		      .avail_in = (uInt)bytes.len};

	if (bytes.len > UINT32_MAX || deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED,
						   GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	uLong most = deflateBound(&z, bytes.len);
	char *room = buf_room(out, most);

	z.next_out = (Bytef *)room;
	z.avail_out = (uInt)most;
	bool is_done = room && deflate(&z, Z_FINISH) == Z_STREAM_END;

	if (is_done)
		buf_grew(out, z.total_out);
	(void)deflateEnd(&z); /* it only frees */
	return is_done;
}
