/* The form of a digest; shared by its writer and its reader.  Numbers "var"
 * and strings "str" are base/codec.h's.
 *
 *   digest    = u8 version, u8 flags, var size, var header_size, var lines, u64 sent_at,
 *               u64 message_id, u64 base_subject, u8 count, count u64 references,
 *               the six str sort in their order, parts of version 3, or of the others:
 *               var size, and the same parts packed (digest_pack.h)
 *   parts     = str preview, str envelope, str structure, str header
 *   envelope  = u8 date flags, [u64 unix_s, u16 zone_minutes + 0x8000,]
 *               str date_text, subject, in_reply_to, message_id, six lists
 *   list      = var count, count times: u8 kind, and str name for MAIL_GROUP_START, str
 *               name, route, local, domain for MAIL_MAILBOX
 *   structure = the parts in the order of the text: u8 kind | opaque << 2 | transfer << 3
 *               | has_extras << 6 | has_envelope << 7, var child_count, var header_at,
 *               var header_len, var body_len, var lines, str type, str subtype, params,
 *               [str encoding, str disposition, params, str id, description, language,
 *               location, md5,] [str envelope]
 *   params    = var count, count times str name, str value */
#pragma once

enum {
	DIGEST_PLAIN = 3, /* the versions */
	DIGEST_WORDS = 4, /* is read, but no longer written */
	DIGEST_PACKED = 5,
	DIGEST_ENVELOPE_MAX = 12 * 1024,
	DIGEST_STRUCTURE_MAX = 12 * 1024,

	DATE_IS_SET = 1,
	DATE_ZONE_UNKNOWN = 2,
	DATE_ZONE_BIAS = 0x8000,
	ZONE_MINUTES_MAX = 24 * 60,

	PART_OPAQUE = 4,
	PART_TRANSFER_SHIFT = 3,
	PART_EXTRAS = 64,
	PART_ENVELOPE = 128,
};

/* The years 1 to 9999, which are all that mail_date_parse() knows, in any zone. */
#define DATE_MIN (-62135596800 - 86400)
#define DATE_MAX (253402300799 + 86400)
