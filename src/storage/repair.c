/* Checking and repairing a data directory that nobody serves. */
#include "storage/repair.h"

#include <unistd.h>

#include "base/mem.h"
#include "db/kvpages.h"
#include "storage/embedded.h"

enum { ROUNDS_MAX = 8 }; /* what is put right may show what else is wrong */

bool check_is_clean(const struct check_report *report)
{
	for (int i = 0; i < CHECK_WHATS; i++)
		if (report->found[i] > 0)
			return false;
	return true;
}

static bool is_index_wrong(const struct check_report *report)
{
	return report->found[CHECK_MESSAGE_LOST] || report->found[CHECK_ROW_DAMAGED] ||
	       report->found[CHECK_COUNT_WRONG] || report->found[CHECK_LEADS_NOWHERE] ||
	       report->found[CHECK_MISSING] || report->found[CHECK_BEHIND] ||
	       report->found[CHECK_PAGES_DAMAGED];
}

/* ---- looking ----------------------------------------------------------------------- */

/* The last group that the index holds. */
static uint64_t index_sequence(struct storage *storage)
{
	SCOPED(reader_end) struct reader reader;
	struct state_row state;
	struct key key;
	struct str value;

	if (reader_begin(&reader, storage) != STORE_OK ||
	    kv_get(reader.txn, key_state(&key), &value) != OK ||
	    !state_read(value, &state))
		return 0;
	return state.sequence;
}

/* fixes, if not NULL, gets what can be put right; the caller frees it. */
static err_t look_at_all(struct storage *storage, const struct check_options *options,
			 struct check_report *report, struct buf *fixes)
{
	struct pack_map map;
	struct checker c = {.options = options,
			    .report = report,
			    .packs = storage->packs,
			    .map = &map};

	memset(report->found, 0, sizeof report->found);
	report->accounts = report->mailboxes = report->mails = report->set_aside = 0;
	if (!options->is_copy)
		storage_index_commit(storage); /* which opening may have begun */
	uint64_t sequence = index_sequence(storage);

	packs_trust(storage->packs, sequence); /* what the index holds was durable */
	err_t err = pack_map_make(storage->packs, options, report,
				  options->is_copy ? sequence : UINT64_MAX, &map);

	if (err == OK)
		err = check_rows(&c, storage->kv);
	if (fixes) {
		*fixes = c.fixes;
		c.fixes = BUF(0);
	}
	checker_fini(&c);
	pack_map_fini(&map);
	return err;
}

/* ---- patching ---------------------------------------------------------------------- */

static err_t fixes_put(struct kv_txn *txn, struct str fixes)
{
	struct dec d = dec_over(fixes);
	err_t err = OK;

	while ((err == OK || err == ERR_ABSENT) && d.rest.len > 0) {
		bool is_put = dec_u8(&d) == 1;
		struct str key = dec_str(&d), value = dec_str(&d);

		err = is_put ? kv_put(txn, key, value) : kv_delete(txn, key);
	}
	return err == ERR_ABSENT ? OK : err;
}

static err_t fixes_apply(struct storage *storage, struct str fixes)
{
	struct kv_txn *txn;

	TRY(kv_begin(storage->kv, KV_WRITE, &txn));
	err_t err = fixes_put(txn, fixes);

	if (err != OK) {
		kv_drop(&txn);
		return err;
	}
	TRY(kv_commit(&txn));
	return kv_sync(storage->kv);
}

err_t check_patch(struct storage *storage, const struct check_options *options,
		  struct check_report *report, bool *is_in_order)
{
	struct check_options quiet = *options;

	quiet.tell = NULL;
	*is_in_order = false;
	TRY(packs_restore_headers(storage->packs, storage->work.state.epoch));
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		struct buf fixes;
		err_t err = look_at_all(storage, &quiet, report, &fixes);
		bool is_done = fixes.len == 0;

		if (err == OK && !is_done)
			err = fixes_apply(storage, buf_str(&fixes));
		buf_fini(&fixes);
		TRY(err);
		if (!is_done)
			continue;
		*is_in_order = check_is_clean(report);
		return OK;
	}
	return OK;
}

/* ---- a data directory -------------------------------------------------------------- */

/* Nothing is lost with it, and the server makes it anew. */
static void look_at_search(const struct check_options *options,
			   struct check_report *report)
{
	if (options->is_copy || storage_search_look(options->folder) != ERR_SYNTAX)
		return;
	if (options->is_repairing) {
		storage_search_remove(options->folder);
		report->is_repaired = true;
		return;
	}
	report->found[CHECK_SEARCH_DAMAGED]++;
	if (options->tell)
		options->tell(options->arg,
			      &(struct check_finding){.what = CHECK_SEARCH_DAMAGED,
						      .text = "the search index"});
}

/* The pages of the index, before anything trusts them. */
static err_t look_at_pages(const struct check_options *options,
			   struct check_report *report)
{
	char *path = storage_path(options->folder, STORAGE_INDEX);
	struct kv_pages pages = {0};

