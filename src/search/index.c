#include "search/index.h"

#include <stdio.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "search/index_rows.h"

enum {
	VERSION = 3,     /* 1 had no attachments, 2 addresses only as they were written */
	MERGE_COUNT = 8, /* segments of a size become one */
	MERGE_BYTES_MAX = 20 << 20, /* of one merge: what it keeps in memory */
	SIZE_LEAST = 4096,          /* sizes are up to 4 KB, 32 KB, ... 2 MB */
	SIZE_STEP = 8,
	SIZES = 4,
	TIDY_SHARE = 8, /* one in so many is no longer wanted */
};

struct search_index {
	struct search_index_options options;
	struct kv *kv;
	struct account_row *row; /* of whoever writes */
};

/* ---- life -------------------------------------------------------------------------- */

static bool are_as_wanted(const struct search_index *index, bool has_none)
{
	switch (index->options.attachments) {
	case SEARCH_ATTACHMENTS_AS_THEY_ARE:
		return true;
	case SEARCH_ATTACHMENTS:
		return !has_none;
	case SEARCH_NO_ATTACHMENTS:
		return has_none;
	}
	return false;
}

static err_t version_look(struct search_index *index)
{
	struct kv_txn *txn;
	struct row_key key;
	struct str value, name = row_key(&key, SYSTEM, 'V', NULL, NULL, NULL);

	TRY(kv_begin(index->kv, KV_READ, &txn));
	err_t err = kv_get(txn, name, &value);

	if (err == OK) {
		struct dec dec = dec_over(value);

		if (dec_u8(&dec) != VERSION || dec_u64(&dec) != index->options.epoch ||
		    !are_as_wanted(index, dec_u8(&dec)) || !dec_done(&dec))
			err = ERR_SYNTAX;
	}
	kv_drop(&txn);
	if (err != ERR_ABSENT)
		return err;
	SCOPED(buf_fini) struct buf buf = BUF(16);

	enc_u8(&buf, VERSION);
	enc_u64(&buf, index->options.epoch);
	enc_u8(&buf, index->options.attachments == SEARCH_NO_ATTACHMENTS);
	TRY(kv_begin(index->kv, KV_WRITE, &txn));
	err = kv_put(txn, name, buf_str(&buf));
	if (err != OK) {
		kv_drop(&txn);
		return err;
	}
	return kv_commit(&txn);
}

static err_t open_once(struct search_index *index)
{
	struct kv_options options = {.path = index->options.path,
				     .bytes_max = index->options.bytes_max,
				     .sync = KV_SYNC_LATE};
	err_t err = kv_open(&options, &index->kv);

	if (err != OK)
		return err;
	err = version_look(index);
	if (err != OK)
		kv_close(&index->kv);
	return err;
}

void search_index_remove(const char *path)
{
	char lock[4096];

	(void)unlink(path); /* what cannot go is found again */
	if (snprintf(lock, sizeof lock, "%s-lock", path) < (int)sizeof lock)
		(void)unlink(lock);
}

err_t search_index_open(const struct search_index_options *options,
			struct search_index **opened)
{
	struct search_index *index = NEW(struct search_index);

	index->options = *options;
	index->row = NEW(struct account_row);
	err_t err = open_once(index);

	if (err == ERR_SYNTAX && options->path) {
		LOG(WARN, "search index begun anew", KV("path", options->path));
		search_index_remove(options->path);
		err = open_once(index);
	}
	*opened = index;
	if (err != OK)
		search_index_close(opened);
	return err;
}

void search_index_close(struct search_index **closed)
{
	struct search_index *index = *closed;

	*closed = NULL;
	if (!index)
		return;
	if (index->kv)
		kv_close(&index->kv);
	mem_free(index->row);
	mem_free(index);
}

err_t search_index_state(struct search_index *index, search_account account,
			 struct search_state *state)
{
	struct account_row *row = NEW(struct account_row);
	struct kv_txn *txn;
	err_t err = kv_begin(index->kv, KV_READ, &txn);

