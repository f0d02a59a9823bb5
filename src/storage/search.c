/* The search index beside the store: what is not in it yet, and which messages of a
 * mailbox it finds. */
#include "search/index.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "storage/embedded.h"
#include "storage/ranges.h"

#define SEARCH_INDEX "search.lmdb"

enum {
	KEYS_MAX = 8192,      /* one step looks at so many rows, */
	FRAMES_MAX = 4 << 20, /* and gives out frames of so many octets */
};

/* ---- life -------------------------------------------------------------------------- */

/* May be asked for by any thread, but not while the store reopens. */
static bool is_wanted(void *arg, search_account account, uint64_t message)
{
	SCOPED(reader_end) struct reader reader = {0};
	struct key key;
	struct str value;

	return reader_begin(&reader, arg) != STORE_OK ||
	       kv_get(reader.txn, key_message(&key, account, message, PART_ITEM),
		      &value) != ERR_ABSENT;
}

err_t storage_search_look(const char *folder)
{
	char *path = storage_path(folder, SEARCH_INDEX);
	err_t err = search_index_look(path);

	mem_free(path);
	return err;
}

void storage_search_remove(const char *folder)
{
	char *path = storage_path(folder, SEARCH_INDEX);

	search_index_remove(path);
	mem_free(path);
}

void storage_search_open(struct storage *storage)
{
	struct account_summary system;

	if (storage->is_wary && storage_search_look(storage->folder) == ERR_SYNTAX) {
		LOG(WARN, "search index damaged, begun anew", KV("path", SEARCH_INDEX));
		storage_search_remove(storage->folder);
	}
	char *path = storage->folder ? storage_path(storage->folder, SEARCH_INDEX) : NULL;
	struct search_index_options options = {.path = path,
					       .bytes_max = storage->index_bytes_max,
					       .attachments = storage->attachments,
					       .wanted = is_wanted,
					       .arg = storage};

	if (storage_summary(storage, ACCOUNT_SYSTEM, &system) == STORE_OK)
		options.epoch = system.epoch;
	if (search_index_open(&options, &storage->search) != OK)
		LOG(ERROR, "search index cannot be opened",
		    KV("path", path ? path : "in memory"));
	mem_free(path);
}

/* Of the index: FULL where the disk is. */
static enum store_outcome index_err(err_t err)
{
	if (err == ERR_CANCELED)
		return STORE_CONFLICT;
	return err == ERR_LIMIT ? STORE_FULL : read_err(err);
}

/* ---- what is to be indexed --------------------------------------------------------- */

struct looking {
	struct index_item *items;
	size_t count;
	uint64_t upto, frames;
	bool is_over; /* enough */
};

/* The row under the cursor; others than those of messages that somebody has are passed
 * over. */
static bool look_at(struct reader *reader, struct arena *arena, struct looking *l)
{
	struct str key = reader->cursor.key;
	struct item_row item;
	struct dec d = key_dec(key);
	uint64_t message = dec_key48(&d);

	if (dec_u8(&d) != PART_ITEM || !item_read(reader->cursor.value, &item) ||
	    item.members == 0) {
		l->upto = num_max(l->upto, message);
		return true;
	}
	l->is_over = l->count == INDEX_ITEMS_MAX ||
		     (l->count > 0 && l->frames + item.blob.at.length > FRAMES_MAX);
	if (l->is_over)
		return true;
	struct index_item *next = &l->items[l->count++];

	l->upto = next->message = message;
	l->frames += item.blob.at.length;
	return arena_copy(arena, item.trace, &next->trace);
}

enum store_outcome storage_index_next(struct storage *storage, account_t account,
				      struct arena *arena, struct index_work *work)
{
	SCOPED(reader_end) struct reader reader = {0};
	struct search_state state;
	struct looking l = {
		.items = ARENA_ARRAY(arena, struct index_item, INDEX_ITEMS_MAX)};
	struct key key;

	if (!storage->search || !l.items)
		return STORE_ABSENT;
	err_t err = search_index_state(storage->search, account, &state);

	if (err != OK)
		return index_err(err);
	enum store_outcome outcome = reader_begin(&reader, storage);

