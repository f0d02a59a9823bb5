/* Checksums and hashes: CRC-32C finds damage on disk, SipHash keeps tables fair when
 * strangers choose the keys.  Neither proves who wrote something. */
#pragma once

#include "base/str.h"

/* CRC-32C (RFC 3720 §12.1) of what gave `before` followed by bytes; before is 0 at the
 * start: crc32c(crc32c(0, a), b) is the sum over a and b together. */
uint32_t crc32c(uint32_t before, struct str bytes);

struct hash_key {
	uint64_t words[2];
};

/* SipHash-2-4 with 64 bits. */
uint64_t siphash(struct hash_key key, struct str bytes);
/* For tables in memory: keyed anew in each process, so never write it down. */
uint64_t hash64(struct str bytes);
/* The same for a number; not keyed, only well mixed (numbers we gave ourselves). */
uint64_t hash64_number(uint64_t number);

/* crc32c() without special instructions, for its test. */
uint32_t crc32c_portable(uint32_t before, struct str bytes);
