#include "search/index_rows.h"

#include "base/codec.h"
#include "base/num.h"

enum { DOCS_A_ROW = 4096, ROW_BYTES = 60 * 1024 };

/* ---- keys and rows ----------------------------------------------------------------- */

struct str row_key(struct row_key *key, search_account account, char kind,
		   const uint32_t *segment, const enum search_class *class,
		   const uint32_t *number)
{
	struct buf buf = BUF(sizeof key->bytes);

	enc_key32(&buf, account);
	buf_add_byte(&buf, kind);
	if (segment)
		enc_key32(&buf, *segment);
	if (class)
		enc_u8(&buf, (uint8_t) * class);
	if (number)
		enc_key32(&buf, *number);
	memcpy(key->bytes, buf.ptr, buf.len);
	key->len = buf.len;
	buf_fini(&buf);
	return (struct str){key->bytes, key->len};
}

static bool row_read(struct str value, struct account_row *row)
{
	struct dec dec = dec_over(value);

	row->upto = dec_var(&dec);
	row->left_out = dec_var(&dec);
	row->next_id = (uint32_t)dec_var_max(&dec, UINT32_MAX);
	row->count = dec_var_max(&dec, SEGMENTS_MAX);
	for (size_t i = 0; i < row->count; i++) {
		row->segments[i].id = (uint32_t)dec_var_max(&dec, UINT32_MAX);
		row->segments[i].docs = (uint32_t)dec_var_max(&dec, SEGMENT_DOCS_MAX);
		row->segments[i].bytes = dec_var(&dec);
	}
	return dec_done(&dec);
}

err_t row_get(struct kv_txn *txn, search_account account, struct account_row *row)
{
	struct row_key key;
	struct str value;
	err_t err = kv_get(txn, row_key(&key, account, 'A', NULL, NULL, NULL), &value);

	if (err == ERR_ABSENT) {
		row->upto = row->left_out = row->next_id = 0;
		row->count = 0;
		return OK;
	}
	TRY(err);
	return row_read(value, row) ? OK : ERR_SYNTAX;
}

err_t row_put(struct kv_txn *txn, search_account account, const struct account_row *row)
{
	SCOPED(buf_fini) struct buf buf = BUF(ROW_BYTES);
	struct row_key key;

	enc_var(&buf, row->upto);
	enc_var(&buf, row->left_out);
	enc_var(&buf, row->next_id);
	enc_var(&buf, row->count);
	for (size_t i = 0; i < row->count; i++) {
		enc_var(&buf, row->segments[i].id);
		enc_var(&buf, row->segments[i].docs);
		enc_var(&buf, row->segments[i].bytes);
	}
	ASSERT(buf_ok(&buf));
	return kv_put(txn, row_key(&key, account, 'A', NULL, NULL, NULL), buf_str(&buf));
}

err_t rows_drop(struct kv_txn *txn, struct str prefix)
{
	struct kv_cursor cursor = {0};
	err_t err = kv_cursor_open(txn, &cursor);

	while (err == OK) {
		struct row_key key;

		err = kv_seek(&cursor, prefix);
		if ((err != OK && err != ERR_SYNTAX) || !str_starts(cursor.key, prefix) ||
		    cursor.key.len > sizeof key.bytes)
			break;
		memcpy(key.bytes, cursor.key.ptr, cursor.key.len);
		key.len = cursor.key.len;
		err = kv_delete(txn, (struct str){key.bytes, key.len});
	}
	kv_cursor_close(&cursor);
	return err == ERR_ABSENT ? OK : err;
}

err_t segment_drop(struct kv_txn *txn, search_account account, uint32_t id)
{
	struct row_key key;

	TRY(rows_drop(txn, row_key(&key, account, 'D', &id, NULL, NULL)));
	return rows_drop(txn, row_key(&key, account, 'T', &id, NULL, NULL));
}

/* ---- reading a segment ------------------------------------------------------------- */

err_t block_get(void *arg, enum search_class class, uint32_t number, struct str *block)
{
	const struct place *place = arg;
	struct row_key key;

	return kv_get(
		place->txn,
		row_key(&key, place->account, 'T', &place->segment, &class, &number),
		block);
}

err_t docs_get(const struct place *place, uint64_t *messages, size_t count)
{
	uint64_t last = 0;
	size_t at = 0;

	for (uint32_t part = 0; at < count; part++) {
		struct row_key key;
		struct str value;
		err_t err = kv_get(
			place->txn,
			row_key(&key, place->account, 'D', &place->segment, NULL, &part),
			&value);

		if (err != OK)
			return err == ERR_ABSENT ? ERR_SYNTAX : err;
		struct dec dec = dec_over(value);

		while (dec.rest.len > 0 && at < count && dec_ok(&dec)) {
			last += dec_var(&dec);
			messages[at++] = last;
		}
		if (!dec_done(&dec))
			return ERR_SYNTAX;
	}
	return OK;
}

/* ---- writing one ------------------------------------------------------------------- */

err_t block_put(void *arg, enum search_class class, uint32_t number, struct str block)
{
	struct writing *w = arg;
	struct row_key key;

	w->bytes += block.len;
	return kv_put(w->txn,
		      row_key(&key, w->account, 'T', &w->segment, &class, &number),
		      block);
}

err_t docs_put(struct writing *w, const uint64_t *messages, size_t count)
{
	SCOPED(buf_fini) struct buf buf = BUF(ROW_BYTES);
	uint64_t last = 0;

	for (uint32_t part = 0; count > 0; part++) {
		size_t some = (size_t)num_min(count, DOCS_A_ROW);
		struct row_key key;

		buf_reset(&buf);
		for (size_t i = 0; i < some; i++) {
			enc_var(&buf, messages[i] - last);
			last = messages[i];
		}
		ASSERT(buf_ok(&buf));
		w->bytes += buf.len;
		TRY(kv_put(w->txn,
			   row_key(&key, w->account, 'D', &w->segment, NULL, &part),
			   buf_str(&buf)));
		messages += some;
		count -= some;
	}
	return OK;
}
