#include "db/kv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/test.h"
#include "db/kvpages.h"
#include "rt/fault.h"

struct place {
	char folder[64], path[80];
	struct kv *kv;
};

static bool is_in_memory;

/* A test that goes for rows in a file and for rows in memory. */
#define BOTH(name)                                                                       \
	static void both_##name(void);                                                   \
	TEST(name)                                                                       \
	{                                                                                \
		is_in_memory = true;                                                     \
		both_##name();                                                           \
		is_in_memory = false;                                                    \
		both_##name();                                                           \
	}                                                                                \
	static void both_##name(void)

static void place_open(struct place *p)
{
	struct kv_options options = {.path = is_in_memory ? NULL : p->path,
				     .bytes_max = 64 << 20};

	CHECK(kv_open(&options, &p->kv) == OK);
	ASSERT(p->kv);
}

static void place_make(struct place *p)
{
	(void)snprintf(p->folder, sizeof p->folder, "/tmp/kv-test.XXXXXX");
	ASSERT(mkdtemp(p->folder));
	(void)snprintf(p->path, sizeof p->path, "%s/kv", p->folder);
	place_open(p);
}

static void place_remove(struct place *p)
{
	char lock[96];

	kv_close(&p->kv);
	(void)snprintf(lock, sizeof lock, "%s-lock", p->path);
	(void)unlink(p->path);
	(void)unlink(lock);
	(void)rmdir(p->folder);
}

static struct kv_txn *begin(struct place *p, enum kv_mode mode)
{
	struct kv_txn *txn;

	CHECK(kv_begin(p->kv, mode, &txn) == OK);
	ASSERT(txn);
	return txn;
}

static void put(struct kv_txn *txn, const char *key, const char *value)
{
	CHECK(kv_put(txn, str_c(key), str_c(value)) == OK);
}

static void check_value(struct kv_txn *txn, const char *key, const char *want)
{
	struct str value;
	err_t err = kv_get(txn, str_c(key), &value);

	if (!want) {
		CHECK(err == ERR_ABSENT);
		return;
	}
	CHECK(err == OK);
	if (err == OK)
		CHECK_STR(value, str_c(want));
}

TEST(what_was_committed_is_there_and_what_was_dropped_is_not)
{
	struct place p;

	place_make(&p);
	struct kv_txn *txn = begin(&p, KV_WRITE);

	put(txn, "a", "1");
	put(txn, "b", "");
	CHECK(kv_commit(&txn) == OK && !txn);
	txn = begin(&p, KV_WRITE);
	put(txn, "a", "2");
	CHECK(kv_delete(txn, STR("b")) == OK);
	CHECK(kv_delete(txn, STR("c")) == ERR_ABSENT);
	kv_drop(&txn);
	kv_close(&p.kv);
	place_open(&p);
	txn = begin(&p, KV_READ);
	check_value(txn, "a", "1");
	check_value(txn, "b", "");
	check_value(txn, "c", NULL);
	kv_drop(&txn);
	place_remove(&p);
}

BOTH(a_reader_sees_the_commit_before_it_began)
{
	struct place p;

	place_make(&p);
	struct kv_txn *txn = begin(&p, KV_WRITE);

	put(txn, "a", "1");
	CHECK(kv_commit(&txn) == OK);
	struct kv_txn *old = begin(&p, KV_READ);

	txn = begin(&p, KV_WRITE);
	put(txn, "a", "2");
	CHECK(kv_commit(&txn) == OK);
	struct kv_txn *young = begin(&p, KV_READ);

	check_value(old, "a", "1");
	check_value(young, "a", "2");
	kv_drop(&old);
	kv_drop(&young);
	old = begin(&p, KV_READ); /* one that was used before */
	check_value(old, "a", "2");
	kv_drop(&old);
	place_remove(&p);
}

BOTH(a_cursor_walks_in_octet_order)
{
	struct place p;
	struct kv_cursor c;

	place_make(&p);
	struct kv_txn *txn = begin(&p, KV_WRITE);

	put(txn, "b", "2");
	put(txn, "\xff", "4");
	put(txn, "a", "1");
	put(txn, "ba", "3");
	CHECK(kv_cursor_open(txn, &c) == OK);
	CHECK(kv_seek(&c, STR("aa")) == OK);
	CHECK_STR(c.key, STR("b"));
	CHECK(kv_next(&c) == OK);
	CHECK_STR(c.value, STR("3"));
	CHECK(kv_next(&c) == OK && kv_next(&c) == ERR_ABSENT);
	CHECK(kv_seek(&c, STR("\xff\xff")) == ERR_ABSENT);
	CHECK(kv_prev(&c) == OK);
	CHECK_STR(c.key, STR("\xff"));
	CHECK(kv_seek(&c, STR("")) == OK);
	CHECK_STR(c.key, STR("a"));
	CHECK(kv_prev(&c) == ERR_ABSENT);
	CHECK(kv_seek_before(&c, STR("ba")) == OK);
	CHECK_STR(c.key, STR("b"));
	CHECK(kv_seek_before(&c, STR("\xff\xff")) == OK);
	CHECK_STR(c.key, STR("\xff"));
	CHECK(kv_seek_before(&c, STR("a")) == ERR_ABSENT);
	kv_cursor_close(&c);
	kv_cursor_close(&c);
	kv_drop(&txn);
	place_remove(&p);
}