	if (outcome != STORE_OK)
		return outcome;
	l.upto = state.upto;
	err = kv_seek(&reader.cursor,
		      key_message(&key, account, state.upto + 1, PART_ITEM));
	for (size_t i = 0; (err == OK || err == ERR_SYNTAX) && !l.is_over;
	     err = kv_next(&reader.cursor)) {
		if (!key_is_of(reader.cursor.key, account, TABLE_MESSAGE))
			break;
		l.is_over = ++i > KEYS_MAX;
		if (err == OK && !l.is_over && !look_at(&reader, arena, &l))
			return STORE_INVALID;
	}
	if (err != OK && err != ERR_ABSENT && err != ERR_SYNTAX)
		return read_err(err);
	*work = (struct index_work){.account = account,
				    .from = state.upto,
				    .upto = l.upto,
				    .is_more = l.is_over,
				    .items = l.items,
				    .count = l.count};
	return STORE_OK;
}

enum store_outcome storage_index_put(struct storage *storage, account_t account,
				     const struct index_done *done)
{
	struct search_doc docs[SEARCH_ADD_MAX];

	_Static_assert((int)SEARCH_ADD_MAX >= (int)INDEX_ITEMS_MAX, "all fit");
	if (!storage->search)
		return STORE_ABSENT;
	if (disk_is_full(storage))
		return STORE_FULL;
	for (size_t i = 0; i < done->count; i++)
		docs[i] = (struct search_doc){done->docs[i].message, done->docs[i].terms};
	return index_err(search_index_add(storage->search, account, done->from,
					  done->upto, docs, done->count, done->left_out));
}

enum store_outcome storage_index_tidy(struct storage *storage, account_t account,
				      bool *more)
{
	*more = false;
	if (!storage->search || disk_is_full(storage))
		return STORE_OK;
	return index_err(search_index_tidy(storage->search, account, more));
}

enum store_outcome storage_index_forget(struct storage *storage, account_t account)
{
	return storage->search ? index_err(search_index_drop(storage->search, account))
			       : STORE_ABSENT;
}

/* Messages of the account above that number, that somebody has; at most max. */
static uint64_t count_behind(struct reader *reader, account_t account, uint64_t upto,
			     uint64_t max)
{
	struct key key;
	uint64_t count = 0;
	err_t err =
		kv_seek(&reader->cursor, key_message(&key, account, upto + 1, PART_ITEM));

	for (; (err == OK || err == ERR_SYNTAX) && count < max;
	     err = kv_next(&reader->cursor)) {
		struct item_row item;

		if (!key_is_of(reader->cursor.key, account, TABLE_MESSAGE))
			break;
		struct dec d = key_dec(reader->cursor.key);

		(void)dec_key48(&d);
		count += err == OK && dec_u8(&d) == PART_ITEM &&
			 item_read(reader->cursor.value, &item) && item.members > 0;
	}
	return count;
}

/* The first account that is not less. */
static enum store_outcome account_from(struct reader *reader, account_t *account)
{
	for (uint64_t at = *account; at <= UINT32_MAX; at++) {
		struct key key;
		err_t err = kv_seek(&reader->cursor, key_account(&key, (account_t)at));

		if (err != OK)
			return read_err(err);
		at = key_account_of(reader->cursor.key);
		*account = (account_t)at;
		if (key_is_of(reader->cursor.key, *account, TABLE_ACCOUNT))
			return STORE_OK;
	}
	return STORE_ABSENT;
}

enum store_outcome storage_index_walk(struct storage *storage, account_t *account,
				      bool *is_behind)
{
	SCOPED(reader_end) struct reader reader = {0};
	struct search_state state;

	if (!storage->search)
		return STORE_ABSENT;
	enum store_outcome outcome = reader_begin(&reader, storage);

	if (outcome == STORE_OK)
		outcome = account_from(&reader, account);
	if (outcome != STORE_OK)
		return outcome;
	err_t err = search_index_state(storage->search, *account, &state);

	if (err == ERR_SYNTAX) { /* made anew */
		err = search_index_drop(storage->search, *account);
		state.upto = 0;
	}
	*is_behind = err == OK && count_behind(&reader, *account, state.upto, 1) > 0;
	return index_err(err);
}

