#include "search/index.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/test.h"
#include "base/utf8.h"
#include "db/kv.h"

enum { MAILS = 700, NEEDLES = 400, TEXT_MAX = 400, ACCOUNT = 5 };

struct place {
	char folder[64], path[80];
	uint64_t epoch, state; /* of the random numbers */
	struct search_index *index;
	struct buf texts[MAILS];
	bool is_gone[MAILS];
	enum search_attachments attachments;
};

static unsigned below(struct place *p, unsigned n)
{
	p->state = p->state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(p->state >> 33) % n;
}

static bool is_wanted(void *arg, search_account account, uint64_t message)
{
	const struct place *p = arg;

	(void)account;
	return !p->is_gone[message - 1];
}

static err_t place_open(struct place *p)
{
	struct search_index_options options = {.path = p->path,
					       .bytes_max = 256 << 20,
					       .epoch = p->epoch,
					       .attachments = p->attachments,
					       .wanted = is_wanted,
					       .arg = p};

	return search_index_open(&options, &p->index);
}

static struct place *place_new(void)
{
	struct place *p = NEW(struct place);

	p->state = 42;
	(void)snprintf(p->folder, sizeof p->folder, "/tmp/search-test.XXXXXX");
	ASSERT(mkdtemp(p->folder));
	(void)snprintf(p->path, sizeof p->path, "%s/search", p->folder);
	CHECK(place_open(p) == OK);
	ASSERT(p->index);
	return p;
}

static void place_free(struct place *p)
{
	char lock[96];

	search_index_close(&p->index);
	(void)snprintf(lock, sizeof lock, "%s-lock", p->path);
	(void)unlink(p->path);
	(void)unlink(lock);
	(void)rmdir(p->folder);
	for (size_t i = 0; i < MAILS; i++)
		buf_fini(&p->texts[i]);
	mem_free(p);
}

/* Few letters, so that texts have much in common; some long words. */
static void make_text(struct place *p, struct buf *text)
{
	buf_fini(text); /* of another round */
	*text = BUF(TEXT_MAX);
	unsigned len = below(p, TEXT_MAX);
	unsigned letters = below(p, 10) == 0 ? 1 : 8;

	while (text->len < len)
		buf_add_byte(text, "ABC\xc3\xa9 .\r"[below(p, letters)]);
}

/* Messages first to before last, numbered from 1, in one addition. */
static err_t add(struct place *p, unsigned first, unsigned last)
{
	struct search_doc docs[SEARCH_ADD_MAX];
	struct buf words[SEARCH_ADD_MAX];
	struct terms *terms = terms_new();

	for (unsigned i = first; i < last; i++) {
		struct buf *bytes = &words[i - first];

		*bytes = BUF(TERMS_BYTES_MAX);
		terms_reset(terms);
		terms_add(terms, SEARCH_BODY, buf_str(&p->texts[i]));
		terms_add(terms, SEARCH_SUBJECT, STR("COMMON"));
		CHECK(terms_write(terms, bytes));
		docs[i - first] = (struct search_doc){i + 1, buf_str(bytes)};
	}
	err_t err =
		search_index_add(p->index, ACCOUNT, first, last, docs, last - first, 0);

	for (unsigned i = first; i < last; i++)
		buf_fini(&words[i - first]);
	terms_free(&terms);
	return err;
}

static void add_all(struct place *p)
{
	for (unsigned at = 0; at < MAILS;) {
		unsigned some = 1 + below(p, below(p, 4) == 0 ? SEARCH_ADD_MAX : 3);
		unsigned last = at + some < MAILS ? at + some : MAILS;

		for (unsigned i = at; i < last; i++)
			make_text(p, &p->texts[i]);
		CHECK(add(p, at, last) == OK);
		at = last;
	}
}

/* The index against each text itself. */
static void compare(struct place *p, struct str text)
{
	struct needle needle;
	struct search_found found;
	size_t at = 0;

	needle_make(&needle, text);
	if (needle.count == 0)
		return;
	CHECK(search_index_find(p->index, ACCOUNT, &needle, 1u << SEARCH_BODY, &found) ==
	      OK);
	for (size_t i = 0; i < MAILS; i++) {
		struct str whole = buf_str(&p->texts[i]);
		bool has = str_find(whole, text) < whole.len;

		if (at == found.count || found.messages[at] != i + 1) {
			CHECK(p->is_gone[i]);
			continue;
		}
		CHECK(found.is_hit[at] || !has);
		CHECK(!needle.is_exact || found.is_hit[at] == has);
		at++;
	}
	CHECK(at == found.count);
	search_found_fini(&found);
}

