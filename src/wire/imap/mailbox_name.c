#include "wire/imap/mailbox_name.h"

/* The modified base64 of RFC 3501 §5.1.3: "," instead of "/". */
static const char base64[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* One scalar value of valid UTF-8 (RFC 3629 §4); 0 length if there is none. */
static size_t scalar_read(struct str in, uint32_t *scalar)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};

	if (in.len == 0)
		return 0;
	unsigned char first = (unsigned char)in.ptr[0];
	size_t len = first < 0x80   ? 1
		     : first < 0xc2 ? 0
		     : first < 0xe0 ? 2
		     : first < 0xf0 ? 3
				    : 4;

	if (len == 0 || first > 0xf4 || in.len < len)
		return 0;
	uint32_t value = len == 1 ? first : first & (0x7fu >> len);

	for (size_t i = 1; i < len; i++) {
		unsigned char next = (unsigned char)in.ptr[i];

		if ((next & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (next & 0x3f);
	}
	if (value < least[len] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 0;
	*scalar = value;
	return len;
}

static void scalar_add(struct buf *out, uint32_t scalar)
{
	if (scalar < 0x80) {
		buf_add_byte(out, (char)scalar);
		return;
	}
	if (scalar < 0x800) {
		buf_add_byte(out, (char)(0xc0 | scalar >> 6));
	} else {
		if (scalar < 0x10000) {
			buf_add_byte(out, (char)(0xe0 | scalar >> 12));
		} else {
			buf_add_byte(out, (char)(0xf0 | scalar >> 18));
			buf_add_byte(out, (char)(0x80 | (scalar >> 12 & 0x3f)));
		}
		buf_add_byte(out, (char)(0x80 | (scalar >> 6 & 0x3f)));
	}
	buf_add_byte(out, (char)(0x80 | (scalar & 0x3f)));
}

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
		size_t len = scalar_read(utf8, &scalar);

		if (len == 0 || is_control(scalar))
			return false;
		utf8 = str_skip(utf8, len);
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
		size_t len = scalar_read(rest, &scalar);

		if (scalar > 0xffff) {
			bits_write(&bits, out, 0xd800 + ((scalar - 0x10000) >> 10));
			bits_write(&bits, out, 0xdc00 + ((scalar - 0x10000) & 0x3ff));
		} else {
			bits_write(&bits, out, scalar);
		}
		rest = str_skip(rest, len);
	}
	if (bits.count > 0)
		buf_add_byte(out, base64[bits.held << (6 - bits.count) & 63]);
	buf_add_byte(out, '-');
	return rest;
}

bool imap_mailbox_name_to_utf7(struct buf *out, struct str utf8)
{
	if (!imap_mailbox_name_ok(utf8))
		return false;
	while (utf8.len > 0) {
		char c = utf8.ptr[0];

		if ((unsigned char)c > 126) {
			utf8 = shifted_run(out, utf8);
			continue;
		}
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
		scalar_add(out, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
		*high = 0;
		return true;
	}
	if (unit >= 0xd800 && unit < 0xdc00) {
		*high = unit;
		return true;
	}
	if (is_control(unit) || unit < 127 || (unit >= 0xdc00 && unit < 0xe000))
		return false;
	scalar_add(out, unit);
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
