#include "tlspolicy/received.h"

#include <zlib.h>

#include "base/buf.h"
#include "base/num.h"
#include "wire/mail/mime.h"

enum { GZIP = 15 + 16, PIECE = 64 * 1024, PARTS_MAX = 100, DEPTH_MAX = 8 };

/* RFC 1952.  Stops as soon as it is more than we take, however well it was packed. */
static enum received unpack(struct str packed, struct buf *out)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.ptr,
		      .avail_in = (uInt)packed.len};
	int state = Z_OK;

	if (packed.len > UINT32_MAX || inflateInit2(&z, GZIP) != Z_OK)
		return RECEIVED_LONG;
	while (state == Z_OK && out->len < TLS_REPORT_BYTES_MAX) {
		size_t room_len = num_min(PIECE, TLS_REPORT_BYTES_MAX - out->len);
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
		return RECEIVED_REPORT;
	return state == Z_OK ? RECEIVED_LONG : RECEIVED_DAMAGED;
}

static bool is_packed(struct str bytes)
{
	return str_starts(bytes, STR("\x1f\x8b"));
}

/* The JSON outlives the call: it is in the arena, or borrowed. */
static enum received read_json(struct str bytes, struct arena *arena,
			       struct tls_report *report)
{
	SCOPED(buf_fini) struct buf out = BUF(TLS_REPORT_BYTES_MAX);

	if (is_packed(bytes)) {
		enum received unpacked = unpack(bytes, &out);

		if (unpacked != RECEIVED_REPORT)
			return unpacked;
		if (!arena_copy(arena, buf_str(&out), &bytes))
			return RECEIVED_LONG;
	}
	if (bytes.len > TLS_REPORT_BYTES_MAX)
		return RECEIVED_LONG;
	return tls_report_parse(bytes, arena, report) ? RECEIVED_REPORT : RECEIVED_OTHER;
}

/* RFC 8460 §5.3.  Some send the right part under a name that other programs know: then
 * the whole must call itself such a report. */
static bool is_report_part(const struct mime_part *part, bool is_whole_report)
{
	if (mime_is(part, "application", "tlsrpt+gzip") ||
	    mime_is(part, "application", "tlsrpt+json"))
		return true;
	return is_whole_report && (mime_is(part, "application", "gzip") ||
				   mime_is(part, "application", "x-gzip") ||
				   mime_is(part, "application", "json") ||
				   mime_is(part, "application", "octet-stream"));
}

static bool is_whole_report(const struct mime_part *root)
{
	struct str type = mail_param_plain(&root->params, STR("report-type"));

	return mime_is(root, "multipart", "report") &&
	       str_same_nocase(type, STR("tlsrpt"));
}

static enum received read_mail(struct str mail, struct arena *arena,
			       struct tls_report *report)
{
	struct mime mime = mime_parse_within(arena, mail, PARTS_MAX, DEPTH_MAX);

	for (struct mime_part *part = mime.root; part; part = mime_next(part)) {
		SCOPED(buf_fini) struct buf body = BUF(TLS_REPORT_BYTES_MAX);
		struct str kept;

		if (part->kind != MIME_LEAF ||
		    !is_report_part(part, is_whole_report(mime.root)))
			continue;
		mail_transfer_decode(
			part->transfer,
			str_first(str_skip(mail, part->body_at), part->body_len), &body);
		if (!buf_ok(&body) || !arena_copy(arena, buf_str(&body), &kept))
			return RECEIVED_LONG;
		enum received read = read_json(kept, arena, report);

		return read == RECEIVED_OTHER ? RECEIVED_DAMAGED : read;
	}
	return RECEIVED_OTHER;
}

enum received received_read(struct str bytes, struct arena *arena,
			    struct tls_report *report)
{
	struct str start = str_trim(str_first(bytes, PIECE));
	bool is_json =
		str_starts(start, STR("{")) || str_starts(start, STR("\xef\xbb\xbf"));

	return is_json || is_packed(bytes) ? read_json(bytes, arena, report)
					   : read_mail(bytes, arena, report);
}
