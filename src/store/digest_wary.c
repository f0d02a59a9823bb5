#include "base/hash.h"
#include "rt/panic.h"
#include "store/digest.h"

enum { CRC_SEED = 1 }; /* other keys of the same octets begin with 0 */

void digest_make_warily(const char *operation, struct str message, struct buf *out)
{
	uint64_t key = (uint64_t)crc32c(CRC_SEED, message) << 32 | (uint32_t)message.len;

	if (panic_is_poison(key))
		return;
	panic_begin(operation, key);
	digest_make(message, out);
	panic_end();
}