BOTH(a_mark_can_be_gone_back_to)
{
	struct place p;
	static char big[KV_VALUE_BYTES_MAX];

	place_make(&p);
	struct kv_txn *txn = begin(&p, KV_WRITE);

	put(txn, "kept", "1");
	put(txn, "gone", "2");
	CHECK(kv_put(txn, STR("big"), (struct str){big, sizeof big}) == OK);
	kv_mark(txn);
	put(txn, "kept", "changed");
	put(txn, "kept", "changed again");
	put(txn, "new", "3");
	CHECK(kv_delete(txn, STR("gone")) == OK);
	CHECK(kv_delete(txn, STR("big")) == OK);
	CHECK(kv_delete(txn, STR("absent")) == ERR_ABSENT);
	CHECK(kv_rewind(txn) == OK);
	check_value(txn, "kept", "1");
	check_value(txn, "gone", "2");
	check_value(txn, "new", NULL);
	check_value(txn, "absent", NULL);
	struct str value;

	CHECK(kv_get(txn, STR("big"), &value) == OK && value.len == sizeof big);
	kv_mark(txn);
	put(txn, "new", "3");
	kv_unmark(txn);
	CHECK(kv_commit(&txn) == OK);
	txn = begin(&p, KV_READ);
	check_value(txn, "kept", "1");
	check_value(txn, "new", "3");
	kv_drop(&txn);
	place_remove(&p);
}

/* ---- replacing by a cursor --------------------------------------------------------- */

enum { REPLACED_ROWS = 2000, REPLACED_TURNS = 6 };

/* What the row has after so many turns: longer, shorter, or as long as before. */
static struct str turned(unsigned row, unsigned turn)
{
	static char text[400];
	size_t len = turn % 2 ? (row * 7 + turn) % 300 : (row + turn) % 40;

	if (turn > 0 && row % 3 == 0)
		len = row % 40;
	memset(text, (int)('a' + (row + turn) % 26), sizeof text);
	return (struct str){text, len};
}

static struct str key_of_row(unsigned row)
{
	static char key[20];

	(void)snprintf(key, sizeof key, "key %05u", row);
	return str_c(key);
}

static void check_turn(struct kv_txn *txn, unsigned turn)
{
	struct str value;

	for (unsigned row = 0; row < REPLACED_ROWS; row++) {
		CHECK(kv_get(txn, key_of_row(row), &value) == OK);
		CHECK_STR(value, turned(row, turn));
	}
}

static void put_rows(struct kv_txn *txn)
{
	for (unsigned row = 0; row < REPLACED_ROWS; row++)
		CHECK(kv_put(txn, key_of_row(row), turned(row, 0)) == OK);
}

/* Each once, forwards or backwards, beyond the end. */
static void replace_all(struct kv_txn *txn, unsigned turn)
{
	bool is_forwards = turn % 4 < 2;
	struct kv_cursor c;
	unsigned done = 0;

	CHECK(kv_cursor_open(txn, &c) == OK);
	err_t err = is_forwards ? kv_seek(&c, STR("")) : kv_seek_before(&c, STR("z"));

	while (err == OK) {
		unsigned row = is_forwards ? done : REPLACED_ROWS - 1 - done;

		ASSERT(done < REPLACED_ROWS);
		CHECK_STR(c.key, key_of_row(row));
		CHECK_STR(c.value, turned(row, turn - 1));
		CHECK(kv_replace(&c, turned(row, turn)) == OK);
		CHECK(c.key.len == 0 && c.value.len == 0);
		err = is_forwards ? kv_next(&c) : kv_prev(&c);
		done++;
	}
	CHECK(err == ERR_ABSENT && done == REPLACED_ROWS);
	kv_cursor_close(&c);
}

