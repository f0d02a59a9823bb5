/* What indexes for SEARCH cost, over mails that searchmail.py made:
 *
 *   searchbench texts MAILS TEXTS       what SEARCH looks into, decoded: for the others
 *   searchbench words MAILS INDEX       the index of src/search
 *   searchbench trigrams MAILS INDEX    the same with all runs of three letters as words
 *   searchbench fts5 TEXTS DB DETAIL    SQLite's trigrams; detail full or none
 *   searchbench scan TEXTS              no index: the decoded texts from memory
 *
 * Each prints what building cost, then for some texts how many mails have them (or may
 * have), and the median time of a few looks; words also says it for FUZZY. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/mem.h"
#include "rt/clock.h"
#include "search/index.h"
#include "text/casemap.h"
#include "wire/mail/header.h"
#include "wire/mail/mime.h"

enum { LOOKS = 5 };

static const char *const needles[] = {
	"xqzzyrare", "zqvwkjx",           "dovecot",           "the",
	"e",         "xqzzyrare for you", "configuration file"};

static struct str map_file(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ASSERT(fd >= 0 && fstat(fd, &st) == 0);
	void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);

	ASSERT(at != MAP_FAILED);
	(void)close(fd);
	return (struct str){at, (size_t)st.st_size};
}

static bool next_mail(struct str *rest, struct str *mail)
{
	struct dec dec = dec_over(*rest);

	*mail = dec_bytes(&dec, dec_u32(&dec));
	*rest = dec.rest;
	return dec_ok(&dec) && mail->len > 0;
}

static double cpu_s(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void told_build(size_t count, uint64_t began_us, double cpu, uint64_t bytes)
{
	double took = (double)(clock_monotonic_us() - began_us) / 1e6;

	printf("built: %zu mails in %.1f s (%.0f/s), %.0f us CPU each, %.0f octets "
	       "each\n",
	       count, took, (double)count / took, (cpu_s() - cpu) * 1e6 / (double)count,
	       (double)bytes / (double)count);
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *one = a, *other = b;

	return *one < *other ? -1 : *one > *other;
}

static void look(size_t (*find)(void *arg, const char *needle), void *arg)
{
	for (size_t i = 0; i < COUNT_OF(needles); i++) {
		uint64_t times[LOOKS];
		size_t hits = 0;

		for (size_t at = 0; at < LOOKS; at++) {
			uint64_t began = clock_monotonic_us();

			hits = find(arg, needles[i]);
			times[at] = clock_monotonic_us() - began;
		}
		qsort(times, LOOKS, sizeof *times, by_size);
		printf("%-20s %7zu hits %9.2f ms\n", needles[i], hits,
		       (double)times[LOOKS / 2] / 1000);
	}
}

/* ---- ours -------------------------------------------------------------------------- */

static struct search_index *ours_open(const char *path)
{
	struct search_index_options options = {.path = path, .bytes_max = 8ull << 30};
	struct search_index *index;

	ASSERT(search_index_open(&options, &index) == OK);
	return index;
}

static size_t find_ours(void *arg, const char *text)
{
	struct buf mapped = BUF(1000);
	struct needle needle;
	struct search_found found;
	size_t hits = 0;

	casemap_add(&mapped, str_c(text));
	needle_make(&needle, buf_str(&mapped));
	ASSERT(search_index_find(arg, 1, &needle, (1u << SEARCH_CLASSES) - 1, &found) ==
	       OK);
	for (size_t i = 0; i < found.count; i++)
		hits += found.is_hit[i];
	search_found_fini(&found);
	buf_fini(&mapped);
	return hits;
}

static size_t find_fuzzily(void *arg, const char *text)
{
	struct buf mapped = BUF(1000);
	struct search_found found;
	struct fuzzy fuzzy;
	size_t hits = 0;

	casemap_add(&mapped, str_c(text));
	fuzzy_make(&fuzzy, buf_str(&mapped), (1u << SEARCH_CLASSES) - 1);
	ASSERT(search_index_fuzzy(arg, 1, &fuzzy, &found) == OK);
	for (size_t i = 0; i < found.count; i++) {
		struct fuzzy_fit fit = search_found_fit(&found, i);

		hits += fuzzy_score(&fuzzy, &fit) > 0;
	}
	search_found_fini(&found);
	buf_fini(&mapped);
	return hits;
}

