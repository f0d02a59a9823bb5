#include "imap/narrow.h"

#include "search/terms.h"
#include "store/search.h"

enum { ANSWER_BYTES = 32 << 20 };

void narrow_fini(struct narrow *narrow)
{
	for (size_t i = 0; i < narrow->count; i++) {
		uids_fini(&narrow->texts[i].sure);
		uids_fini(&narrow->texts[i].perhaps);
		scores_fini(&narrow->texts[i].scores);
	}
}

static bool is_sorted_out_by_class(const struct imap_search_key *key)
{
	return key->kind != IMAP_SEARCH_HEADER ||
	       search_class_of(key->field) != SEARCH_FIELDS;
}

unsigned narrow_classes(const struct imap_search_key *key)
{
	if (key->kind == IMAP_SEARCH_TEXT)
		return (1u << SEARCH_CLASSES) - 1;
	return key->kind == IMAP_SEARCH_BODY ? 1u << SEARCH_BODY
					     : 1u << search_class_of(key->field);
}

/* False if nothing is known. */
static bool ask(struct session *s, const struct imap_search_key *key, struct fuzzy *fuzzy,
		struct arena *arena, struct store_candidates *found)
{
	struct store_find find = {.mailbox = s->box.mailbox,
				  .classes = narrow_classes(key),
				  .text = str_first(key->text, SEARCH_TERM_MAX),
				  .is_fuzzy = fuzzy};

	if (key->text.len == 0 || store_search(session_store(s), s->box.account, &find,
					       arena, found) != STORE_OK)
		return false;
	if (found->weights.len != (fuzzy ? fuzzy->count : 0))
		return false;
	for (size_t i = 0; i < found->weights.len; i++)
		fuzzy->words[i].weight = (uint8_t)found->weights.ptr[i];
	return true;
}

void narrow_weigh(struct session *s, const struct imap_search_key *key,
		  struct fuzzy *fuzzy)
{
	SCOPED(arena_fini) struct arena arena;
	struct store_candidates found;

	arena_init(&arena, ANSWER_BYTES);
	(void)ask(s, key, fuzzy, &arena, &found); /* or all weigh the same */
}

/* False if the store has not said one of each. */
static bool take_scores(struct narrowed *text, struct str scores)
{
	if (uids_total(&text->sure) != scores.len)
		return false;
	for (size_t i = 0; i < text->sure.count; i++) {
		struct imap_range range = text->sure.list[i];

		for (uint64_t uid = range.first; uid <= range.last; uid++) {
			unsigned score = (unsigned char)*scores.ptr;

			scores = str_skip(scores, 1);
			if (score < 1 || score > 100)
				return false;
			scores_set(&text->scores, (uint32_t)uid, score);
		}
	}
	return true;
}

static void all_perhaps(struct narrowed *text)
{
	for (size_t i = 0; i < text->sure.count; i++)
		uids_add(&text->perhaps, text->sure.list[i].first,
			 text->sure.list[i].last);
	uids_sort(&text->perhaps);
	uids_clear(&text->sure);
}

void narrow_ask(struct narrow *narrow, struct session *s, struct imap_search_key *key,
		struct fuzzy *fuzzy)
{
	SCOPED(arena_fini) struct arena arena;
	struct store_candidates found;

	key->number = 0;
	arena_init(&arena, ANSWER_BYTES);
	if (narrow->count == NARROW_MAX || !ask(s, key, fuzzy, &arena, &found))
		return;
	struct narrowed *text = &narrow->texts[narrow->count++];

	key->number = (int64_t)narrow->count;
	narrow->below = s->box.uid_next;
	uids_copy(&text->sure, found.sure);
	uids_copy(&text->perhaps, found.perhaps);
	if (!is_sorted_out_by_class(key) || (fuzzy && !take_scores(text, found.scores)))
		all_perhaps(text);
}

static const struct narrowed *narrowed_of(const struct narrow *narrow,
					  const struct imap_search_key *key)
{
	bool is_text = key->kind == IMAP_SEARCH_HEADER || key->kind == IMAP_SEARCH_BODY ||
		       key->kind == IMAP_SEARCH_TEXT;

	return is_text && key->number > 0 ? &narrow->texts[key->number - 1] : NULL;
}

enum narrow_answer narrow_tells(const struct narrow *narrow,
				const struct imap_search_key *key, uint32_t uid)
{
	const struct narrowed *text = narrowed_of(narrow, key);

	if (!text || uid >= narrow->below || uids_has(&text->perhaps, uid))
		return NARROW_OPEN;
	return uids_has(&text->sure, uid) ? NARROW_YES : NARROW_NO;
}

unsigned narrow_score(const struct narrow *narrow, const struct imap_search_key *key,
		      uint32_t uid)
{
	return scores_of(&narrowed_of(narrow, key)->scores, uid);
}

bool narrow_is_whole(const struct narrow *narrow, const struct imap_search_key *key)
{
	return narrowed_of(narrow, key);
}

bool narrow_leave(const struct narrow *narrow, const struct imap_search_key *key,
		  struct uids *uids)
{
	SCOPED(uids_fini) struct uids can = {0};
	const struct narrowed *text = narrowed_of(narrow, key);

	if (!text)
		return false;
	for (size_t i = 0; i < text->sure.count; i++)
		uids_add(&can, text->sure.list[i].first, text->sure.list[i].last);
	for (size_t i = 0; i < text->perhaps.count; i++)
		uids_add(&can, text->perhaps.list[i].first, text->perhaps.list[i].last);
	uids_sort(&can);
	uids_intersect(uids, &can);
	return true;
}

void narrow_open(const struct narrow *narrow, struct uids *uids)
{
	for (size_t i = 0; i < narrow->count; i++) {
		const struct uids *perhaps = &narrow->texts[i].perhaps;

		for (size_t at = 0; at < perhaps->count; at++)
			uids_add(uids, perhaps->list[at].first, perhaps->list[at].last);
	}
	uids_sort(uids);
}
