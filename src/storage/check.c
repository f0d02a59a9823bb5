/* The walk over all rows of the index. */
#include <stdlib.h>

#include "base/mem.h"
#include "rt/clock.h"
#include "storage/check_state.h"

enum { FIXES_BYTES_MAX = 1 << 30, ROW_BYTES_MAX = KV_VALUE_BYTES_MAX };

void found(struct checker *c, struct check_finding finding)
{
	if (finding.is_set_aside)
		c->report->set_aside += finding.what == CHECK_BODY_LOST;
	else
		c->report->found[finding.what]++;
	if (c->options->tell)
		c->options->tell(c->options->arg, &finding);
}

void found_row(struct checker *c, enum check_what what, const char *text)
{
	found(c,
	      (struct check_finding){.what = what, .text = text, .account = c->account});
}

void fix_delete(struct checker *c, struct str key)
{
	enc_u8(&c->fixes, 0);
	enc_str(&c->fixes, key);
	enc_str(&c->fixes, STR(""));
}

void fix_put(struct checker *c, struct str key, struct str value)
{
	enc_u8(&c->fixes, 1);
	enc_str(&c->fixes, key);
	enc_str(&c->fixes, value);
}

bool look(struct checker *c, struct str key, struct str *value)
{
	*value = STR("");
	if (kv_seek(&c->other, key) != OK || !str_same(c->other.key, key))
		return false;
	*value = c->other.value;
	return true;
}

static int compare_box(const void *key, const void *item)
{
	uint64_t id = *(const uint64_t *)key, other = ((const struct box *)item)->row.id;

	return id < other ? -1 : id > other;
}

struct box *box_find(struct checker *c, uint64_t mailbox)
{
	if (c->box_count == 0)
		return NULL;
	return bsearch(&mailbox, c->boxes, c->box_count, sizeof *c->boxes, compare_box);
}

static int compare_tally(const void *key, const void *item)
{
	uint64_t message = *(const uint64_t *)key,
		 other = ((const struct tally *)item)->message;

	return message < other ? -1 : message > other;
}

struct tally *tally_find(struct checker *c, uint64_t message)
{
	if (c->tally_count == 0)
		return NULL;
	return bsearch(&message, c->tallies, c->tally_count, sizeof *c->tallies,
		       compare_tally);
}

static void account_begin(struct checker *c, account_t account)
{
	c->account = account;
	c->has_account = true;
	c->has_row = c->is_log_short = false;
	c->sums = c->is = (struct account_row){0};
	c->sums.keep_days = account == ACCOUNT_SYSTEM ? 0 : KEEP_DAYS;
	c->top_number = 0;
	c->box_count = c->tally_count = 0;
}

static void account_end(struct checker *c)
{
	if (!c->has_account)
		return;
	check_messages_end(c);
	check_account_end(c);
	c->has_account = false;
}

static void progress(struct checker *c)
{
	uint64_t now = c->rows % 1024 == 0 ? clock_monotonic_ms() : 0;

	c->rows++;
	if (!c->options->progress || now < c->told_ms + 1000)
		return;
	c->told_ms = now;
	c->options->progress(c->options->arg, CHECK_ROWS, c->rows, c->rows_all);
}

static bool is_account_table(int table)
{
	return table >= TABLE_ACCOUNT && table <= TABLE_EXPUNGED;
}

/* A row whose checksum is wrong; its key may be, too. */
static void row_damaged(struct checker *c)
{
	found(c, (struct check_finding){.what = CHECK_ROW_DAMAGED,
					.text = "a row of the index",
					.account = c->at.key.len >= KEY_PREFIX_LEN
							   ? key_account_of(c->at.key)
							   : 0});
	fix_delete(c, c->at.key);
}

static void check_row(struct checker *c)
{
	struct str key = c->at.key, value = c->at.value;

	if (key.len < KEY_PREFIX_LEN) {
		row_damaged(c);
		return;
	}
	account_t account = key_account_of(key);
	int table = (unsigned char)key.ptr[KEY_PREFIX_LEN - 1];

	if (!c->has_account || account != c->account) {
		account_end(c);
		account_begin(c, account);
	}
	if (is_account_table(table))
		check_account_row(c, table, key, value);
	else if (account == ACCOUNT_SYSTEM)
		check_system_row(c, table, key, value);
}

err_t check_rows(struct checker *c, struct kv *kv)
{
	struct kv_stats stats;

	TRY(kv_stats(kv, &stats));
	c->rows_all = stats.keys;
	c->rows = 0;
	c->told_ms = clock_monotonic_ms();
	c->now = clock_s();
	c->fixes = BUF(FIXES_BYTES_MAX);
	c->row = BUF(ROW_BYTES_MAX);
	TRY(kv_begin(kv, KV_READ, &c->txn));
	err_t err = kv_cursor_open(c->txn, &c->at);

	if (err == OK)
		err = kv_cursor_open(c->txn, &c->other);
	if (err == OK)
		err = kv_seek(&c->at, STR(""));
	for (; err == OK || err == ERR_SYNTAX; err = kv_next(&c->at)) {
		if (err == OK)
			check_row(c);
		else
			row_damaged(c);
		progress(c);
	}
	if (err == ERR_ABSENT) {
		account_end(c);
		check_totals(c);
	}
	kv_cursor_close(&c->at);
	kv_cursor_close(&c->other);
	kv_drop(&c->txn);
	return err == ERR_ABSENT ? (buf_ok(&c->fixes) ? OK : ERR_LIMIT) : err;
}

void checker_fini(struct checker *c)
{
	buf_fini(&c->fixes);
	buf_fini(&c->row);
	mem_free(c->boxes);
	mem_free(c->tallies);
	mem_free(c->packs_sums);
	domains_fini(c);
}

/* ---- what is set aside ------------------------------------------------------------- */

void damaged_write(struct buf *buf, const struct damaged_row *row)
{
	enc_u64(buf, (uint64_t)row->found_at);
	enc_u64(buf, (uint64_t)row->received_at);
	enc_var(buf, row->mailbox);
	enc_var(buf, row->uid);
	enc_var(buf, row->size);
	enc_str(buf, row->mailbox_name);
	enc_str(buf, row->digest);
}

bool damaged_read(struct str key, struct str value, struct damaged_row *row)
{
	struct dec k = key_dec(key), d = dec_over(value);

	*row = (struct damaged_row){.account = dec_key32(&k)};
	row->message = dec_key48(&k);
	row->found_at = (int64_t)dec_u64(&d);
	row->received_at = (int64_t)dec_u64(&d);
	row->mailbox = dec_var(&d);
	row->uid = (uint32_t)dec_var_max(&d, UINT32_MAX);
	row->size = dec_var(&d);
	row->mailbox_name = dec_str(&d);
	row->digest = dec_str(&d);
	return dec_done(&k) && dec_done(&d);
}