enum store_outcome storage_index_state(struct storage *storage, struct index_state *state)
{
	SCOPED(reader_end) struct reader reader = {0};
	account_t account = 1;

	*state = (struct index_state){0};
	if (!storage->search)
		return STORE_ABSENT;
	enum store_outcome outcome = reader_begin(&reader, storage);

	while (outcome == STORE_OK) {
		struct search_state one;

		outcome = account_from(&reader, &account);
		if (outcome != STORE_OK)
			break;
		if (search_index_state(storage->search, account, &one) != OK)
			one = (struct search_state){0};
		state->messages += one.docs;
		state->left_out += one.left_out;
		state->segments += one.segments;
		state->accounts++;
		state->waiting += count_behind(&reader, account, one.upto, UINT64_MAX);
		if (++account == 0)
			break;
	}
	state->bytes = search_index_bytes(storage->search);
	return outcome == STORE_ABSENT ? STORE_OK : outcome;
}

/* ---- what it finds ----------------------------------------------------------------- */

/* Where the message is among those found; count if it is not in the index.  *at is where
 * the one before was: messages mostly come in the order of their numbers. */
static size_t place_of(const struct search_found *found, uint64_t message, size_t *at)
{
	size_t low = 0, high = found->count;

	if (*at + 1 < found->count && found->messages[*at + 1] == message)
		return ++*at;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (found->messages[middle] < message)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == found->count || found->messages[low] != message)
		return found->count;
	*at = low;
	return low;
}

/* What is looked for, and what became of it in one mailbox. */
struct sorting_out {
	const struct search_found *found;
	bool is_exact;
	struct ranges sure, perhaps;
	/* Of what is fuzzy: the fits of those that are sure; how many messages are known,
	 * and how many of them have each word. */
	struct fuzzy *fuzzy;
	struct buf fits;
	uint64_t known, having[FUZZY_WORDS_MAX];
};

static void sorting_out_fini(struct sorting_out *sorting)
{
	uid_ranges_fini(&sorting->sure);
	uid_ranges_fini(&sorting->perhaps);
	buf_fini(&sorting->fits);
}

/* A message that is in the index, at that place among what was found. */
static void sort_known(struct sorting_out *s, size_t place, uint32_t uid)
{
	if (!s->fuzzy) {
		if (s->found->is_hit[place])
			uid_ranges_add(s->is_exact ? &s->sure : &s->perhaps, uid);
		return;
	}
	struct fuzzy_fit fit = search_found_fit(s->found, place);

	s->known++;
	for (size_t i = 0; i < s->fuzzy->count; i++)
		s->having[i] += fit.words[i] > 0;
	if (fuzzy_score(s->fuzzy, &fit) == 0)
		return;
	uid_ranges_add(&s->sure, uid);
	buf_add(&s->fits, (struct str){(const char *)fit.words, s->fuzzy->count});
}

/* All memberships of the mailbox, in the order of their UIDs: those that have it, and
 * those of which that is not known. */
static enum store_outcome sort_out(struct reader *reader, account_t account,
				   uint64_t mailbox, struct sorting_out *s)
{
	struct key key;
	struct str start = key_member(&key, account, mailbox, 0);
	struct str all = str_first(start, start.len - 4);
	size_t at = 0;
	err_t err = kv_seek_before(&reader->cursor, start);

	for (; err == OK || err == ERR_SYNTAX; err = kv_prev(&reader->cursor)) {
		struct member_row row;

		if (!str_starts(reader->cursor.key, all))
			return STORE_OK;
		if (err == ERR_SYNTAX || !member_read(reader->cursor.value, &row))
			continue;
		uint32_t uid = key_uid_of(reader->cursor.key);
		size_t place = place_of(s->found, row.message, &at);

		if (place == s->found->count)
			uid_ranges_add(&s->perhaps, uid);
		else
			sort_known(s, place, uid);
	}
	return err == ERR_ABSENT ? STORE_OK : read_err(err);
}

/* What is rare counts more: in this mailbox, since who may read it may know nothing of
 * others. */