/* All trigrams of the needle's words, as far as a needle has room for them. */
static size_t find_trigrams(void *arg, const char *text)
{
	struct buf mapped = BUF(1000), all = BUF(1000);
	struct needle needle = {0};
	struct search_found found;
	size_t hits = 0;
	struct str rest, word;

	casemap_add(&mapped, str_c(text));
	rest = buf_str(&mapped);
	while (term_next(&rest, &word)) {
		for (; word.len >= 3 && needle.count < NEEDLE_PATTERNS_MAX;
		     word = str_skip(word, 1)) {
			char *to = needle.bytes + 5 * needle.count;

			memcpy(to + 1, word.ptr, 3);
			to[0] = to[4] = '\0';
			needle.patterns[needle.count++] = (struct str){to, 5};
		}
	}
	ASSERT(search_index_find(arg, 1, &needle, (1u << SEARCH_CLASSES) - 1, &found) ==
	       OK);
	for (size_t i = 0; i < found.count; i++)
		hits += found.is_hit[i];
	search_found_fini(&found);
	buf_fini(&mapped);
	buf_fini(&all);
	return hits;
}

struct adding {
	struct terms *terms;
	bool in_body;
};

static bool add_trigrams(void *arg, struct str field, struct str mapped)
{
	struct adding *adding = arg;
	struct str word;

	while (term_next(&mapped, &word)) {
		for (; word.len >= 3; word = str_skip(word, 1))
			terms_add(adding->terms,
				  adding->in_body ? SEARCH_BODY : search_class_of(field),
				  str_first(word, 3));
	}
	return false;
}

static bool add_mail_trigrams(struct terms *terms, struct str mail)
{
	struct search_text scratch;
	struct arena arena;
	struct adding adding = {.terms = terms};
	struct mail_fields walk = mail_fields_over(mail);
	struct mail_field field;

	while (mail_fields_next(&walk, &field))
		;
	search_text_init(&scratch);
	arena_init(&arena, 8 << 20);
	(void)search_fields(&scratch, str_first(mail, walk.at), STR(""), add_trigrams,
			    &adding);
	adding.in_body = true;
	(void)search_body(&scratch, mail, mime_parse(&arena, mail).root, add_trigrams,
			  &adding);
	search_text_fini(&scratch);
	arena_fini(&arena);
	return true;
}

static void ours(const char *mails, const char *path, bool has_trigrams)
{
	struct str rest = map_file(mails), mail;
	struct search_index *index = ours_open(path);
	struct search_doc docs[SEARCH_ADD_MAX];
	struct buf bytes[SEARCH_ADD_MAX];
	struct terms *terms = terms_new();
	size_t count = 0, all = 0, left_out = 0;
	uint64_t began = clock_monotonic_us(), upto = 0, out = 0, term_bytes = 0;
	double cpu = cpu_s();
	bool more = true;

	for (size_t i = 0; i < SEARCH_ADD_MAX; i++)
		bytes[i] = BUF(2 * TERMS_BYTES_MAX);
	while (more) {
		more = next_mail(&rest, &mail);
		if (more) {
			buf_reset(&bytes[count]);
			terms_reset(terms);
			all++;
			if ((has_trigrams ? add_mail_trigrams(terms, mail)
					  : terms_add_message(terms, STR(""), mail)) &&
			    terms_write(terms, &bytes[count])) {
				docs[count] =
					(struct search_doc){all, buf_str(&bytes[count])};
				term_bytes += bytes[count++].len;
			} else {
				out++;
			}
		}
		if (count < SEARCH_ADD_MAX && more)
			continue;
		ASSERT(search_index_add(index, 1, upto, all, docs, count, out) == OK);
		left_out += out;
		upto = all;
		out = count = 0;
	}
	struct search_state state;

	ASSERT(search_index_state(index, 1, &state) == OK);
	told_build(all, began, cpu, state.bytes);
	printf("file: %.0f octets each; %zu segments; words %.0f octets each; left out: "
	       "%zu\n",
	       (double)search_index_bytes(index) / (double)all, state.segments,
	       (double)term_bytes / (double)all, left_out);
	look(has_trigrams ? find_trigrams : find_ours, index);
	if (!has_trigrams)
		look(find_fuzzily, index);
	search_index_close(&index);
	terms_free(&terms);
}

/* ---- texts ------------------------------------------------------------------------- */

static bool add_text(void *arg, struct str field, struct str mapped)
{
	(void)field;
	buf_add(arg, mapped);
	buf_add_byte(arg, '\n');
	return false;
}

static void texts(const char *mails, const char *path)
{
	struct str rest = map_file(mails), mail;
	FILE *to = fopen(path, "w");
	struct buf text = BUF(256 << 20);
	struct search_text scratch;
	struct arena arena;
	size_t all = 0;
	uint64_t began = clock_monotonic_us(), bytes = 0;
	double cpu = cpu_s();

	ASSERT(to);
	search_text_init(&scratch);
	arena_init(&arena, 8 << 20);
	for (; next_mail(&rest, &mail); all++) {
		struct mail_fields walk = mail_fields_over(mail);
		struct mail_field field;

		while (mail_fields_next(&walk, &field))
			;
		buf_reset(&text);
		enc_u32(&text, 0);
		arena_reset(&arena);
		(void)search_fields(&scratch, str_first(mail, walk.at), STR(""), add_text,
				    &text);
		(void)search_body(&scratch, mail, mime_parse(&arena, mail).root, add_text,
				  &text);
		struct buf head = BUF(4);

		enc_u32(&head, (uint32_t)text.len - 4);
		memcpy(text.ptr, head.ptr, 4);
		buf_fini(&head);
		ASSERT(fwrite(text.ptr, 1, text.len, to) == text.len);
		bytes += text.len;
	}
	ASSERT(fclose(to) == 0);
	told_build(all, began, cpu, bytes);
}

