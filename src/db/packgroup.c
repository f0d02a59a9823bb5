/* Numbers are little-endian; CRC is CRC-32C.
 *
 * A pack, file NNNNNNNN.pack (decimal, from 1):
 *
 *   0  8  "PRpack1\n"
 *   8  4  format, now 2
 *  12  4  number of the pack
 *  16  8  epoch of the store when it was begun
 *  24  8  salt: random, so that no mail can hold what looks like a group of ours
 *  32  8  sequence number of its first group; all before it were durable
 *  40 20  zero
 *  60  4  CRC of the 60 octets before
 *  64     groups, each at a multiple of 8; then zeros (space allocated ahead) or the end
 *
 * A group:
 *
 *   0  4  "GRP1"
 *   4  4  number of records
 *   8  8  salt of the pack
 *  16  8  sequence number: one more than that of the group before, also across packs
 *  24  8  length of the records
 *  32  8  sequence number of a group known to be durable when this one was written, with
 *         all before it: packscan.c tells torn groups from damage by it
 *  40  4  CRC of the records without the frames of bodies, which have CRCs of their own:
 *         what was done stays proven when a body is damaged, or punched out
 *  44  4  CRC of the 44 octets before
 *  48     records; then zeros up to a multiple of 8
 *
 * A record is {u8 type, three zeros, u32 length, octets}; length does not count these 8.
 * Type 2 is an operation.  Type 1 is a body; it can be read and checked by itself:
 *
 *   0  1  1, and three zeros
 *   4  4  length of the frame + 28
 *   8  8  size of the body when unpacked
 *  16  4  account that it was written for
 *  20  8  message that it was written for
 *  28  4  CRC of the frame
 *  32  4  CRC of the 32 octets before
 *  36     the frame (store/body_form.h)
 *
 * The frame, and nothing else, may be punched out when nobody needs it any more: it then
 * reads as zeros, and the body's header stays.  What a power cut tore can look the same,
 * so a frame is only punched when a group that is durable names the group that made the
 * body dead as durable (packscan.c takes the holes of such groups for punched).
 */
#include "db/packgroup.h"

#include "base/hash.h"

static const struct str pack_magic = STR("PRpack1\n");
enum { GROUP_MAGIC = 0x31505247 }; /* "GRP1" */

static void put(char *bytes, uint64_t value, size_t octets)
{
	for (size_t i = 0; i < octets; i++)
		bytes[i] = (char)(unsigned char)(value >> (8 * i));
}

static uint64_t get(const char *bytes, size_t octets)
{
	uint64_t value = 0;

	for (size_t i = octets; i > 0; i--)
		value = value << 8 | (unsigned char)bytes[i - 1];
	return value;
}

static uint32_t get32(const char *bytes)
{
	return (uint32_t)get(bytes, 4);
}

static uint32_t sum(const char *bytes, size_t len)
{
	return crc32c(0, (struct str){bytes, len});
}

void pack_header_write(char *bytes, const struct pack_header *header)
{
	memset(bytes, 0, PACK_HEADER_BYTES);
	memcpy(bytes, pack_magic.ptr, pack_magic.len);
	put(bytes + 8, header->format, 4);
	put(bytes + 12, header->number, 4);
	put(bytes + 16, header->epoch, 8);
	put(bytes + 24, header->salt, 8);
	put(bytes + 32, header->first_sequence, 8);
	put(bytes + 60, sum(bytes, 60), 4);
}

err_t pack_header_read(struct str bytes, struct pack_header *header)
{
	if (bytes.len < PACK_HEADER_BYTES || !str_starts(bytes, pack_magic) ||
	    get32(bytes.ptr + 60) != sum(bytes.ptr, 60))
		return ERR_SYNTAX;
	*header = (struct pack_header){.format = get32(bytes.ptr + 8),
				       .number = get32(bytes.ptr + 12),
				       .epoch = get(bytes.ptr + 16, 8),
				       .salt = get(bytes.ptr + 24, 8),
				       .first_sequence = get(bytes.ptr + 32, 8)};
	return header->format != PACK_FORMAT ? ERR_DENIED : OK;
}

void group_header_write(char *bytes, const struct group_header *header)
{
	put(bytes, GROUP_MAGIC, 4);
	put(bytes + 4, header->records, 4);
	put(bytes + 8, header->salt, 8);
	put(bytes + 16, header->sequence, 8);
	put(bytes + 24, header->length, 8);
	put(bytes + 32, header->durable, 8);
	put(bytes + 40, header->records_crc, 4);
	put(bytes + 44, sum(bytes, 44), 4);
}

bool group_header_any(struct str bytes, struct group_header *header)
{
	if (bytes.len < GROUP_HEADER_BYTES || get32(bytes.ptr) != GROUP_MAGIC ||
	    get32(bytes.ptr + 44) != sum(bytes.ptr, 44))
		return false;
	*header = (struct group_header){.records = get32(bytes.ptr + 4),
					.salt = get(bytes.ptr + 8, 8),
					.sequence = get(bytes.ptr + 16, 8),
					.length = get(bytes.ptr + 24, 8),
					.durable = get(bytes.ptr + 32, 8),
					.records_crc = get32(bytes.ptr + 40)};
	return true;
}