	*state = (struct search_state){0};
	if (err == OK) {
		err = row_get(txn, account, row);
		kv_drop(&txn);
	}
	if (err == OK) {
		state->upto = row->upto;
		state->left_out = row->left_out;
		state->segments = row->count;
	}
	for (size_t i = 0; i < row->count && err == OK; i++) {
		state->docs += row->segments[i].docs;
		state->bytes += row->segments[i].bytes;
	}
	mem_free(row);
	return err;
}

uint64_t search_index_bytes(struct search_index *index)
{
	struct kv_stats stats;

	return kv_stats(index->kv, &stats) == OK ? stats.bytes_used : 0;
}

/* ---- writing a segment ------------------------------------------------------------- */

/* In place of the segments [from, row->count), or behind them all. */
static err_t segment_write(struct writing *w, struct account_row *row, size_t from,
			   size_t until, const struct segment_source *sources,
			   size_t count, const uint64_t *messages, size_t docs)
{
	for (size_t i = from; i < until; i++)
		TRY(segment_drop(w->txn, w->account, row->segments[i].id));
	w->segment = row->next_id++;
	w->bytes = 0;
	TRY(segment_merge(sources, count, block_put, w));
	TRY(docs_put(w, messages, docs));
	size_t rest = row->count - until, put = docs > 0;

	memmove(row->segments + from + put, row->segments + until,
		rest * sizeof *row->segments);
	row->count = from + put + rest;
	if (put)
		row->segments[from] =
			(struct segment_row){w->segment, (uint32_t)docs, w->bytes};
	return row_put(w->txn, w->account, row);
}

/* ---- merging ----------------------------------------------------------------------- */

struct merging {
	struct kv_txn *read;
	struct place places[SEGMENT_SOURCES_MAX];
	struct segment_source sources[SEGMENT_SOURCES_MAX];
	uint32_t *map;      /* of all their documents */
	uint64_t *messages; /* those that stay are moved to the front */
	size_t kept;
};

static err_t merging_fill(struct search_index *index, struct merging *m,
			  search_account account, const struct segment_row *segments,
			  size_t count)
{
	size_t all = 0, at = 0;

	for (size_t i = 0; i < count; i++)
		all += segments[i].docs;
	m->map = NEW_ARRAY(uint32_t, all + 1);
	m->messages = NEW_ARRAY(uint64_t, all + 1);
	for (size_t i = 0; i < count; i++) {
		m->places[i] = (struct place){m->read, account, segments[i].id};
		m->sources[i] = (struct segment_source){.block = block_get,
							.arg = &m->places[i],
							.docs = m->map + at,
							.doc_count = segments[i].docs};
		TRY(docs_get(&m->places[i], m->messages + at, segments[i].docs));
		at += segments[i].docs;
	}
	for (at = 0; at < all; at++) {
		uint64_t message = m->messages[at];
		bool stays = !index->options.wanted ||
			     index->options.wanted(index->options.arg, account, message);

		m->map[at] = stays ? (uint32_t)m->kept : SEGMENT_NO_DOC;
		if (stays)
			m->messages[m->kept++] = message;
	}
	return OK;
}

static err_t merge_in(struct search_index *index, struct merging *m,
		      search_account account, size_t from, size_t until)
{
	struct account_row *row = index->row;
	struct writing w = {.account = account};

	TRY(merging_fill(index, m, account, row->segments + from, until - from));
	TRY(kv_begin(index->kv, KV_WRITE, &w.txn));
	err_t err = segment_write(&w, row, from, until, m->sources, until - from,
				  m->messages, m->kept);

	if (err == OK)
		return kv_commit(&w.txn);
	kv_drop(&w.txn);
	return err;
}

/* Segments [from, until) of index->row become one. */
static err_t merge(struct search_index *index, search_account account, size_t from,
		   size_t until)
{
	struct merging *m = NEW(struct merging);
	err_t err = kv_begin(index->kv, KV_READ, &m->read);

	if (err == OK) {
		err = merge_in(index, m, account, from, until);
		kv_drop(&m->read);
	}
	mem_free(m->map);
	mem_free(m->messages);
	mem_free(m);
	return err;
}

/* The last segments, as many as are to become one; row->count if none are.  All that are
 * smaller than some size, once there are enough of them. */