static size_t find_scan(void *arg, const char *needle)
{
	struct str rest = *(struct str *)arg, text;
	struct buf mapped = BUF(1000);
	size_t hits = 0;

	casemap_add(&mapped, str_c(needle));
	while (next_mail(&rest, &text))
		hits += str_find(text, buf_str(&mapped)) < text.len;
	buf_fini(&mapped);
	return hits;
}

/* ---- SQLite ------------------------------------------------------------------------ */

static void run(sqlite3 *db, const char *sql)
{
	char *error = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
		(void)fprintf(stderr, "%s: %s\n", sql, error);
		exit(1);
	}
}

static bool is_exact;

static size_t find_fts5(void *arg, const char *needle)
{
	struct buf mapped = BUF(1000), query = BUF(10000);
	sqlite3_stmt *statement;
	size_t hits = 0;

	casemap_add(&mapped, str_c(needle));
	struct str text = buf_str(&mapped);

	if (is_exact) {
		buf_printf(&query, "\"%.*s\"", STR_FMT(text));
	} else {
		for (; text.len >= 3; text = str_skip(text, 1))
			buf_printf(&query, "%s\"%.*s\"", query.len ? " AND " : "", 3,
				   text.ptr);
	}
	if (query.len > 0 && mapped.len >= 3) {
		ASSERT(sqlite3_prepare_v2(arg, "SELECT rowid FROM t WHERE t MATCH ?", -1,
					  &statement, NULL) == SQLITE_OK);
		ASSERT(sqlite3_bind_text(statement, 1, query.ptr, (int)query.len,
					 SQLITE_STATIC) == SQLITE_OK);
		while (sqlite3_step(statement) == SQLITE_ROW)
			hits++;
		(void)sqlite3_finalize(statement);
	}
	buf_fini(&mapped);
	buf_fini(&query);
	return hits;
}

static void fts5(const char *path, const char *to, const char *detail)
{
	struct str rest = map_file(path), text;
	uint64_t began = clock_monotonic_us();
	double cpu = cpu_s();
	sqlite3 *db;
	sqlite3_stmt *statement;
	struct stat st;
	size_t all = 0;
	char sql[200];

	is_exact = strcmp(detail, "full") == 0;
	ASSERT(sqlite3_open(to, &db) == SQLITE_OK);
	run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;");
	(void)snprintf(sql, sizeof sql,
		       "CREATE VIRTUAL TABLE t USING fts5(body, content='', detail=%s, "
		       "tokenize='trigram case_sensitive 1')",
		       detail);
	run(db, sql);
	ASSERT(sqlite3_prepare_v2(db, "INSERT INTO t(rowid, body) VALUES (?, ?)", -1,
				  &statement, NULL) == SQLITE_OK);
	run(db, "BEGIN");
	for (; next_mail(&rest, &text); all++) {
		if (all % 1000 == 999)
			run(db, "COMMIT; BEGIN");
		(void)sqlite3_bind_int64(statement, 1, (sqlite3_int64)all + 1);
		(void)sqlite3_bind_text(statement, 2, text.ptr, (int)text.len,
					SQLITE_STATIC);
		ASSERT(sqlite3_step(statement) == SQLITE_DONE);
		(void)sqlite3_reset(statement);
	}
	run(db, "COMMIT");
	(void)sqlite3_finalize(statement);
	run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	ASSERT(stat(to, &st) == 0);
	told_build(all, began, cpu, (uint64_t)st.st_size);
	look(find_fts5, db);
	(void)sqlite3_close(db);
}

int main(int argc, char **argv)
{
	struct str all;

	if (argc == 3 && strcmp(argv[1], "scan") == 0) {
		all = map_file(argv[2]);
		look(find_scan, &all);
	} else if (argc == 4 && strcmp(argv[1], "texts") == 0) {
		texts(argv[2], argv[3]);
	} else if (argc == 4 && strcmp(argv[1], "words") == 0) {
		ours(argv[2], argv[3], false);
	} else if (argc == 4 && strcmp(argv[1], "trigrams") == 0) {
		ours(argv[2], argv[3], true);
	} else if (argc == 5 && strcmp(argv[1], "fts5") == 0) {
		fts5(argv[2], argv[3], argv[4]);
	} else {
		(void)fprintf(stderr, "usage: see the top of searchbench.c\n");
		return 2;
	}
	return 0;
}