/* The fits by the index against those by looking at each text. */
static void compare_fuzzily(struct place *p, struct str text)
{
	enum { CLASSES = 1u << SEARCH_BODY | 1u << SEARCH_SUBJECT };
	struct search_found found;
	struct fuzzy fuzzy;
	size_t at = 0, hits = 0;

	fuzzy_make(&fuzzy, text, CLASSES);
	if (fuzzy.count == 0)
		return;
	CHECK(search_index_fuzzy(p->index, ACCOUNT, &fuzzy, &found) == OK);
	CHECK(found.words == fuzzy.count);
	for (size_t i = 0; i < MAILS; i++) {
		struct str whole = buf_str(&p->texts[i]);
		struct fuzzy_fit looked = {0};

		if (at == found.count || found.messages[at] != i + 1)
			continue;
		fuzzy_text(&fuzzy, SEARCH_BODY, whole, &looked);
		fuzzy_text(&fuzzy, SEARCH_SUBJECT, STR("COMMON"), &looked);
		struct fuzzy_fit fit = search_found_fit(&found, at++);

		CHECK(memcmp(&fit, &looked, sizeof fit) == 0);
		hits += fuzzy_score(&fuzzy, &fit) > 0;
		CHECK(str_find(whole, text) == whole.len ||
		      fuzzy_score(&fuzzy, &fit) > 0);
	}
	CHECK(at == found.count);
	CHECK(hits > 0 || !str_starts(text, STR("COM")));
	search_found_fini(&found);
}

TEST(fuzzy_texts_are_found_as_by_looking)
{
	struct place *p = place_new();

	add_all(p);
	compare_fuzzily(p, STR("COMON"));
	compare_fuzzily(p, STR("COMM"));
	for (unsigned i = 0; i < NEEDLES; i++) {
		struct str from = buf_str(&p->texts[below(p, MAILS)]);
		size_t start = from.len > 0 ? below(p, (unsigned)from.len) : 0;
		struct str text = str_first(str_skip(from, start), 1 + below(p, 30));

		while (text.len > 0 && (text.ptr[0] & 0xc0) == 0x80)
			text = str_skip(text, 1);
		compare_fuzzily(p, utf8_valid(text) ? text : STR("COMMNO"));
	}
	place_free(p);
}

static void compare_many(struct place *p)
{
	for (unsigned i = 0; i < NEEDLES; i++) {
		struct str from = buf_str(&p->texts[below(p, MAILS)]);
		size_t start = from.len > 0 ? below(p, (unsigned)from.len) : 0;
		struct str text = str_first(str_skip(from, start), 1 + below(p, 40));
		SCOPED(buf_fini) struct buf changed = BUF(100);

		buf_add(&changed, text);
		if (changed.len > 0 && below(p, 3) == 0)
			changed.ptr[below(p, (unsigned)changed.len)] = 'A';
		compare(p, buf_str(&changed));
	}
}

TEST(the_index_finds_what_a_look_at_each_text_finds)
{
	struct place *p = place_new();
	struct search_state state;

	add_all(p);
	CHECK(search_index_state(p->index, ACCOUNT, &state) == OK);
	CHECK(state.upto == MAILS && state.docs == MAILS && state.segments < 40);
	compare_many(p);
	place_free(p);
}

TEST(it_is_the_same_after_it_was_closed)
{
	struct place *p = place_new();

	add_all(p);
	search_index_close(&p->index);
	CHECK(place_open(p) == OK);
	compare_many(p);
	place_free(p);
}

TEST(what_was_expunged_is_forgotten)
{
	struct place *p = place_new();
	struct search_state state;
	bool more = true;
	size_t gone = 0;

	add_all(p);
	for (unsigned i = 0; i < MAILS; i++) {
		p->is_gone[i] = i < 200 || below(p, 3) == 0;
		gone += p->is_gone[i];
	}
	for (unsigned i = 0; i < 1000 && more; i++)
		CHECK(search_index_tidy(p->index, ACCOUNT, &more) == OK);
	CHECK(!more);
	CHECK(search_index_state(p->index, ACCOUNT, &state) == OK);
	CHECK(state.docs == MAILS - gone && state.upto == MAILS);
	compare_many(p);
	place_free(p);
}

TEST(only_the_next_messages_are_taken)
{
	struct place *p = place_new();
	struct search_doc doc = {7, STR("\0\0\0\0\0\0")};
	struct search_doc broken = {8, STR("\3xx\0\0\0\0\0")};

	CHECK(search_index_add(p->index, ACCOUNT, 3, 9, &doc, 1, 0) == ERR_CANCELED);
	CHECK(search_index_add(p->index, ACCOUNT, 0, 6, &doc, 1, 0) == ERR_CANCELED);
	CHECK(search_index_add(p->index, ACCOUNT, 0, 9, &broken, 1, 0) == ERR_CANCELED);
	CHECK(search_index_add(p->index, ACCOUNT, 0, 9, &doc, 1, 2) == OK);
	CHECK(search_index_add(p->index, ACCOUNT, 0, 9, &doc, 1, 0) == ERR_CANCELED);
	CHECK(search_index_add(p->index, ACCOUNT, 9, 12, NULL, 0, 0) == OK);
	CHECK(search_index_drop(p->index, ACCOUNT) == OK);
	CHECK(search_index_add(p->index, ACCOUNT, 0, 9, &doc, 1, 0) == OK);
	place_free(p);
}

