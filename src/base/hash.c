#include "base/hash.h"

#include <pthread.h>

#include "base/rand.h"

#ifdef __x86_64__
#include <nmmintrin.h>
#endif
#ifdef __aarch64__
#include <arm_acle.h>
#include <sys/auxv.h>
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif
#endif

typedef uint32_t crc32c_fn(uint32_t crc, const unsigned char *at, size_t len);

static uint64_t load64(const unsigned char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/* table[0] steps one octet; table[k] steps one octet and k zero octets after it, so that
 * eight look-ups take eight octets at once. */
static uint32_t table[8][256];

static void table_fill(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
		table[0][i] = crc;
	}
	for (int k = 1; k < 8; k++)
		for (uint32_t i = 0; i < 256; i++)
			table[k][i] =
				table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
}

static uint32_t crc_by_table(uint32_t crc, const unsigned char *at, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, table_fill); /* cannot fail */
	for (; len >= 8; at += 8, len -= 8) {
		uint64_t word = load64(at) ^ crc;

		crc = 0;
		for (unsigned k = 0; k < 8; k++)
			crc ^= table[7 - k][word >> (8 * k) & 255];
	}
	for (; len > 0; at++, len--)
		crc = crc >> 8 ^ table[0][(crc ^ *at) & 255];
	return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
crc_serially(uint32_t crc, const unsigned char *at, size_t len)
{
	uint64_t wide = crc;

	for (; len >= 8; at += 8, len -= 8)
		wide = _mm_crc32_u64(wide, load64(at));
	crc = (uint32_t)wide;
	for (; len > 0; at++, len--)
		crc = _mm_crc32_u8(crc, *at);
	return crc;
}

/* The instruction takes three cycles, but can begin in each: so three lanes are summed at
 * a time.  What a lane's sum becomes by the lane behind it is in the table, for each
 * octet of the sum. */
enum { LANE_BYTES = 512 };
static uint32_t behind_lane[4][256];

static void behind_lane_fill(void)
{
	static const unsigned char zeros[LANE_BYTES];

	for (uint32_t k = 0; k < 4; k++)
		for (uint32_t i = 0; i < 256; i++)
			behind_lane[k][i] = crc_serially(i << (8 * k), zeros, LANE_BYTES);
}

static uint32_t crc_behind_lane(uint32_t crc)
{
	return behind_lane[0][crc & 255] ^ behind_lane[1][crc >> 8 & 255] ^
	       behind_lane[2][crc >> 16 & 255] ^ behind_lane[3][crc >> 24];
}

__attribute__((target("sse4.2"))) static uint32_t crc_of_lanes(uint32_t crc,
							       const unsigned char *at)
{
	uint64_t one = crc, two = 0, three = 0;

	for (const unsigned char *end = at + LANE_BYTES; at < end; at += 8) {
		one = _mm_crc32_u64(one, load64(at));
		two = _mm_crc32_u64(two, load64(at + LANE_BYTES));
		three = _mm_crc32_u64(three, load64(at + (size_t)2 * LANE_BYTES));
	}
	crc = crc_behind_lane((uint32_t)one) ^ (uint32_t)two;
	return crc_behind_lane(crc) ^ (uint32_t)three;
}

static uint32_t crc_by_instruction(uint32_t crc, const unsigned char *at, size_t len)
{
	enum { LANES_BYTES = 3 * LANE_BYTES };
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (len >= LANES_BYTES)
		(void)pthread_once(&once, behind_lane_fill); /* cannot fail */
	for (; len >= LANES_BYTES; at += LANES_BYTES, len -= LANES_BYTES)
		crc = crc_of_lanes(crc, at);
	return crc_serially(crc, at, len);
}
#endif
#ifdef __aarch64__
__attribute__((target("+crc"))) static uint32_t
crc_by_instruction(uint32_t crc, const unsigned char *at, size_t len)
{
	for (; len >= 8; at += 8, len -= 8)
		crc = __crc32cd(crc, load64(at));
	for (; len > 0; at++, len--)
		crc = __crc32cb(crc, *at);
	return crc;
}
#endif

static crc32c_fn *crc_best(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return crc_by_instruction;
#endif
#ifdef __aarch64__
	if (getauxval(AT_HWCAP) & HWCAP_CRC32)
		return crc_by_instruction;
#endif
	return crc_by_table;
}

uint32_t crc32c(uint32_t before, struct str bytes)
{
	static crc32c_fn *chosen;
	crc32c_fn *crc = __atomic_load_n(&chosen, __ATOMIC_RELAXED);

	if (!crc) {
		crc = crc_best(); /* every thread finds the same */
		__atomic_store_n(&chosen, crc, __ATOMIC_RELAXED);
	}
	return ~crc(~before, (const unsigned char *)bytes.ptr, bytes.len);
}

uint32_t crc32c_portable(uint32_t before, struct str bytes)
{
	return ~crc_by_table(~before, (const unsigned char *)bytes.ptr, bytes.len);
}

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void sip_rounds(uint64_t v[4], int count)
{
	while (count-- > 0) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

uint64_t siphash(struct hash_key key, struct str bytes)
{
	uint64_t k0 = key.words[0], k1 = key.words[1];
	uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
			 k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
	const unsigned char *at = (const unsigned char *)bytes.ptr;
	size_t rest = bytes.len;

	for (; rest >= 8; at += 8, rest -= 8) {
		uint64_t word = load64(at);

		v[3] ^= word;
		sip_rounds(v, 2);
		v[0] ^= word;
	}
	uint64_t last = (uint64_t)bytes.len << 56;

	for (size_t i = 0; i < rest; i++)
		last |= (uint64_t)at[i] << (8 * i);
	v[3] ^= last;
	sip_rounds(v, 2);
	v[0] ^= last;
	v[2] ^= 255;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static struct hash_key process_key;

static void process_key_make(void)
{
	rand_bytes(&process_key, sizeof process_key);
}

uint64_t hash64(struct str bytes)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, process_key_make); /* cannot fail */
	return siphash(process_key, bytes);
}

uint64_t hash64_number(uint64_t number)
{
	number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
	number = (number ^ number >> 27) * 0x94d049bb133111eb;
	return number ^ number >> 31;
}
