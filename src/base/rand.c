#include "base/rand.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static uint64_t test_state; /* not 0: a test wants numbers it can repeat */

static uint64_t test_next(void)
{
	uint64_t word = test_state += 0x9e3779b97f4a7c15; /* splitmix64 */

	word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9;
	word = (word ^ word >> 27) * 0x94d049bb133111eb;
	return word ^ word >> 31;
}

void rand_test_seed(uint64_t seed)
{
	test_state = seed;
}

static void test_bytes(unsigned char *at, size_t len)
{
	while (len > 0) {
		uint64_t word = test_next();
		size_t n = len < sizeof word ? len : sizeof word;

		memcpy(at, &word, n);
		at += n;
		len -= n;
	}
}

void rand_bytes(void *bytes, size_t len)
{
	unsigned char *at = bytes;

	if (test_state) {
		test_bytes(at, len);
		return;
	}
	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		ASSERT(got > 0);
		at += got;
		len -= (size_t)got;
	}
}

uint64_t rand_u64(void)
{
	uint64_t word;

	rand_bytes(&word, sizeof word);
	return word;
}

uint64_t rand_below(uint64_t bound)
{
	ASSERT(bound > 0);
	uint64_t surplus = (0 - bound) % bound; /* what would make low results likelier */
	uint64_t word;

	do
		word = rand_u64();
	while (word < surplus);
	return word % bound;
}