TEST(of_another_epoch_nothing_is_kept)
{
	struct place *p = place_new();
	struct search_state state;

	add_all(p);
	search_index_close(&p->index);
	p->epoch++;
	CHECK(place_open(p) == OK);
	CHECK(search_index_state(p->index, ACCOUNT, &state) == OK);
	CHECK(state.docs == 0 && state.upto == 0);
	place_free(p);
}

static uint64_t docs_with(struct place *p, enum search_attachments attachments)
{
	struct search_state state;

	search_index_close(&p->index);
	p->attachments = attachments;
	CHECK(place_open(p) == OK);
	CHECK(search_index_state(p->index, ACCOUNT, &state) == OK);
	return state.docs;
}

TEST(with_or_without_attachments_it_is_another_index)
{
	struct place *p = place_new();

	add_all(p);
	uint64_t docs = docs_with(p, SEARCH_ATTACHMENTS);

	CHECK(docs > 0);
	CHECK(docs_with(p, SEARCH_ATTACHMENTS_AS_THEY_ARE) == docs);
	CHECK(docs_with(p, SEARCH_NO_ATTACHMENTS) == 0);
	add_all(p);
	CHECK(docs_with(p, SEARCH_ATTACHMENTS_AS_THEY_ARE) == docs);
	CHECK(docs_with(p, SEARCH_NO_ATTACHMENTS) == docs);
	CHECK(docs_with(p, SEARCH_ATTACHMENTS) == 0);
	place_free(p);
}

/* Rows that are garbage, in a file that is none. */
TEST(an_account_that_is_damaged_is_begun_anew)
{
	struct place *p = place_new();
	struct needle needle;
	struct search_found found;
	struct kv *kv;
	struct kv_txn *txn;
	struct kv_options options = {.path = p->path, .bytes_max = 256 << 20};

	add_all(p);
	search_index_close(&p->index);
	CHECK(kv_open(&options, &kv) == OK && kv_begin(kv, KV_WRITE, &txn) == OK);
	for (uint32_t segment = 0; segment < 2 * MAILS; segment++) {
		struct buf key = BUF(20);

		enc_key32(&key, ACCOUNT);
		buf_add_byte(&key, 'T');
		enc_key32(&key, segment);
		enc_u8(&key, SEARCH_BODY);
		enc_key32(&key, 0);
		struct str value;

		if (kv_get(txn, buf_str(&key), &value) == OK)
			CHECK(kv_put(txn, buf_str(&key), STR("garbage")) == OK);
		buf_fini(&key);
	}
	CHECK(kv_commit(&txn) == OK);
	kv_close(&kv);
	CHECK(place_open(p) == OK);
	needle_make(&needle, STR("ABC"));
	CHECK(search_index_find(p->index, ACCOUNT, &needle, 1u << SEARCH_BODY, &found) ==
	      ERR_SYNTAX);
	struct fuzzy fuzzy;

	fuzzy_make(&fuzzy, STR("ABC"), 1u << SEARCH_BODY);
	CHECK(search_index_fuzzy(p->index, ACCOUNT, &fuzzy, &found) == ERR_SYNTAX);
	for (unsigned i = 0; i < MAILS; i++)
		p->is_gone[i] = i % 2 == 0;
	bool more;

	CHECK(search_index_tidy(p->index, ACCOUNT, &more) == ERR_SYNTAX);
	struct search_state state;

	CHECK(search_index_state(p->index, ACCOUNT, &state) == OK && state.upto == 0);
	place_free(p);
}

static err_t one_block(void *arg, enum search_class class, uint32_t number,
		       struct str *block)
{
	*block = *(const struct str *)arg;
	return class == SEARCH_BODY && number == 0 ? OK : ERR_ABSENT;
}

/* Whatever a block holds, nothing is read beyond it. */
TEST(garbled_blocks_are_refused_or_harmless)
{
	struct place *p = place_new();
	struct needle needle;
	struct fuzzy fuzzy;
	uint64_t bits[2];
	uint8_t fits[200];

	needle_make(&needle, STR("A"));
	fuzzy_make(&fuzzy, STR("A B"), 1u << SEARCH_BODY);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned len = below(p, 60);
		char *bytes = NEW_ARRAY(char, len + 1);
		struct str block = {bytes, len};

		for (unsigned at = 0; at < len; at++)
			bytes[at] = "\0\0\0\1\2\10AB\x80\xff"[below(p, 10)];
		(void)segment_search(one_block, &block, &needle, 1u << SEARCH_BODY, 100,
				     bits);
		(void)segment_fuzzy(one_block, &block, &fuzzy, 100, fits);
		mem_free(bytes);
	}
	place_free(p);
}