BOTH(a_cursor_replaces_where_it_stands_and_goes_on)
{
	struct place p;

	place_make(&p);
	struct kv_txn *txn = begin(&p, KV_WRITE);

	put_rows(txn);
	for (unsigned turn = 1; turn <= REPLACED_TURNS; turn++) {
		size_t before = kv_changes(txn), pages = kv_pages(txn);

		replace_all(txn, turn);
		CHECK(kv_changes(txn) == before + REPLACED_ROWS);
		CHECK(is_in_memory || kv_pages(txn) - pages < REPLACED_ROWS / 2);
		check_turn(txn, turn);
		if (turn % 3 == 0) { /* pages of an earlier commit are copied first */
			CHECK(kv_commit(&txn) == OK);
			txn = begin(&p, KV_WRITE);
		}
	}
	kv_drop(&txn);
	txn = begin(&p, KV_READ);
	check_turn(txn, REPLACED_TURNS);
	kv_drop(&txn);
	place_remove(&p);
}

BOTH(what_was_replaced_since_a_mark_comes_back)
{
	struct place p;
	struct kv_cursor c;
	struct kv_txn *txn;

	place_make(&p);
	txn = begin(&p, KV_WRITE);
	put_rows(txn);
	CHECK(kv_commit(&txn) == OK);
	txn = begin(&p, KV_WRITE);
	kv_mark(txn);
	replace_all(txn, 1);
	CHECK(kv_delete(txn, key_of_row(7)) == OK);
	CHECK(kv_cursor_open(txn, &c) == OK);
	for (unsigned i = 0; i < 5; i++) { /* again, and one that was never there */
		CHECK(kv_seek(&c, key_of_row(10 * i)) == OK);
		CHECK(kv_replace(&c, STR("once more")) == OK);
	}
	CHECK(kv_put(txn, STR("new"), STR("1")) == OK);
	CHECK(kv_seek(&c, STR("new")) == OK && kv_replace(&c, STR("2")) == OK);
	kv_cursor_close(&c);
	CHECK(kv_rewind(txn) == OK);
	check_turn(txn, 0);
	check_value(txn, "new", NULL);
	kv_drop(&txn);
	place_remove(&p);
}

TEST(a_replacement_that_fails_in_the_middle_can_be_taken_back)
{
	struct place p;
	struct kv_cursor c;

	place_make(&p);
	struct kv_txn *txn = begin(&p, KV_WRITE);
	unsigned row = 0;

	put_rows(txn);
	CHECK(kv_cursor_open(txn, &c) == OK);
	kv_mark(txn);
	CHECK(fault_arm(STR("index.put:50:ENOSPC")));
	err_t err = kv_seek(&c, key_of_row(0));

	for (; err == OK && row < REPLACED_ROWS; row++) {
		err = kv_replace(&c, turned(row, 1));
		if (err == OK)
			err = kv_next(&c);
	}
	CHECK(err == ERR_LIMIT && row == 50);
	fault_disarm();
	kv_cursor_close(&c);
	CHECK(kv_rewind(txn) == OK);
	check_turn(txn, 0);
	CHECK(kv_commit(&txn) == OK);
	place_remove(&p);
}

TEST(a_full_index_says_so_and_goes_on)
{
	struct place p;
	static char big[KV_VALUE_BYTES_MAX];
	struct kv_txn *txn;
	struct kv_stats stats;
	err_t err = OK;

	place_make(&p);
	kv_close(&p.kv);
	struct kv_options options = {.path = p.path, .bytes_max = 1 << 20};

	CHECK(kv_open(&options, &p.kv) == OK);
	txn = begin(&p, KV_WRITE);
	for (unsigned char i = 0; i < 100 && err == OK; i++)
		err = kv_put(txn, (struct str){(char *)&i, 1},
			     (struct str){big, sizeof big});
	CHECK(err == ERR_LIMIT);
	kv_drop(&txn);
	txn = begin(&p, KV_WRITE);
	put(txn, "small", "1");
	CHECK(kv_commit(&txn) == OK && kv_sync(p.kv) == OK);
	CHECK(kv_stats(p.kv, &stats) == OK && stats.keys == 1);
	CHECK(stats.bytes_max == 1 << 20 && stats.bytes_used <= stats.bytes_max);
	place_remove(&p);
}

/* ---- damage ------------------------------------------------------------------------ */

enum { PAGES_ROWS = 3000 };

static err_t count_row(void *arg, struct str key, struct str value)
{
	CHECK(key.len > 0 && (value.len == 0 || value.ptr));
	++*(uint64_t *)arg;
	return OK;
}

