/* What the process that makes the search index is given, and what it is not. */
#include "search/terms.h"
#include "storaged/world.h"
#include "store/search.h"

enum { INDEXD_ID = 21, ALL = (1 << SEARCH_CLASSES) - 1 };

static uint64_t append(account_t account, const char *text)
{
	struct store_result result = {0};

	CHECK(commit_one(w.ctl, account, STR(""), append_op(str_c(text)), &result) ==
	      STORE_OK);
	return result.count == 1 ? result.ops[0].message : 0;
}

/* Of all that was committed: a read waits until it has come into the index. */
static struct index_work take(struct store *indexd)
{
	struct index_work work = {0};
	struct account_summary summary;

	CHECK(store_summary(w.ctl, ANN, &summary) == STORE_OK);
	CHECK(store_index_take(indexd, &w.arena, &work) == STORE_OK);
	return work;
}

/* All of its messages have that word. */
static enum store_outcome put(struct store *indexd, const struct index_work *work,
			      account_t account, uint64_t message)
{
	SCOPED(buf_fini) struct buf words = BUF(1000);
	struct terms *terms = terms_new();

	terms_add(terms, SEARCH_BODY, STR("WORD"));
	CHECK(terms_write(terms, &words));
	terms_free(&terms);
	struct index_doc doc = {message, buf_str(&words)};
	struct index_done done = {work->from, work->upto, 0, &doc, 1};

	return store_index_put(indexd, account, &done);
}

static uint64_t total(struct uid_set set)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < set.count; i++)
		sum += set.ranges[i].last - set.ranges[i].first + 1;
	return sum;
}

static struct store_candidates find_as(const char *text, bool is_fuzzy)
{
	struct store_candidates found = {0};
	struct store_find what = {MAILBOX_INBOX, ALL, str_c(text), is_fuzzy};

	CHECK(store_search(w.door, ANN, &what, &w.arena, &found) == STORE_OK);
	return found;
}

static struct store_candidates find(const char *text)
{
	return find_as(text, false);
}

static void indexes(void)
{
	uint64_t message = append(ANN, "Subject: x\r\n\r\na word\r\n");
	struct store *indexd = store_open(channel_to(GATE_INDEXD, INDEXD_ID));
	struct store_candidates found;
	struct buf body = BUF(1000);

	enter(w.door, ANN, 0);
	found = find("WORD");
	CHECK(total(found.sure) == 0 && total(found.perhaps) == 1);
	CHECK(store_body(indexd, ANN, MESSAGE_REF(message), &body) == STORE_DENIED);
	struct index_work work = take(indexd);

	CHECK(work.account == ANN && work.count == 1 && !work.is_more);
	if (work.count == 1)
		CHECK(work.items[0].message == message);
	CHECK(store_body(indexd, ANN, MESSAGE_REF(message), &body) == STORE_OK);
	CHECK(store_body(indexd, BOB, MESSAGE_REF(message), &body) == STORE_DENIED);
	CHECK(put(indexd, &work, BOB, message) == STORE_CONFLICT);
	CHECK(put(indexd, &work, ANN, message + 1) == STORE_DENIED);
	CHECK(put(indexd, &work, ANN, message) == STORE_OK);
	CHECK(put(indexd, &work, ANN, message) != STORE_OK);
	CHECK(store_body(indexd, ANN, MESSAGE_REF(message), &body) == STORE_DENIED);
	found = find("OR");
	CHECK(total(found.sure) == 1 && total(found.perhaps) == 0);
	found = find("NOTHING");
	CHECK(total(found.sure) == 0 && total(found.perhaps) == 0);
	found = find_as("WROD", true);
	CHECK(total(found.sure) == 1 && found.scores.len == 1 && found.weights.len == 1);
	found = find_as("NOTHING", true);
	CHECK(total(found.sure) == 0 && total(found.perhaps) == 0 &&
	      found.scores.len == 0);
	struct store_find word = {MAILBOX_INBOX, ALL, STR("WORD"), false};

	CHECK(store_search(w.door, BOB, &word, &w.arena, &found) == STORE_DENIED);
	buf_fini(&body);
	store_close(&indexd);
}

