#include "queue/id.h"

#include "base/hash.h"
#include "base/rand.h"
#include "rt/clock.h"

enum { CHANCE_LETTERS = 7 };

/* One draw serves a process: what follows it nobody who does not know the hash's key can
 * tell. */
struct str queue_id_make(char room[QUEUE_ID_LETTERS])
{
	static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
	static uint64_t drawn;

	if (drawn == 0)
		drawn = rand_u64();
	uint64_t moment = (uint64_t)clock_ms(), chance = hash64_number(drawn++);
	size_t at = QUEUE_ID_LETTERS;

	for (; at > QUEUE_ID_LETTERS - CHANCE_LETTERS; chance >>= 5)
		room[--at] = letters[chance & 31];
	for (; at > 0; moment >>= 5)
		room[--at] = letters[moment & 31];
	return (struct str){room, QUEUE_ID_LETTERS};
}