static size_t merge_from(const struct account_row *row)
{
	uint64_t size = SIZE_LEAST;

	for (unsigned i = 0; i < SIZES; i++, size *= SIZE_STEP) {
		size_t from = row->count, docs = 0;
		uint64_t bytes = 0;

		while (from > 0 && row->segments[from - 1].bytes < size &&
		       row->count - from < SEGMENT_SOURCES_MAX) {
			bytes += row->segments[from - 1].bytes;
			docs += row->segments[from - 1].docs;
			if (bytes > MERGE_BYTES_MAX || docs > SEGMENT_DOCS_MAX)
				break;
			from--;
		}
		if (row->count - from >= MERGE_COUNT)
			return from;
	}
	return row->count;
}

/* ---- what changes it --------------------------------------------------------------- */

/* The account can be read no more: it is indexed anew. */
static err_t damaged(struct search_index *index, search_account account)
{
	LOG(WARN, "search index damaged, begun anew", KV_INT("account", account));
	TRY(search_index_drop(index, account));
	return ERR_SYNTAX;
}

static err_t add_now(struct search_index *index, struct writing *w, uint64_t from,
		     uint64_t upto, const struct search_doc *docs, size_t count,
		     uint64_t left_out)
{
	struct account_row *row = index->row;
	struct term_lists lists[SEARCH_ADD_MAX];
	struct segment_source sources[SEARCH_ADD_MAX];
	uint32_t numbers[SEARCH_ADD_MAX];
	uint64_t messages[SEARCH_ADD_MAX], last = from;

	TRY(row_get(w->txn, w->account, row));
	if (row->upto != from || upto < from)
		return ERR_CANCELED;
	for (size_t i = 0; i < count; i++) {
		if (docs[i].message <= last || docs[i].message > upto ||
		    !terms_read(docs[i].terms, &lists[i]))
			return ERR_CANCELED;
		last = messages[i] = docs[i].message;
		numbers[i] = (uint32_t)i;
		sources[i] = (struct segment_source){
			.lists = &lists[i], .docs = &numbers[i], .doc_count = 1};
	}
	row->upto = upto;
	row->left_out += left_out;
	if (row->count == SEGMENTS_MAX)
		return ERR_LIMIT;
	return segment_write(w, row, row->count, row->count, sources, count, messages,
			     count);
}

err_t search_index_add(struct search_index *index, search_account account, uint64_t from,
		       uint64_t upto, const struct search_doc *docs, size_t count,
		       uint64_t left_out)
{
	struct writing w = {.account = account};

	ASSERT(count <= SEARCH_ADD_MAX);
	TRY(kv_begin(index->kv, KV_WRITE, &w.txn));
	err_t err = add_now(index, &w, from, upto, docs, count, left_out);

	if (err == OK)
		err = kv_commit(&w.txn);
	else
		kv_drop(&w.txn);
	for (size_t at; err == OK && (at = merge_from(index->row)) < index->row->count;)
		err = merge(index, account, at, index->row->count);
	return err == ERR_SYNTAX ? damaged(index, account) : err;
}

static err_t is_untidy(struct search_index *index, search_account account,
		       const struct segment_row *segment, bool *untidy)
{
	uint64_t *messages = NEW_ARRAY(uint64_t, segment->docs + 1);
	struct place place = {NULL, account, segment->id};
	size_t gone = 0;
	err_t err = kv_begin(index->kv, KV_READ, &place.txn);

	if (err == OK) {
		err = docs_get(&place, messages, segment->docs);
		kv_drop(&place.txn);
	}
	for (size_t i = 0; i < segment->docs && err == OK; i++)
		gone += !index->options.wanted(index->options.arg, account, messages[i]);
	*untidy = gone > 0 && gone >= segment->docs / TIDY_SHARE;
	mem_free(messages);
	return err;
}

