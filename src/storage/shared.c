#include "storage/shared.h"

#include <stdio.h>

#include "store/acl.h"

enum { LIST_BYTES_MAX = 16 * 1024 }; /* ACL_ENTRIES_MAX of at most 12 octets */

err_t shared_inherit(struct work *work, uint64_t parent, uint64_t mailbox)
{
	struct pair_key name;
	struct key key;
	struct str value;
	err_t err =
		kv_get(work->txn, key_kv(&key, work->account.id, pair_acl(&name, parent)),
		       &value);

	if (err == ERR_ABSENT || (err == OK && value.len > LIST_BYTES_MAX))
		return OK;
	TRY(err);
	buf_reset(&work->row); /* the value is the index's, which the put may move */
	buf_add(&work->row, value);
	return kv_put(work->txn, key_kv(&key, work->account.id, pair_acl(&name, mailbox)),
		      buf_str(&work->row));
}

static err_t forget_all(struct work *work, struct str prefix)
{
	struct key first, found;
	struct str start = key_kv(&first, work->account.id, prefix);
	err_t err;

	while ((err = kv_seek(&work->cursor, start)) == OK) {
		struct str key = work->cursor.key;

		if (!str_starts(key, start) || key.len > sizeof found.bytes)
			return OK;
		memcpy(found.bytes, key.ptr, key.len);
		TRY(kv_delete(work->txn, (struct str){found.bytes, key.len}));
	}
	return err == ERR_ABSENT ? OK : err;
}

err_t shared_forget(struct work *work, uint64_t mailbox)
{
	struct pair_key name;
	struct key key;
	char seen[32];
	err_t err = kv_delete(work->txn,
			      key_kv(&key, work->account.id, pair_acl(&name, mailbox)));

	if (err != OK && err != ERR_ABSENT)
		return err;
	int len =
		snprintf(seen, sizeof seen, "seen/%012llx/", (unsigned long long)mailbox);

	TRY(forget_all(work, (struct str){seen, (size_t)len}));
	return forget_all(work, pair_metadata(&name, mailbox));
}