TEST(indexd_reads_what_it_was_given_and_no_more)
{
	world_run(indexes);
}

static void dies(void)
{
	uint64_t message = append(ANN, "Subject: x\r\n\r\na word\r\n");
	struct store *indexd = store_open(channel_to(GATE_INDEXD, INDEXD_ID));
	struct index_work work = take(indexd);
	struct index_state state;

	CHECK(work.count == 1);
	store_reconnect(indexd, channel_to(GATE_INDEXD, INDEXD_ID)); /* it began anew */
	work = take(indexd);
	CHECK(work.account == ANN && work.count == 1);
	CHECK(put(indexd, &work, ANN, message) == STORE_OK);
	CHECK(store_index_state(w.ctl, &state) == STORE_OK);
	CHECK(state.messages == 1 && state.waiting == 0);
	CHECK(store_index_renew(w.ctl) == STORE_OK);
	CHECK(store_index_state(w.ctl, &state) == STORE_OK);
	CHECK(state.messages == 0 && state.waiting == 1);
	work = take(indexd);
	CHECK(work.account == ANN && work.from == 0 && work.count == 1);
	store_close(&indexd);
}

TEST(what_indexd_had_when_it_died_is_given_again)
{
	world_run(dies);
}

/* Puts these texts of the messages that were taken. */
static void put_texts(struct store *indexd, const struct index_work *work,
		      const char *const *texts)
{
	struct index_doc docs[INDEX_ITEMS_MAX];
	struct buf words[INDEX_ITEMS_MAX];
	struct terms *terms = terms_new();

	for (size_t i = 0; i < work->count; i++) {
		words[i] = BUF(1000);
		terms_reset(terms);
		terms_add(terms, SEARCH_BODY, str_c(texts[i]));
		CHECK(terms_write(terms, &words[i]));
		docs[i] = (struct index_doc){work->items[i].message, buf_str(&words[i])};
	}
	struct index_done done = {work->from, work->upto, 0, docs, work->count};

	CHECK(store_index_put(indexd, ANN, &done) == STORE_OK);
	for (size_t i = 0; i < work->count; i++)
		buf_fini(&words[i]);
	terms_free(&terms);
}

static void weighs(void)
{
	static const char *const texts[] = {"PAPER", "PAPER", "PAPER TREE", "PAPER",
					    "PAPERS TRE"};
	struct store_op create = {.kind = OP_MAILBOX_CREATE, .mailbox.name = STR("x")};
	struct store_op op = append_op(STR("Subject: x\r\n\r\nPapers tre\r\n"));
	struct store *indexd = store_open(channel_to(GATE_INDEXD, INDEXD_ID));
	struct store_result result = {0};
	struct store_candidates found;

	CHECK(commit_one(w.ctl, ANN, STR(""), create, &result) == STORE_OK);
	op.append.mailbox = result.ops[0].mailbox;
	for (size_t i = 0; i < 4; i++)
		(void)append(ANN, "Subject: x\r\n\r\nsome of these\r\n");
	CHECK(commit_one(w.ctl, ANN, STR(""), op, NULL) == STORE_OK);
	struct index_work work = take(indexd);

	CHECK(work.count == 5);
	if (work.count == 5)
		put_texts(indexd, &work, texts);
	enter(w.door, ANN, 0);
	found = find_as("PAPER TREE", true);
	CHECK(total(found.sure) == 1 && total(found.perhaps) == 0);
	CHECK_STR(found.weights, STR("\1\3")); /* in 4 of 4, in 1 of 4 */
	CHECK_STR(found.scores, STR("\74"));
	struct store_find other = {op.append.mailbox, ALL, STR("PAPER TREE"), true};

	CHECK(store_search(w.door, ANN, &other, &w.arena, &found) == STORE_OK);
	CHECK_STR(found.weights, STR("\1\1"));
	CHECK_STR(found.scores, STR("\52")); /* of 48 and 36 the mean */
	store_close(&indexd);
}

TEST(words_weigh_what_they_do_in_the_mailbox_that_is_searched)
{
	world_run(weighs);
}
