#include "directory/dkim.h"

#include "base/codec.h"
#include "directory/name.h"
#include "directory/record.h"
#include "store/store.h"

enum { SCRATCH_MAX = 256 * 1024, VALUE_MAX = 16 * 1024 };

enum store_outcome directory_dkim(const struct directory *directory, struct str *domain,
				  struct arena *arena, struct directory_dkim **keys,
				  size_t *count)
{
	struct str value;

	*keys = NULL;
	*count = 0;
	if (!name_domain(*domain, arena, domain))
		return STORE_INVALID;
	enum store_outcome outcome =
		store_kv_get(directory->store, ACCOUNT_SYSTEM,
			     record_domain_key(arena, *domain), arena, &value);
	if (outcome != STORE_OK)
		return outcome;
	outcome = store_kv_get(directory->store, ACCOUNT_SYSTEM,
			       record_dkim_key(arena, *domain), arena, &value);
	if (outcome != STORE_OK)
		return outcome == STORE_ABSENT ? STORE_OK : outcome;
	return record_dkim(value, arena, keys, count) ? STORE_OK : STORE_UNAVAILABLE;
}

enum store_outcome directory_set_dkim(const struct directory *directory,
				      struct str domain,
				      const struct directory_dkim *keys, size_t count)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf value = BUF(VALUE_MAX);
	struct store_op op = {.kind = OP_KV_PUT};
	struct store_commit commit = {.account = ACCOUNT_SYSTEM, .ops = &op, .count = 1};
	struct store_result result = {0};

	arena_init(&arena, SCRATCH_MAX);
	record_add_dkim(&value, keys, count);
	if (!buf_ok(&value) || count > DIRECTORY_DKIM_MAX)
		return STORE_INVALID;
	op.kv = (struct op_kv){record_dkim_key(&arena, domain), buf_str(&value), false};
	return store_commit(directory->store, &commit, &arena, &result);
}
