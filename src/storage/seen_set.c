#include "storage/seen_set.h"

#include "base/mem.h"
#include "base/num.h"
#include "store/acl.h"

enum { SEEN_VERSION = 1 };

void seen_set_fini(struct seen_set *seen)
{
	mem_free(seen->list);
	*seen = (struct seen_set){0};
}

/* At the end, joined to the last range if they touch. */
static void add_last(struct seen_set *seen, struct uid_range range)
{
	struct uid_range *last = seen->count > 0 ? &seen->list[seen->count - 1] : NULL;

	if (last && range.first <= (uint64_t)last->last + 1) {
		last->last = (uint32_t)num_max(last->last, range.last);
		return;
	}
	MEM_ROOM(seen->list, seen->count, seen->room);
	seen->list[seen->count++] = range;
}

bool seen_set_read(struct str value, struct seen_set *seen)
{
	struct dec dec = dec_over(value);
	uint64_t last = 0;

	*seen = (struct seen_set){0};
	if (dec_u8(&dec) != SEEN_VERSION)
		return false;
	while (dec_ok(&dec) && dec.rest.len > 0) {
		uint64_t first = last + dec_var_max(&dec, UINT32_MAX);

		last = first + dec_var_max(&dec, UINT32_MAX);
		if (first == 0 || last > UINT32_MAX)
			dec.failed = true;
		else
			add_last(seen,
				 (struct uid_range){(uint32_t)first, (uint32_t)last});
	}
	if (!dec_ok(&dec))
		seen_set_fini(seen);
	return dec_ok(&dec);
}

bool seen_set_write(struct buf *value, const struct seen_set *seen)
{
	uint32_t last = 0;

	enc_u8(value, SEEN_VERSION);
	for (size_t i = 0; i < seen->count && value->len <= KV_VALUE_MAX; i++) {
		enc_var(value, seen->list[i].first - last);
		enc_var(value, seen->list[i].last - seen->list[i].first);
		last = seen->list[i].last;
	}
	return buf_ok(value) && value->len <= KV_VALUE_MAX;
}

bool seen_set_has(const struct seen_set *seen, uint32_t uid)
{
	size_t low = 0, high = seen->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (seen->list[middle].last < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < seen->count && seen->list[low].first <= uid;
}

static void add_all(struct seen_set *sum, const struct seen_set *seen,
		    struct uid_set uids)
{
	size_t a = 0, b = 0;

	while (a < seen->count || b < uids.count)
		if (b == uids.count ||
		    (a < seen->count && seen->list[a].first <= uids.ranges[b].first))
			add_last(sum, seen->list[a++]);
		else
			add_last(sum, uids.ranges[b++]);
}

/* What of the range is in none of the set's, of which those before *b are behind us. */
static void add_rest(struct seen_set *rest, struct uid_range range, struct uid_set uids,
		     size_t *b)
{
	uint64_t first = range.first;

	while (*b < uids.count && uids.ranges[*b].last < range.first)
		++*b;
	for (size_t i = *b; i < uids.count && uids.ranges[i].first <= range.last; i++) {
		if (uids.ranges[i].first > first)
			add_last(rest, (struct uid_range){(uint32_t)first,
							  uids.ranges[i].first - 1});
		first = num_max(first, (uint64_t)uids.ranges[i].last + 1);
	}
	if (first <= range.last)
		add_last(rest, (struct uid_range){(uint32_t)first, range.last});
}

void seen_set_change(struct seen_set *seen, struct uid_set uids, bool is_added)
{
	struct seen_set fresh = {0};
	size_t b = 0;

	if (is_added)
		add_all(&fresh, seen, uids);
	for (size_t i = 0; i < seen->count && !is_added; i++)
		add_rest(&fresh, seen->list[i], uids, &b);
	seen_set_fini(seen);
	*seen = fresh;
}

err_t seen_set_load(struct work *work, uint64_t mailbox, account_t visitor,
		    struct seen_set *seen)
{
	struct pair_key name;
	struct key key;
	struct str value;
	err_t err =
		kv_get(work->txn,
		       key_kv(&key, work->account.id, pair_seen(&name, mailbox, visitor)),
		       &value);

	*seen = (struct seen_set){0};
	if (err == OK && !seen_set_read(value, seen))
		err = ERR_ABSENT; /* damaged: nothing was seen */
	return err == ERR_ABSENT ? OK : err;
}

err_t seen_set_store(struct work *work, uint64_t mailbox, account_t visitor,
		     const struct seen_set *seen)
{
	struct pair_key name;
	struct key key;

	buf_reset(&work->row);
	if (!seen_set_write(&work->row, seen))
		return OK; /* the plan has looked; where damage took what it saw */
	return kv_put(work->txn,
		      key_kv(&key, work->account.id, pair_seen(&name, mailbox, visitor)),
		      buf_str(&work->row));
}
