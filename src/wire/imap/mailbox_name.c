#include "wire/imap/mailbox_name.h"

#include "base/utf8.h"

/* The modified base64 of RFC 3501 §5.1.3: "," instead of "/". */
static const char base64[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool is_control(uint32_t scalar)
{
	return scalar < 32 || (scalar >= 127 && scalar < 160);
}

bool imap_mailbox_name_ok(struct str utf8)
{
	if (utf8.len == 0 || utf8.len > IMAP_MAILBOX_NAME_MAX)
		return false;
	while (utf8.len > 0) {
		uint32_t scalar;

		if (!utf8_take(&utf8, &scalar) || is_control(scalar))
			return false;
	}
	return true;
}

struct bits {
	uint32_t held;
	unsigned count;
};

static void bits_write(struct bits *bits, struct buf *out, uint32_t unit)
{
	bits->held = bits->held << 16 | unit;
	for (bits->count += 16; bits->count >= 6; bits->count -= 6)
		buf_add_byte(out, base64[bits->held >> (bits->count - 6) & 63]);
}

/* The run of characters that need a shift: "&" base64 of UTF-16BE "-". */
static struct str shifted_run(struct buf *out, struct str rest)
{
	struct bits bits = {0};
	uint32_t scalar;

	buf_add_byte(out, '&');
	while (rest.len > 0 && (unsigned char)rest.ptr[0] > 126) {
		(void)utf8_take(&rest, &scalar); /* it was checked before */
		if (scalar > 0xffff) {
			bits_write(&bits, out, 0xd800 + ((scalar - 0x10000) >> 10));
			bits_write(&bits, out, 0xdc00 + ((scalar - 0x10000) & 0x3ff));
		} else {
			bits_write(&bits, out, scalar);
		}
	}
	if (bits.count > 0)
		buf_add_byte(out, base64[bits.held << (6 - bits.count) & 63]);
	buf_add_byte(out, '-');
	return rest;
}

bool imap_mailbox_name_to_utf7(struct buf *out, struct str utf8, bool escapes)
{
	if (!imap_mailbox_name_ok(utf8))
		return false;
	while (utf8.len > 0) {
		char c = utf8.ptr[0];

		if ((unsigned char)c > 126) {
			utf8 = shifted_run(out, utf8);
			continue;
		}
		if (escapes && (c == '"' || c == '\\'))
			buf_add_byte(out, '\\');
		buf_add_byte(out, c);
		if (c == '&')
			buf_add_byte(out, '-');
		utf8 = str_skip(utf8, 1);
	}
	return true;
}

/* Adds one UTF-16 unit; *high is the first half of a pair still waiting for its second.
 * False for a wrong half, and for what must not be encoded (printable ASCII). */
static bool unit_add(struct buf *out, uint32_t unit, uint32_t *high)
{
	if (*high != 0) {
		if (unit < 0xdc00 || unit > 0xdfff)
			return false;
		utf8_add(out, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
		*high = 0;
		return true;
	}
	if (unit >= 0xd800 && unit < 0xdc00) {
		*high = unit;
		return true;
	}
	if (is_control(unit) || unit < 127 || (unit >= 0xdc00 && unit < 0xe000))
		return false;
	utf8_add(out, unit);
	return true;
}

/* What stands between "&" and "-". */
static bool shifted_read(struct buf *out, struct str run)
{
	struct bits bits = {0};
	uint32_t high = 0;

	for (size_t i = 0; i < run.len; i++) {
		const char *found = memchr(base64, run.ptr[i], sizeof base64 - 1);

		if (!found)
			return false;
		bits.held = bits.held << 6 | (uint32_t)(found - base64);
		bits.count += 6;
		if (bits.count < 16)
			continue;
		bits.count -= 16;
		if (!unit_add(out, bits.held >> bits.count & 0xffff, &high))
			return false;
	}
	/* The bits that fill up the last octet are zero and fewer than one digit. */
	return high == 0 && bits.count < 6 && (bits.held & ((1u << bits.count) - 1)) == 0;
}

bool imap_mailbox_name_from_utf7(struct buf *out, struct str utf7)
{
	while (utf7.len > 0) {
		char c = utf7.ptr[0];

		utf7 = str_skip(utf7, 1);
		if (c < 32 || c > 126)
			return false;
		if (c != '&') {
			buf_add_byte(out, c);
			continue;
		}
		size_t len = str_find_byte(utf7, '-');

		if (len == utf7.len)
			return false;
		if (len == 0)
			buf_add_byte(out, '&');
		else if (!shifted_read(out, str_first(utf7, len)))
			return false;
		utf7 = str_skip(utf7, len + 1);
		/* No superfluous shift: "&AOk-&AOk-" is "&AOkA6Q-". */
		if (len > 0 && utf7.len > 1 && utf7.ptr[0] == '&' && utf7.ptr[1] != '-')
			return false;
	}
	return true;
}

/* INBOX in any case, alone or as the first level.  RFC 9051 §5.1. */
static bool inbox_fold(struct arena *arena, struct str *name)
{
	static const struct str inbox = STR("INBOX");

	if (!str_starts_nocase(*name, inbox) || str_starts(*name, inbox) ||
	    (name->len > inbox.len && name->ptr[inbox.len] != '/'))
		return true;
	char *copy = arena_alloc(arena, name->len, 1);

	if (!copy)
		return false;
	memcpy(copy, name->ptr, name->len);
	memcpy(copy, inbox.ptr, inbox.len);
	name->ptr = copy;
	return true;
}

/* What modified UTF-7 with at least one "&" stands for, in the arena. */
static bool decode(struct str wire, struct arena *arena, struct str *name)
{
	/* 16 bits take at least 8/3 octets of base64 and at most 3 of UTF-8. */
	size_t room = wire.len + wire.len / 4 + 4;
	struct buf plain = {
		.ptr = arena_alloc(arena, room, 1), .room = room, .max = room};

	if (!plain.ptr || !imap_mailbox_name_from_utf7(&plain, wire) || !buf_ok(&plain))
		return false;
	*name = buf_str(&plain);
	return true;
}

bool imap_mailbox_name_read(struct str wire, bool is_utf8, struct arena *arena,
			    struct str *name)
{
	*name = wire;
	if (wire.len == 0)
		return true;
	if (wire.len > 3 * IMAP_MAILBOX_NAME_MAX)
		return false;
	if (!is_utf8) {
		for (size_t i = 0; i < wire.len; i++) {
			if (wire.ptr[i] < 32 || wire.ptr[i] > 126)
				return false;
		}
		if (str_find_byte(wire, '&') < wire.len && !decode(wire, arena, name))
			return false;
	}
	return imap_mailbox_name_ok(*name) && inbox_fold(arena, name);
}
