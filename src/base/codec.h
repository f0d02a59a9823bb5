/* Numbers and runs of bytes in the fixed little-endian form that our own records and
 * messages share.  Reading latches an error, so a decoder reads freely and checks
 * dec_ok() once; after an error every read gives zero or "".  Slices borrow the input. */
#pragma once

#include "base/buf.h"

void enc_u8(struct buf *buf, uint8_t value);
void enc_u16(struct buf *buf, uint16_t value);
void enc_u32(struct buf *buf, uint32_t value);
void enc_u64(struct buf *buf, uint64_t value);
/* 1 to 10 octets, 7 bits each, least first; small numbers are small. */
void enc_var(struct buf *buf, uint64_t value);
/* The length as enc_var(), then the bytes. */
void enc_str(struct buf *buf, struct str value);

struct dec {
	struct str rest;
	bool failed;
};

struct dec dec_over(struct str input);
/* True if nothing failed so far. */
bool dec_ok(const struct dec *dec);
/* True if nothing failed and all was read. */
bool dec_done(const struct dec *dec);
uint8_t dec_u8(struct dec *dec);
uint16_t dec_u16(struct dec *dec);
uint32_t dec_u32(struct dec *dec);
uint64_t dec_u64(struct dec *dec);
uint64_t dec_var(struct dec *dec);
/* dec_var() that fails if it is more than max. */
uint64_t dec_var_max(struct dec *dec, uint64_t max);
struct str dec_str(struct dec *dec);
struct str dec_bytes(struct dec *dec, size_t len);

/* Big-endian numbers, whose octet order is their order; for keys of the index. */
void enc_key32(struct buf *buf, uint32_t value);
void enc_key48(struct buf *buf, uint64_t value);
void enc_key64(struct buf *buf, uint64_t value);
uint32_t dec_key32(struct dec *dec);
uint64_t dec_key48(struct dec *dec);
uint64_t dec_key64(struct dec *dec);