	if (options->progress)
		options->progress(options->arg, CHECK_INDEX_PAGES, 0, 0);
	err_t err = kv_check_pages(path, KV_PAGES_ALL, &pages);

	mem_free(path);
	if (err != ERR_SYNTAX)
		return err == ERR_ABSENT ? OK : err; /* it is made when opened */
	report->found[CHECK_PAGES_DAMAGED]++;
	if (options->tell)
		options->tell(options->arg,
			      &(struct check_finding){.what = CHECK_PAGES_DAMAGED,
						      .text = pages.why,
						      .offset = pages.why_page});
	return OK;
}

static err_t open_as_it_is(const struct check_options *options, struct arena *arena,
			   struct storage **storage, struct str *why)
{
	struct storage_options how = {.folder = options->folder,
				      .pack_bytes_max = options->pack_bytes_max,
				      .index_bytes_max = options->index_bytes_max,
				      .open_as = options->is_copy ? STORAGE_READ_ONLY
								  : STORAGE_LIVE,
				      .is_as_it_is = true};

	*why = STR("");
	return storage_open(&how, arena, storage, why);
}

/* One look, if it can be opened at all. */
static err_t look_once(const struct check_options *options, struct arena *arena,
		       struct check_report *report, struct str *why)
{
	SCOPED(storage_close) struct storage *storage = NULL;

	TRY(look_at_pages(options, report));
	if (report->found[CHECK_PAGES_DAMAGED] > 0)
		return check_log(options, report);
	err_t err = open_as_it_is(options, arena, &storage, why);

	if (err == ERR_SYNTAX) {
		char text[400];

		report->found[CHECK_BEHIND]++;
		if (str_to_c(*why, text, sizeof text) && options->tell)
			options->tell(options->arg,
				      &(struct check_finding){.what = CHECK_BEHIND,
							      .text = text});
		return OK;
	}
	TRY(err);
	return look_at_all(storage, options, report, NULL);
}

/* What is proved by the log comes from there; what is not is patched. */
static err_t mend(const struct check_options *options, struct arena *arena,
		  struct check_report *report, struct str *why)
{
	SCOPED(storage_close) struct storage *storage = NULL;
	bool is_unreadable =
		report->found[CHECK_PAGES_DAMAGED] > 0 || report->found[CHECK_BEHIND] > 0;
	bool is_in_order;
	err_t err = OK;

	if (is_index_wrong(report)) {
		err = rebuild(options, !is_unreadable, arena, report, why);
		if (err == ERR_SYNTAX && !is_unreadable)
			err = OK;
		if (err != OK)
			return err;
	}
	TRY(open_as_it_is(options, arena, &storage, why));
	TRY(check_patch(storage, options, report, &is_in_order));
	report->is_repaired = is_in_order;
	return kv_sync(storage->kv);
}

err_t storage_check(const struct check_options *options, struct arena *arena,
		    struct check_report *report, struct str *why)
{
	const char *sentence;
	int lock;

	*report = (struct check_report){0};
	*why = STR("");
	err_t err = storage_lock(options->folder, &lock, &sentence);

	if (err != OK) {
		*why = str_c(sentence);
		return err;
	}
	(void)close(lock); /* storage_open() takes it again */
	err = look_once(options, arena, report, why);
	look_at_search(options, report);
	if (err == OK && options->is_repairing && !options->is_copy &&
	    !check_is_clean(report))
		err = mend(options, arena, report, why);
	return err;
}

/* ---- what is set aside ------------------------------------------------------------- */

static enum store_outcome take_damaged(struct reader *reader, struct arena *arena,
				       struct damaged_row *row)
{
	if (!damaged_read(reader->cursor.key, reader->cursor.value, row))
		return STORE_UNAVAILABLE;
	return arena_copy(arena, row->mailbox_name, &row->mailbox_name) &&
			       arena_copy(arena, row->digest, &row->digest)
		       ? STORE_OK
		       : STORE_INVALID;
}

enum store_outcome storage_damaged(struct storage *storage, account_t after_account,
				   uint64_t after_message, size_t limit,
				   struct arena *arena, struct damaged_row **rows,
				   size_t *count)
{
	SCOPED(reader_end) struct reader reader;
	struct key key;
	enum store_outcome outcome = reader_begin(&reader, storage);

	*count = 0;
	if (outcome != STORE_OK)
		return outcome;
	*rows = ARENA_ARRAY(arena, struct damaged_row, limit);
	if (!*rows)
		return STORE_INVALID;
	err_t err = kv_seek(&reader.cursor,
			    key_damaged(&key, after_account, after_message + 1));

	for (; err == OK && *count < limit; err = kv_next(&reader.cursor)) {
		if (!key_is_of(reader.cursor.key, ACCOUNT_SYSTEM, TABLE_DAMAGED))
			return STORE_OK;
		outcome = take_damaged(&reader, arena, &(*rows)[*count]);
		if (outcome != STORE_OK)
			return outcome;
		++*count;
	}
	return read_err(err == ERR_ABSENT ? OK : err);
}
