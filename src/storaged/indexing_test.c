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

static struct index_work take(struct store *indexd)
{
	struct index_work work = {0};

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

static struct store_candidates find(const char *text)
{
	struct store_candidates found = {0};

	CHECK(store_search(w.door, ANN, MAILBOX_INBOX, ALL, str_c(text), &w.arena,
			   &found) == STORE_OK);
	return found;
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
	CHECK(store_search(w.door, BOB, MAILBOX_INBOX, ALL, STR("WORD"), &w.arena,
			   &found) == STORE_DENIED);
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