bool group_header_read(struct str bytes, uint64_t salt, struct group_header *header)
{
	struct group_header found;

	if (!group_header_any(bytes, &found) || found.salt != salt)
		return false;
	*header = found;
	return true;
}

void record_header_write(char *bytes, int type, uint32_t length)
{
	put(bytes, (uint64_t)type, 4);
	put(bytes + 4, length, 4);
}

void body_header_write(char *bytes, const struct body_header *header)
{
	uint64_t length = header->length + BODY_HEADER_BYTES - RECORD_HEADER_BYTES;

	record_header_write(bytes, RECORD_BODY, (uint32_t)length);
	put(bytes + 8, header->raw_size, 8);
	put(bytes + 16, header->account, 4);
	put(bytes + 20, header->message, 8);
	put(bytes + 28, header->frame_crc, 4);
	put(bytes + 32, sum(bytes, 32), 4);
}

bool body_header_read(struct str bytes, struct body_header *header)
{
	enum { MORE = BODY_HEADER_BYTES - RECORD_HEADER_BYTES };

	if (bytes.len < BODY_HEADER_BYTES || get32(bytes.ptr) != RECORD_BODY ||
	    get32(bytes.ptr + 4) < MORE || get32(bytes.ptr + 32) != sum(bytes.ptr, 32))
		return false;
	*header = (struct body_header){.length = get32(bytes.ptr + 4) - MORE,
				       .raw_size = get(bytes.ptr + 8, 8),
				       .account = get32(bytes.ptr + 16),
				       .message = get(bytes.ptr + 20, 8),
				       .frame_crc = get32(bytes.ptr + 28)};
	return true;
}

/* ---- records ----------------------------------------------------------------------- */

bool record_length(struct str bytes, uint64_t *length)
{
	if (bytes.len < RECORD_HEADER_BYTES)
		return false;
	*length = get32(bytes.ptr + 4) + (uint64_t)RECORD_HEADER_BYTES;
	return get32(bytes.ptr) != RECORD_BODY || *length >= BODY_HEADER_BYTES;
}

/* The next record's octets that the group's CRC covers; *frame is what follows them.
 * False at the end, or where no record can be. */
static bool record_next(struct str *rest, struct str *covered, struct str *frame)
{
	uint64_t length;

	if (!record_length(*rest, &length) || length > rest->len)
		return false;
	bool is_body = get32(rest->ptr) == RECORD_BODY;
	size_t head = is_body ? BODY_HEADER_BYTES : (size_t)length;

	*covered = str_first(*rest, head);
	*frame = str_skip(str_first(*rest, (size_t)length), head);
	*rest = str_skip(*rest, (size_t)length);
	return true;
}

bool pack_next_operation(struct str *rest, struct str *operation)
{
	struct str covered, frame;

	while (record_next(rest, &covered, &frame)) {
		*operation = str_skip(covered, RECORD_HEADER_BYTES);
		if (get32(covered.ptr) == RECORD_OPERATION)
			return true;
	}
	return false;
}

static bool is_zeros(struct str bytes)
{
	return bytes.len == 0 || (bytes.ptr[0] == 0 &&
				  memcmp(bytes.ptr, bytes.ptr + 1, bytes.len - 1) == 0);
}

bool pack_next_body(struct str *rest, struct pack_found *found)
{
	struct str covered, frame;

	while (record_next(rest, &covered, &frame)) {
		struct body_header header;

		if (!body_header_read(covered, &header))
			continue;
		*found = (struct pack_found){.header_at = covered.ptr,
					     .frame = frame,
					     .length = header.length,
					     .raw_size = header.raw_size,
					     .account = header.account,
					     .message = header.message};
		found->state = crc32c(0, frame) == header.frame_crc ? BODY_WHOLE
			       : is_zeros(frame)                    ? BODY_PUNCHED
								    : BODY_BAD;
		return true;
	}
	return false;
}

bool group_records_check(struct str payload, const struct group_header *header)
{
	struct str rest = payload, covered, frame;
	uint32_t crc = 0, records = 0;

	while (record_next(&rest, &covered, &frame)) {
		crc = crc32c(crc, covered);
		records++;
	}
	return rest.len == 0 && crc == header->records_crc && records == header->records;
}

uint32_t group_records_crc(struct str own, size_t inline_max)
{
	uint32_t crc = 0;

	while (own.len >= RECORD_HEADER_BYTES) {
		uint64_t length = get32(own.ptr + 4) + (uint64_t)RECORD_HEADER_BYTES;
		bool is_body = get32(own.ptr) == RECORD_BODY;
		size_t head = is_body ? BODY_HEADER_BYTES : (size_t)length;
		size_t frame = (size_t)length - head;

		crc = crc32c(crc, str_first(own, head));
		own = str_skip(own, head + (frame <= inline_max ? frame : 0));
	}
	return crc;
}
