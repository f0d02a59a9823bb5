#include "directory/srs_keys.h"

#include "base/rand.h"
#include "directory/record.h"
#include "store/store.h"

enum { SCRATCH_MAX = 16 * 1024, VALUE_MAX = 1024, DAY_S = 86400 };

enum store_outcome directory_srs_keys(const struct directory *directory,
				      struct srs_keys *keys)
{
	SCOPED(arena_fini) struct arena arena;
	struct str value;

	arena_init(&arena, SCRATCH_MAX);
	*keys = (struct srs_keys){.count = 0};
	enum store_outcome outcome = store_kv_get(directory->store, ACCOUNT_SYSTEM,
						  RECORD_SRS, &arena, &value);

	if (outcome == STORE_OK && !record_srs(value, keys))
		outcome = STORE_UNAVAILABLE;
	return outcome;
}

enum store_outcome directory_renew_srs_keys(const struct directory *directory,
					    int64_t now_s)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf value = BUF(VALUE_MAX);
	struct store_op op = {.kind = OP_KV_PUT};
	struct store_commit commit = {.account = ACCOUNT_SYSTEM, .ops = &op, .count = 1};
	struct store_result result = {0};
	struct srs_keys keys;

	arena_init(&arena, SCRATCH_MAX);
	enum store_outcome outcome = directory_srs_keys(directory, &keys);

	if (outcome != STORE_OK && outcome != STORE_ABSENT)
		return outcome;
	if (keys.count > 0 && now_s - keys.keys[0].since_s < SRS_KEY_DAYS * DAY_S)
		return STORE_OK;
	if (keys.count == SRS_KEYS_MAX)
		keys.count--;
	memmove(&keys.keys[1], &keys.keys[0], keys.count * sizeof keys.keys[0]);
	keys.count++;
	keys.keys[0].since_s = now_s;
	rand_bytes(keys.keys[0].octets, SRS_KEY_BYTES);
	record_add_srs(&value, &keys);
	explicit_bzero(&keys, sizeof keys);
	/* Several processes may find that there is none; the first one's stays. */
	op.kv = (struct op_kv){RECORD_SRS, buf_str(&value), outcome == STORE_ABSENT};
	outcome = store_commit(directory->store, &commit, &arena, &result);
	return outcome == STORE_CONFLICT ? STORE_OK : outcome;
}
