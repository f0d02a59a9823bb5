#include "base/buf.h"
#include "directory/directory.h"
#include "directory/name.h"
#include "directory/record.h"
#include "store/store.h"

enum { SCRATCH_MAX = 1024 * 1024 };

struct bulk {
	struct arena arena;
	struct store_op *ops;
	size_t count;
};

static void bulk_fini(struct bulk *bulk)
{
	arena_fini(&bulk->arena);
}

/* value was filled for this put and is emptied; false when the arena is full. */
static bool put(struct bulk *bulk, struct str key, struct buf *value, bool only_if_absent)
{
	struct store_op *op = &bulk->ops[bulk->count++];
	struct str copy;

	if (!buf_ok(value) || !arena_copy(&bulk->arena, buf_str(value), &copy))
		return false;
	buf_reset(value);
	*op = (struct store_op){.kind = OP_KV_PUT};
	op->kv = (struct op_kv){key, copy, only_if_absent};
	return true;
}

static bool put_account(struct bulk *bulk, struct str address, struct str default_domain,
			account_t account)
{
	SCOPED(buf_fini) struct buf value = BUF(KV_VALUE_MAX);
	struct directory_entry entry = {.account = account};
	struct account_record record = {.state = ACCOUNT_LIVE};
	struct str local, domain;

	name_split(address, &local, &domain);
	if (domain.len == 0)
		domain = default_domain;
	if (!name_new_local(local, &bulk->arena, &local) ||
	    !name_domain(domain, &bulk->arena, &domain))
		return false;
	record.address =
		arena_printf(&bulk->arena, "%.*s@%.*s", STR_FMT(local), STR_FMT(domain));
	record_add_account(&value, &record);
	if (!put(bulk, record_account_key(&bulk->arena, account), &value, true))
		return false;
	record_add_address(&value, &entry);
	return put(bulk, record_address_key(&bulk->arena, local, domain), &value, true);
}

enum store_outcome directory_reserve(const struct directory *directory,
				     const struct str *addresses, size_t count)
{
	SCOPED(bulk_fini) struct bulk bulk = {0};
	SCOPED(buf_fini) struct buf next = BUF(KV_VALUE_MAX);
	struct store_commit commit = {.account = ACCOUNT_SYSTEM};
	account_t number = 1;
	struct str value;

	if (count == 0 || count > DIRECTORY_RESERVE_MAX)
		return STORE_INVALID;
	arena_init(&bulk.arena, SCRATCH_MAX);
	bulk.ops = ARENA_ARRAY(&bulk.arena, struct store_op, 2 * count + 1);
	enum store_outcome outcome = store_kv_get(directory->store, ACCOUNT_SYSTEM,
						  RECORD_NEXT, &bulk.arena, &value);
	if (outcome == STORE_OK && !record_number(value, &number))
		return STORE_UNAVAILABLE;
	if (outcome != STORE_OK && outcome != STORE_ABSENT)
		return outcome;
	if (!bulk.ops || number >= UINT32_MAX - count)
		return STORE_INVALID;
	for (size_t i = 0; i < count; i++) {
		if (!put_account(&bulk, addresses[i], directory->default_domain,
				 number + (account_t)i))
			return STORE_INVALID;
	}
	record_add_number(&next, number + (account_t)count);
	if (!put(&bulk, RECORD_NEXT, &next, false))
		return STORE_INVALID;
	commit.ops = bulk.ops;
	commit.count = bulk.count;
	return store_commit(directory->store, &commit, &bulk.arena, NULL);
}