/* Short rows and long ones, some of them deleted again, so that there are free pages. */
static void fill_pages(struct place *p)
{
	static char text[9000];
	struct kv_txn *txn = begin(p, KV_WRITE);

	memset(text, 'x', sizeof text);
	for (unsigned i = 0; i < PAGES_ROWS; i++) {
		char key[20];
		size_t len = i % 50 == 0 ? sizeof text : i % 90;

		(void)snprintf(key, sizeof key, "key %05u", i);
		CHECK(kv_put(txn, str_c(key), (struct str){text, len}) == OK);
	}
	CHECK(kv_commit(&txn) == OK);
	for (unsigned i = 0; i < PAGES_ROWS; i += 25) {
		char key[20];

		txn = i % 100 == 0 ? begin(p, KV_WRITE) : txn;
		(void)snprintf(key, sizeof key, "key %05u", i);
		CHECK(kv_delete(txn, str_c(key)) == OK);
		if (i % 100 == 75)
			CHECK(kv_commit(&txn) == OK);
	}
	kv_close(&p->kv);
}

TEST(good_pages_are_found_good)
{
	struct place p;
	uint64_t rows = 0;
	struct kv_pages found = {.take = count_row, .arg = &rows};

	place_make(&p);
	fill_pages(&p);
	CHECK(kv_check_pages(p.path, KV_PAGES_ALL, &found) == OK);
	CHECK(rows == PAGES_ROWS - PAGES_ROWS / 25 && found.rows == rows);
	CHECK(found.pages_bad == 0 && found.rows_bad == 0 && found.pages > 10);
	place_remove(&p);
}

/* Every row by key order, as far as it can be read; more than there are would be a walk
 * in circles. */
static unsigned walk_all(struct place *p, bool *is_damaged)
{
	struct kv_txn *txn = begin(p, KV_READ);
	struct kv_cursor cursor;
	unsigned rows = 0;

	CHECK(kv_cursor_open(txn, &cursor) == OK);
	for (err_t err = kv_seek(&cursor, STR("")); err != ERR_ABSENT && rows < 9999;
	     err = kv_next(&cursor)) {
		CHECK(err == OK || err == ERR_SYNTAX);
		*is_damaged |= err != OK;
		rows++;
	}
	kv_cursor_close(&cursor);
	kv_drop(&txn);
	return rows;
}

TEST(an_octet_that_changed_anywhere_in_the_index_is_found_or_harmless)
{
	struct place p;
	unsigned harmless = 0;
	enum { FLIPS = 400 };

	place_make(&p);
	fill_pages(&p);
	int fd = open(p.path, O_RDWR | O_CLOEXEC);
	uint64_t size = (uint64_t)lseek(fd, 0, SEEK_END);

	for (uint64_t i = 0; i < FLIPS; i++) {
		off_t at = (off_t)(hash64_number(i) % size);
		char was, is;
		struct kv_pages found = {0};
		bool is_damaged = false;

		CHECK(pread(fd, &was, 1, at) == 1);
		is = (char)(was ^ (char)(1 + hash64_number(i + FLIPS) % 255));
		CHECK(pwrite(fd, &is, 1, at) == 1);
		err_t err = kv_check_pages(p.path, KV_PAGES_ALL, &found);

		CHECK(err == OK || err == ERR_SYNTAX);
		if (err == OK) {
			harmless += found.rows_bad == 0;
			place_open(&p);
			CHECK(walk_all(&p, &is_damaged) == PAGES_ROWS - PAGES_ROWS / 25);
			CHECK(is_damaged == (found.rows_bad > 0));
			kv_close(&p.kv);
		}
		CHECK(pwrite(fd, &was, 1, at) == 1);
	}
	CHECK(harmless > 0 && harmless < FLIPS);
	(void)close(fd);
	place_remove(&p);
}

TEST(an_index_half_made_when_the_power_went_is_made_again)
{
	struct place p = {0};
	char fresh[96];

	(void)snprintf(p.folder, sizeof p.folder, "/tmp/kv-test.XXXXXX");
	ASSERT(mkdtemp(p.folder));
	(void)snprintf(p.path, sizeof p.path, "%s/kv", p.folder);
	(void)snprintf(fresh, sizeof fresh, "%s.new", p.path);
	FILE *half = fopen(fresh, "w");

	ASSERT(half && ftruncate(fileno(half), 8192) == 0);
	(void)fclose(half); /* nothing was written */
	place_open(&p);
	CHECK(access(fresh, F_OK) != 0);
	place_remove(&p);
}

TEST(rows_of_a_page_stand_near_each_other)
{
	static const char memory[4 * KV_PAGE_BYTES];
	struct kv_span span = {0};

	CHECK(!kv_span_add(&span, memory + 100));
	CHECK(kv_span_add(&span, memory + 50));
	CHECK(kv_span_add(&span, memory + 50 + KV_PAGE_BYTES - 1));
	CHECK(!kv_span_add(&span, memory + 50 + KV_PAGE_BYTES));
	CHECK(kv_span_add(&span, memory + 50 + KV_PAGE_BYTES - 1));
	CHECK(!kv_span_add(&span, memory));
}