err_t search_index_tidy(struct search_index *index, search_account account, bool *more)
{
	struct kv_txn *txn;

	*more = false;
	if (!index->options.wanted)
		return OK;
	TRY(kv_begin(index->kv, KV_READ, &txn));
	err_t err = row_get(txn, account, index->row);

	kv_drop(&txn);
	for (size_t i = 0; i < index->row->count && err == OK && !*more; i++) {
		err = is_untidy(index, account, &index->row->segments[i], more);
		if (err == OK && *more)
			err = merge(index, account, i, i + 1);
	}
	return err == ERR_SYNTAX ? damaged(index, account) : err;
}

err_t search_index_drop(struct search_index *index, search_account account)
{
	struct kv_txn *txn;
	struct row_key key;

	TRY(kv_begin(index->kv, KV_WRITE, &txn));
	err_t err = rows_drop(txn, row_key(&key, account, 'A', NULL, NULL, NULL));

	if (err == OK)
		err = rows_drop(txn, row_key(&key, account, 'D', NULL, NULL, NULL));
	if (err == OK)
		err = rows_drop(txn, row_key(&key, account, 'T', NULL, NULL, NULL));
	if (err == OK)
		return kv_commit(&txn);
	kv_drop(&txn);
	return err;
}

/* ---- searching --------------------------------------------------------------------- */

void search_found_fini(struct search_found *found)
{
	mem_free(found->messages);
	mem_free(found->is_hit);
	mem_free(found->fits);
	*found = (struct search_found){0};
}

/* What is looked for: the one or the other. */
struct question {
	const struct needle *needle;
	unsigned classes;
	const struct fuzzy *fuzzy;
};

static err_t find_needle(struct place *place, const struct segment_row *segment,
			 const struct question *question, struct search_found *found)
{
	uint64_t *bits = NEW_ARRAY(uint64_t, SEGMENT_WORDS(segment->docs) + 1);
	err_t err = segment_search(block_get, place, question->needle, question->classes,
				   segment->docs, bits);

	for (size_t i = 0; i < segment->docs && err == OK; i++)
		found->is_hit[found->count + i] = segment_has(bits, i);
	mem_free(bits);
	return err;
}

static err_t find_in(struct place *place, const struct segment_row *segment,
		     const struct question *question, struct search_found *found)
{
	err_t err = docs_get(place, found->messages + found->count, segment->docs);

	if (err == OK && question->needle)
		err = find_needle(place, segment, question, found);
	else if (err == OK)
		err = segment_fuzzy(block_get, place, question->fuzzy, segment->docs,
				    found->fits + found->count * found->words);
	found->count += segment->docs;
	return err;
}

static err_t find(struct search_index *index, search_account account,
		  const struct question *question, struct search_found *found)
{
	struct account_row *row = NEW(struct account_row);
	struct place place = {.account = account};
	size_t all = 0;
	err_t err = kv_begin(index->kv, KV_READ, &place.txn);

	*found = (struct search_found){0};
	if (err == OK)
		err = row_get(place.txn, account, row);
	for (size_t i = 0; i < row->count && err == OK; i++)
		all += row->segments[i].docs;
	found->messages = NEW_ARRAY(uint64_t, all + 1);
	found->words = question->fuzzy ? question->fuzzy->count : 0;
	if (question->fuzzy)
		found->fits = NEW_ARRAY(uint8_t, all * found->words + 1);
	else
		found->is_hit = NEW_ARRAY(bool, all + 1);
	for (size_t i = 0; i < row->count && err == OK; i++) {
		place.segment = row->segments[i].id;
		err = find_in(&place, &row->segments[i], question, found);
	}
	kv_drop(&place.txn);
	mem_free(row);
	if (err != OK)
		search_found_fini(found);
	return err;
}

err_t search_index_find(struct search_index *index, search_account account,
			const struct needle *needle, unsigned classes,
			struct search_found *found)
{
	struct question question = {.needle = needle, .classes = classes};

	return find(index, account, &question, found);
}

err_t search_index_fuzzy(struct search_index *index, search_account account,
			 const struct fuzzy *fuzzy, struct search_found *found)
{
	struct question question = {.fuzzy = fuzzy};

	return find(index, account, &question, found);
}

struct fuzzy_fit search_found_fit(const struct search_found *found, size_t place)
{
	struct fuzzy_fit fit = {0};

	memcpy(fit.words, found->fits + place * found->words, found->words);
	return fit;
}
