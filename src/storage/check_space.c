/* What was expunged and can be brought back, and what the packs hold of use. */
#include "base/mem.h"
#include "base/num.h"
#include "storage/check_state.h"

enum { PACKS_MAX = 1 << 20 };

/* ---- expunged ---------------------------------------------------------------------- */

static void check_expiry(struct checker *c, uint64_t member, int64_t until)
{
	struct key key;
	struct str empty, expiry = key_expiry(&key, until, c->account, member);

	if (look(c, expiry, &empty))
		return;
	found_row(c, CHECK_MISSING, "when an expunged mail is let go");
	fix_put(c, expiry, STR(""));
}

void check_expunged_row(struct checker *c, struct str key, struct str value)
{
	struct dec d = key_dec(key);
	uint64_t member = dec_key48(&d);
	struct expunged_row row;
	struct tally *tally = NULL;

	number_seen(c, member);
	if (expunged_read(value, &row))
		tally = tally_find(c, row.message);
	if (!tally || tally->members > 0 || tally->is_kept) {
		row_nowhere(c, key, "a mail that was expunged");
		return;
	}
	tally->is_kept = true;
	c->sums.expunged++;
	c->sums.expunged_bytes += tally->size;
	check_expiry(c, member, row.until);
}

void check_expiry_row(struct checker *c, struct str key)
{
	struct dec d = key_dec(key);
	int64_t until = (int64_t)dec_key64(&d);
	account_t account = dec_key32(&d);
	uint64_t member = dec_key48(&d);
	struct key k;
	struct str value;
	struct expunged_row row;

	if (!look(c, key_expunged(&k, account, member), &value) ||
	    !expunged_read(value, &row) || row.until != until)
		row_nowhere(c, key, "when an expunged mail is let go");
}

/* ---- bodies ------------------------------------------------------------------------ */

void check_equal_row(struct checker *c, struct str key, struct str value)
{
	struct dec d = dec_over(value), k = key_dec(key);
	account_t account = dec_u32(&d);
	uint64_t message = dec_var(&d);
	struct str hash = dec_bytes(&k, 8);
	struct item_row item;

	if (!dec_done(&d) || hash.len != 8 || !item_look(c, account, message, &item) ||
	    memcmp(item.blob.hash, hash.ptr, hash.len) != 0)
		row_nowhere(c, key, "who has a body like that");
}

static struct pack_sum *sum_of(struct checker *c, uint32_t pack)
{
	static struct pack_sum nobody;

	if (pack == 0 || pack > PACKS_MAX) {
		nobody = (struct pack_sum){0};
		return &nobody;
	}
	while (c->pack_count < pack) {
		MEM_ROOM(c->packs_sums, c->pack_count, c->pack_room);
		c->packs_sums[c->pack_count++] = (struct pack_sum){0};
	}
	return &c->packs_sums[pack - 1];
}

void body_seen(struct checker *c, const struct pack_body *at)
{
	c->totals.body_bytes += at->length;
	sum_of(c, at->pack)->live += at->length;
}

void check_dead_row(struct checker *c, struct str key, struct str value)
{
	struct dec d = key_dec(key);
	uint32_t pack = dec_key32(&d);
	struct dead_row row;

	if (!dead_read(value, &row)) {
		row_nowhere(c, key, "that a body is dead");
		return;
	}
	c->totals.dead_bytes += row.length;
	sum_of(c, pack)->dead += row.length;
}

void check_pack_sums(struct checker *c)
{
	c->account = ACCOUNT_SYSTEM;
	for (uint32_t pack = 1; pack <= c->pack_count; pack++) {
		const struct pack_sum *sum = &c->packs_sums[pack - 1];
		struct pack_row row = {0};
		struct key key;
		struct str value, name = key_pack(&key, pack);

		if (look(c, name, &value) && !pack_row_read(value, &row))
			row = (struct pack_row){0};
		if (row.live == sum->live && row.dead == sum->dead)
			continue;
		found_row(c, CHECK_COUNT_WRONG, "how much of a pack is needed");
		row.live = sum->live;
		row.dead = sum->dead;
		row.kept = num_min(row.kept, row.live);
		buf_reset(&c->row);
		pack_row_write(&c->row, &row);
		fix_put(c, name, buf_str(&c->row));
	}
}
