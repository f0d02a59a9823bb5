/* A program of the next format, for tests/formats/run: this one, and a step to a format
 * that has one row more in the index and one in the secrets.  It is the first that can
 * read a copy (kind 4 on disk), so that a roll-back meets what it has to leave. */
#include "control/format.h"
#include "upgrade/migration.h"

const uint32_t format_newest = 2;

static err_t add_row(struct kv *kv)
{
	struct kv_txn *txn;

	TRY(kv_begin(kv, KV_WRITE, &txn));
	err_t err = kv_put(txn, STR("zzzzz next"), STR("of the next format"));

	if (err == OK)
		return kv_commit(&txn);
	kv_drop(&txn);
	return err;
}

static const struct migration steps[] = {{1, "a row is added", add_row, add_row}};

static uint32_t since(uint8_t kind)
{
	return kind == 4 ? 2 : 1;
}

const struct formats formats_known = {steps, COUNT_OF(steps), since};
