#include "base/codec.h"

static void enc_little(struct buf *buf, uint64_t value, size_t octets)
{
	char bytes[8];

	for (size_t i = 0; i < octets; i++)
		bytes[i] = (char)(unsigned char)(value >> (8 * i));
	buf_add(buf, (struct str){bytes, octets});
}

static void enc_big(struct buf *buf, uint64_t value, size_t octets)
{
	char bytes[8];

	for (size_t i = 0; i < octets; i++)
		bytes[octets - 1 - i] = (char)(unsigned char)(value >> (8 * i));
	buf_add(buf, (struct str){bytes, octets});
}

void enc_u8(struct buf *buf, uint8_t value)
{
	enc_little(buf, value, 1);
}

void enc_u16(struct buf *buf, uint16_t value)
{
	enc_little(buf, value, 2);
}

void enc_u32(struct buf *buf, uint32_t value)
{
	enc_little(buf, value, 4);
}

void enc_u64(struct buf *buf, uint64_t value)
{
	enc_little(buf, value, 8);
}

void enc_var(struct buf *buf, uint64_t value)
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

void enc_str(struct buf *buf, struct str value)
{
	enc_var(buf, value.len);
	buf_add(buf, value);
}

void enc_key32(struct buf *buf, uint32_t value)
{
	enc_big(buf, value, 4);
}

void enc_key48(struct buf *buf, uint64_t value)
{
	ASSERT(value >> 48 == 0);
	enc_big(buf, value, 6);
}

void enc_key64(struct buf *buf, uint64_t value)
{
	enc_big(buf, value, 8);
}

struct dec dec_over(struct str input)
{
	return (struct dec){.rest = input};
}

bool dec_ok(const struct dec *dec)
{
	return !dec->failed;
}

bool dec_done(const struct dec *dec)
{
	return !dec->failed && dec->rest.len == 0;
}

struct str dec_bytes(struct dec *dec, size_t len)
{
	if (dec->failed || len > dec->rest.len) {
		dec->failed = true;
		return STR("");
	}
	struct str found = str_first(dec->rest, len);

	dec->rest = str_skip(dec->rest, len);
	return found;
}

static uint64_t dec_little(struct dec *dec, size_t octets)
{
	struct str bytes = dec_bytes(dec, octets);
	uint64_t value = 0;

	for (size_t i = bytes.len; i > 0; i--)
		value = value << 8 | (unsigned char)bytes.ptr[i - 1];
	return value;
}

static uint64_t dec_big(struct dec *dec, size_t octets)
{
	struct str bytes = dec_bytes(dec, octets);
	uint64_t value = 0;

	for (size_t i = 0; i < bytes.len; i++)
		value = value << 8 | (unsigned char)bytes.ptr[i];
	return value;
}

uint8_t dec_u8(struct dec *dec)
{
	return (uint8_t)dec_little(dec, 1);
}

uint16_t dec_u16(struct dec *dec)
{
	return (uint16_t)dec_little(dec, 2);
}

uint32_t dec_u32(struct dec *dec)
{
	return (uint32_t)dec_little(dec, 4);
}

uint64_t dec_u64(struct dec *dec)
{
	return dec_little(dec, 8);
}

uint64_t dec_var(struct dec *dec)
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

uint64_t dec_var_max(struct dec *dec, uint64_t max)
{
	uint64_t value = dec_var(dec);

	if (value <= max)
		return value;
	dec->failed = true;
	return 0;
}

struct str dec_str(struct dec *dec)
{
	return dec_bytes(dec, dec_var(dec));
}

uint32_t dec_key32(struct dec *dec)
{
	return (uint32_t)dec_big(dec, 4);
}

uint64_t dec_key48(struct dec *dec)
{
	return dec_big(dec, 6);
}

uint64_t dec_key64(struct dec *dec)
{
	return dec_big(dec, 8);
}
