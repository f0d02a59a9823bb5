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

uint16_t dec_u16(struct dec *dec)
{
	return (uint16_t)dec_little(dec, 2);
}

uint32_t dec_u32(struct dec *dec)
{
	return (uint32_t)dec_little(dec, 4);
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