static bool score(struct sorting_out *s, struct arena *arena,
		  struct store_candidates *candidates)
{
	size_t words = s->fuzzy->count, count = s->fits.len / words;
	char *scores = ARENA_ARRAY(arena, char, count + 1);
	char *weights = ARENA_ARRAY(arena, char, words);

	if (!scores || !weights || !buf_ok(&s->fits))
		return false;
	for (size_t i = 0; i < words; i++) {
		fuzzy_weigh(&s->fuzzy->words[i], s->having[i], s->known);
		weights[i] = (char)s->fuzzy->words[i].weight;
	}
	for (size_t i = 0; i < count; i++) {
		struct fuzzy_fit fit = {0};

		memcpy(fit.words, s->fits.ptr + i * words, words);
		scores[i] = (char)fuzzy_score(s->fuzzy, &fit);
	}
	candidates->scores = (struct str){scores, count};
	candidates->weights = (struct str){weights, words};
	return true;
}

static enum store_outcome answer(struct storage *storage, account_t account,
				 uint64_t mailbox, struct sorting_out *s,
				 struct arena *arena, struct store_candidates *candidates)
{
	SCOPED(reader_end) struct reader reader = {0};
	enum store_outcome outcome = reader_begin(&reader, storage);

	*candidates = (struct store_candidates){0};
	if (outcome == STORE_OK)
		outcome = sort_out(&reader, account, mailbox, s);
	if (outcome != STORE_OK)
		return outcome;
	return s->sure.count <= SEARCH_RANGES_MAX &&
			       s->perhaps.count <= SEARCH_RANGES_MAX &&
			       uid_ranges_copy(&s->sure, arena, &candidates->sure) &&
			       uid_ranges_copy(&s->perhaps, arena,
					       &candidates->perhaps) &&
			       (!s->fuzzy || score(s, arena, candidates))
		       ? STORE_OK
		       : STORE_ABSENT;
}

static enum store_outcome search_fuzzy(struct storage *storage, account_t account,
				       const struct store_find *find, struct arena *arena,
				       struct store_candidates *candidates)
{
	SCOPED(search_found_fini) struct search_found found = {0};
	struct fuzzy fuzzy;

	_Static_assert((int)SEARCH_TERM_MAX == (int)FUZZY_TEXT_MAX &&
			       (int)SEARCH_WEIGHTS_MAX == (int)FUZZY_WORDS_MAX,
		       "what is asked is what is looked for");
	fuzzy_make(&fuzzy, find->text, find->classes);
	if (fuzzy.count == 0)
		return STORE_ABSENT;
	err_t err = search_index_fuzzy(storage->search, account, &fuzzy, &found);

	if (err != OK)
		return err == ERR_SYNTAX ? STORE_ABSENT : index_err(err);
	SCOPED(sorting_out_fini)
	struct sorting_out s = {.found = &found,
				.fuzzy = &fuzzy,
				.fits = BUF((size_t)SEARCH_SCORES_MAX * fuzzy.count)};

	return answer(storage, account, find->mailbox, &s, arena, candidates);
}

static enum store_outcome search_exact(struct storage *storage, account_t account,
				       const struct store_find *find, struct arena *arena,
				       struct store_candidates *candidates)
{
	SCOPED(search_found_fini) struct search_found found = {0};
	struct needle needle;
	bool is_cut = find->text.len == SEARCH_TERM_MAX; /* perhaps */

	needle_make(&needle, find->text);
	if (needle.count == 0)
		return STORE_ABSENT;
	err_t err = search_index_find(storage->search, account, &needle, find->classes,
				      &found);

	if (err != OK)
		return err == ERR_SYNTAX ? STORE_ABSENT : index_err(err);
	SCOPED(sorting_out_fini)
	struct sorting_out s = {.found = &found, .is_exact = needle.is_exact && !is_cut};

	return answer(storage, account, find->mailbox, &s, arena, candidates);
}

enum store_outcome storage_search(struct storage *storage, account_t account,
				  const struct store_find *find, struct arena *arena,
				  struct store_candidates *candidates)
{
	if (!storage->search || find->mailbox >> NUMBER_MAX_BITS)
		return STORE_ABSENT;
	return find->is_fuzzy ? search_fuzzy(storage, account, find, arena, candidates)
			      : search_exact(storage, account, find, arena, candidates);
}
