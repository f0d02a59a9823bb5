#include "indexd/indexd.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "rt/panic.h"
#include "search/terms.h"
#include "store/codec.h"
#include "store/search.h"

enum {
	WORK_ARENA_BYTES = 4 * 1024 * 1024,
	RETRY_MS = 60 * 1000, /* when the store cannot */
	ATTACHED_WAIT_S = 60, /* for the documents of one message */
	SOON_MS = 1000,
	TOGETHER = 8, /* bodies of one call */
	BODY_HELD_MAX = SEARCH_BODY_MAX + BODY_PAGE_BYTES,
	CRC_SEED = 2, /* other keys of the same octets begin otherwise */
};

/* One piece of work. */
struct run {
	const struct indexd *indexd;
	struct arena arena;
	struct index_work work;
	struct terms *terms;
	struct buf bodies[TOGETHER];
	struct buf words; /* of all docs that are to be put */
	struct index_doc docs[INDEX_ITEMS_MAX];
	size_t starts[INDEX_ITEMS_MAX + 1];
	struct index_done done;
};

/* ---- putting ----------------------------------------------------------------------- */

static enum store_outcome put(struct run *run, uint64_t upto)
{
	for (size_t i = 0; i < run->done.count; i++)
		run->docs[i].terms =
			str_first(str_skip(buf_str(&run->words), run->starts[i]),
				  run->starts[i + 1] - run->starts[i]);
	run->done.docs = run->docs;
	run->done.upto = upto;
	enum store_outcome outcome =
		store_index_put(run->indexd->store, run->work.account, &run->done);

	run->done = (struct index_done){.from = upto};
	buf_reset(&run->words);
	return outcome;
}

/* Its words; without the octets that have brought such a process down before. */
static bool find_plain_words(struct run *run, struct str trace, struct str body)
{
	uint64_t key = (uint64_t)crc32c(CRC_SEED, body) << 32 | (uint32_t)body.len;

	if (panic_is_poison(key))
		return false;
	panic_begin("index", key);
	terms_reset(run->terms);
	bool found = terms_add_message(run->terms, trace, body);

	panic_end();
	return found;
}

/* A message whose documents cannot be read now is looked at by those who search. */
static bool find_words(struct run *run, struct str trace, struct str body)
{
	const struct indexd *indexd = run->indexd;
	struct extract *extract =
		indexd->are_attachments_searched ? indexd->extract : NULL;

	return find_plain_words(run, trace, body) &&
	       terms_add_attached(run->terms, extract, body,
				  deadline_s(ATTACHED_WAIT_S)) == ATTACHED_DONE;
}

static enum store_outcome take_in(struct run *run, const struct index_item *item,
				  struct str body)
{
	size_t start = run->words.len;

	if (!find_words(run, item->trace, body)) {
		run->done.left_out++;
		return STORE_OK;
	}
	/* No longer than what one message may have: the buffer has room for it. */
	if (!terms_write(run->terms, &run->words)) {
		buf_cut(&run->words, start);
		run->words.failed = false;
		run->done.left_out++;
		return STORE_OK;
	}
	size_t at = run->done.count++;

	run->docs[at] = (struct index_doc){.message = item->message};
	run->starts[at] = start;
	run->starts[at + 1] = run->words.len;
	return run->words.len > INDEX_PUT_BYTES - TERMS_BYTES_MAX / 2
		       ? put(run, item->message)
		       : STORE_OK;
}

/* ---- bodies ------------------------------------------------------------------------ */

static bool hold(void *arg, struct str piece)
{
	struct buf *body = arg;

	buf_add(body, str_first(piece, SEARCH_BODY_MAX - body->len));
	return body->len < SEARCH_BODY_MAX;
}

/* What is gone or damaged has no words; anything else stops the work. */
static enum store_outcome take_read(struct run *run, const struct index_item *item,
				    const struct buf *body, enum store_outcome outcome)
{
	if (outcome == STORE_OK)
		return take_in(run, item, buf_str(body));
	if (outcome == STORE_DAMAGED || outcome == STORE_INVALID)
		run->done.left_out++;
	return outcome == STORE_UNAVAILABLE || outcome == STORE_DENIED ? outcome
								       : STORE_OK;
}

static enum store_outcome take_long(struct run *run, const struct index_item *item)
{
	SCOPED(buf_fini) struct buf body = BUF(BODY_HELD_MAX);
	enum store_outcome outcome =
		store_body_each(run->indexd->store, run->work.account,
				MESSAGE_REF(item->message), hold, &body);

	return take_read(run, item, &body, outcome);
}

/* Several at once; what was too long for that by itself. */
static enum store_outcome take_some(struct run *run, const struct index_item *items,
				    size_t count)
{
	struct message_ref refs[TOGETHER];
	enum store_outcome outcomes[TOGETHER];

	for (size_t i = 0; i < count; i++) {
		refs[i] = MESSAGE_REF(items[i].message);
		buf_reset(&run->bodies[i]);
	}
	enum store_outcome outcome = store_bodies(run->indexd->store, run->work.account,
						  refs, count, run->bodies, outcomes);

	for (size_t i = 0; i < count && outcome == STORE_OK; i++)
		outcome =
			outcomes[i] == STORE_INVALID
				? take_long(run, &items[i])
				: take_read(run, &items[i], &run->bodies[i], outcomes[i]);
	return outcome;
}

/* ---- the work ---------------------------------------------------------------------- */

static enum store_outcome work(struct run *run)
{
	const struct index_work *work = &run->work;
	enum store_outcome outcome = STORE_OK;

	run->done = (struct index_done){.from = work->from};
	buf_reset(&run->words);
	for (size_t at = 0; at < work->count && outcome == STORE_OK; at += TOGETHER)
		outcome = take_some(run, work->items + at,
				    (size_t)num_min(TOGETHER, work->count - at));
	if (outcome == STORE_OK && run->done.from < work->upto)
		outcome = put(run, work->upto);
	return outcome;
}

static void run_fini(struct run *run)
{
	arena_fini(&run->arena);
	terms_free(&run->terms);
	buf_fini(&run->words);
	for (size_t i = 0; i < TOGETHER; i++)
		buf_fini(&run->bodies[i]);
	mem_free(run);
}

static struct run *run_new(const struct indexd *indexd)
{
	struct run *run = NEW(struct run);

	run->indexd = indexd;
	run->terms = terms_new();
	run->words = BUF(INDEX_PUT_BYTES + 64 * 1024);
	for (size_t i = 0; i < TOGETHER; i++)
		run->bodies[i] = BUF(BODY_HELD_MAX);
	arena_init(&run->arena, WORK_ARENA_BYTES);
	return run;
}

void indexd_task(void *arg)
{
	struct run *run = run_new(arg);
	err_t err = OK;

	while (err == OK && !task_is_canceled()) {
		arena_reset(&run->arena);
		enum store_outcome outcome =
			store_index_take(run->indexd->store, &run->arena, &run->work);

		if (outcome == STORE_OK && run->work.account != 0)
			outcome = work(run);
		if (outcome == STORE_FULL || outcome == STORE_ABSENT)
			err = task_sleep_ms(RETRY_MS);
		else if (outcome != STORE_OK)
			err = task_sleep_ms(SOON_MS);
	}
	run_fini(run);
}
