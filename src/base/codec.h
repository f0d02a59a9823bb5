/* Numbers and runs of bytes in the fixed little-endian form that our own records and
 * messages share.  Reading latches an error, so a decoder reads freely and checks
 * dec_ok() once; after an error every read gives zero or "".  Slices borrow the input. */
#pragma once

#include <endian.h>

#include "base/buf.h"

static inline void enc_u8(struct buf *buf, uint8_t value)
{
	buf_add_byte(buf, (char)value);
}
void enc_u16(struct buf *buf, uint16_t value);
void enc_u32(struct buf *buf, uint32_t value);
void enc_u64(struct buf *buf, uint64_t value);
/* 1 to 10 octets, 7 bits each, least first; small numbers are small. */
static inline void enc_var(struct buf *buf, uint64_t value)
{
	char bytes[10];
	size_t len = 0;

	while (value > 127) {
		bytes[len++] = (char)(unsigned char)((value & 127) | 128);
		value >>= 7;
	}
	bytes[len++] = (char)(unsigned char)value;
	buf_add(buf, (struct str){bytes, len});
}
/* The length as enc_var(), then the bytes. */
void enc_str(struct buf *buf, struct str value);

struct dec {
	struct str rest;
	bool failed;
};

static inline struct dec dec_over(struct str input)
{
	return (struct dec){.rest = input};
}
/* True if nothing failed so far. */
static inline bool dec_ok(const struct dec *dec)
{
	return !dec->failed;
}
/* True if nothing failed and all was read. */
static inline bool dec_done(const struct dec *dec)
{
	return !dec->failed && dec->rest.len == 0;
}
static inline struct str dec_bytes(struct dec *dec, size_t len)
{
	if (dec->failed || len > dec->rest.len) {
		dec->failed = true;
		return STR("");
	}
	struct str found = str_first(dec->rest, len);

	dec->rest = str_skip(dec->rest, len);
	return found;
}
static inline uint8_t dec_u8(struct dec *dec)
{
	struct str byte = dec_bytes(dec, 1);

	return byte.len == 1 ? (uint8_t)byte.ptr[0] : 0;
}
uint16_t dec_u16(struct dec *dec);
uint32_t dec_u32(struct dec *dec);
static inline uint64_t dec_u64(struct dec *dec)
{
	struct str bytes = dec_bytes(dec, 8);
	uint64_t value = 0;

	if (bytes.len == 8)
		memcpy(&value, bytes.ptr, 8);
	return le64toh(value);
}
static inline uint64_t dec_var(struct dec *dec)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		unsigned byte = dec_u8(dec);

		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return dec->failed ? 0 : value;
	}
	dec->failed = true;
	return 0;
}
/* dec_var() that fails if it is more than max. */
static inline uint64_t dec_var_max(struct dec *dec, uint64_t max)
{
	uint64_t value = dec_var(dec);

	if (value <= max)
		return value;
	dec->failed = true;
	return 0;
}
static inline struct str dec_str(struct dec *dec)
{
	return dec_bytes(dec, dec_var(dec));
}

/* Big-endian numbers, whose octet order is their order; for keys of the index. */
void enc_key32(struct buf *buf, uint32_t value);
void enc_key48(struct buf *buf, uint64_t value);
void enc_key64(struct buf *buf, uint64_t value);
uint32_t dec_key32(struct dec *dec);
uint64_t dec_key48(struct dec *dec);
uint64_t dec_key64(struct dec *dec);
