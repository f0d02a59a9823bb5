#include "imap/find.h"

#include "imap/limit.h"
#include "imap/sorting.h"
#include "text/charset.h"

enum {
	SORT_KEYS_MAX = 128 << 20, /* a million messages have room */
	WINDOW_FIRST = 1000,       /* UIDs */
	WINDOW_GROWTH = 4,
};

struct str find_charset(const struct imap_search *search)
{
	struct str charset = search->charset;
	bool is_utf8 = str_same_nocase(charset, STR("UTF-8")) ||
		       str_same_nocase(charset, STR("US-ASCII"));

	return is_utf8 ? STR("") : charset;
}

/* False if the command has been answered. */
static bool knows_charset(struct session *s, const struct imap_command *command,
			  struct str charset, err_t *err)
{
	/* RFC 6855 §3; SORT and THREAD cannot do without. */
	bool is_search = command->verb == IMAP_SEARCH || command->verb == IMAP_ESEARCH;

	if (s->is_utf8 && is_search && command->search.charset.len > 0) {
		*err = reply_bad(s, command,
				 "with UTF8=ACCEPT there is no other charset");
		return false;
	}
	if (charset.len == 0 || charset_is_known(charset))
		return true;
	uids_clear(&s->box.saved);
	*err = reply_no(s, command,
			"[BADCHARSET (US-ASCII UTF-8)] That charset is not known; use "
			"UTF-8");
	return false;
}

/* RFC 9738 §3: of a SEARCH the messages that are looked at count. */
static enum store_outcome limit_bounds(struct find *find)
{
	struct imap_range *list = find->bounds.list;
	size_t count = find->bounds.count;
	enum store_outcome outcome = limit_ranges(find->match.s, &list, &count);

	if (outcome != STORE_OK || find->match.s->limited_uid == 0)
		return outcome;
	uids_clear(&find->bounds);
	for (size_t i = 0; i < count; i++)
		uids_add(&find->bounds, list[i].first, list[i].last);
	return STORE_OK;
}

bool find_begin(struct find *find, struct session *s, const struct imap_command *command,
		err_t *err)
{
	const struct imap_search *search = &command->search;
	struct str charset = find_charset(search);
	const char *reason = "";
	enum store_outcome outcome = STORE_OK;

	*find = (struct find){.match = {.s = s},
			      .progress = inprogress_begin(s, command)};
	if (!knows_charset(s, command, charset, err))
		return false;
	if (search->has_modseq)
		session_condstore(s);
	struct match_for what = {search->key, charset, imap_search_by_relevancy(search)};
	bool is_ready = match_init(&find->match, s, what, &reason);

	if (!is_ready && reason[0] != '\0') {
		*err = reply_bad(s, command, "%s", reason);
		return false;
	}
	if (is_ready && !command->is_uid)
		outcome = selected_number(s);
	if (is_ready)
		match_bounds(&find->match, &find->bounds);
	if (is_ready && outcome == STORE_OK && command->verb == IMAP_SEARCH)
		outcome = limit_bounds(find);
	if (!is_ready || outcome != STORE_OK) {
		*err = reply_bye(s, "[UNAVAILABLE] The mailbox cannot be read now; "
				    "connect again in a minute");
		return false;
	}
	find->progress.goal = match_looks(&find->match, &find->bounds);
	return true;
}

void find_fini(struct find *find)
{
	match_fini(&find->match);
	uids_fini(&find->bounds);
}

static enum store_outcome find_in(struct find *find, const struct imap_range *list,
				  size_t count, unsigned columns,
				  bool (*take)(void *arg, const struct message_row *row),
				  void *arg)
{
	struct match *match = &find->match;
	SCOPED(walk_fini)
	struct walk walk = walk_through(match->s, list, count, match->columns | columns);

	for (const struct message_row *row;
	     !conn_is_broken(match->s->conn) && (row = walk_next(&walk));) {
		size_t rest;
		const struct message_row *page = walk_page(&walk, &rest);

		if (match_row(match, page, rest) && !take(arg, row))
			break;
		inprogress_step(&find->progress, match->looked);
	}
	return walk.outcome != STORE_OK ? walk.outcome : match->outcome;
}

enum store_outcome find_each(struct find *find, unsigned columns,
			     bool (*take)(void *arg, const struct message_row *row),
			     void *arg)
{
	return find_in(find, find->bounds.list, find->bounds.count, columns, take, arg);
}

struct finding {
	const struct match *match;
	struct found *found;
	size_t left; /* so many are still wanted */
};

static void add_found(struct found *found, const struct match *match,
		      const struct message_row *row)
{
	found->modseq = num_max(found->modseq, row->modseq);
	uids_add(&found->uids, row->uid, row->uid);
	if (match->is_scored)
		scores_set(&found->scores, row->uid, match->score);
}

static bool take_row(void *arg, const struct message_row *row)
{
	struct finding *finding = arg;

	add_found(finding->found, finding->match, row);
	return --finding->left > 0;
}

enum store_outcome find_first(struct find *find, size_t count, struct found *found)
{
	struct finding finding = {&find->match, found, count};

	return find_each(find, 0, take_row, &finding);
}

enum store_outcome find_all(struct find *find, struct found *found)
{
	return find_first(find, SIZE_MAX, found);
}

static void put_before(struct uids *set, const struct uids *front)
{
	struct uids both = {0};

	for (size_t i = 0; i < front->count; i++)
		uids_add(&both, front->list[i].first, front->list[i].last);
	for (size_t i = 0; i < set->count; i++)
		uids_add(&both, set->list[i].first, set->list[i].last);
	uids_fini(set);
	*set = both;
}

/* Backwards in windows that become larger, since the last ones are usually near. */
enum store_outcome find_last(struct find *find, size_t count, struct found *found)
{
	enum store_outcome outcome = STORE_OK;
	uint64_t window = WINDOW_FIRST;

	if (find->bounds.count == 0)
		return STORE_OK;
	uint32_t first = find->bounds.list[0].first;
	uint32_t last = find->bounds.list[find->bounds.count - 1].last;

	while (outcome == STORE_OK && found_count(found) < count && last >= first) {
		SCOPED(found_fini) struct found part = {0};
		struct finding finding = {&find->match, &part, SIZE_MAX};
		uint32_t low =
			last - first >= window ? (uint32_t)(last - window + 1) : first;
		struct imap_range range = {low, last};

		outcome = find_in(find, &range, 1, 0, take_row, &finding);
		put_before(&found->uids, &part.uids);
		scores_put_before(&found->scores, &part.scores);
		found->modseq = num_max(found->modseq, part.modseq);
		last = low - 1;
		window *= WINDOW_GROWTH;
	}
	return outcome;
}

struct sorted {
	const struct match *match;
	struct found *found;
	struct sorting sorting;
	bool is_full;
};

static bool take_to_sort(void *arg, const struct message_row *row)
{
	struct sorted *sorted = arg;

	add_found(sorted->found, sorted->match, row);
	sorted->is_full = !sorting_add(&sorted->sorting, row);
	return !sorted->is_full;
}

enum store_outcome find_sorted(struct find *find, const struct imap_sort *by,
			       struct found *found)
{
	struct sorted sorted = {.match = &find->match, .found = found};

	order_init(&found->order, by, SORT_KEYS_MAX);
	found->is_sorted = true;
	sorted.sorting = sorting_over(find->match.s, &found->order, &found->scores);
	enum store_outcome outcome = find_each(find, ROW_KEYS, take_to_sort, &sorted);

	if (outcome == STORE_OK && sorted.is_full)
		outcome = STORE_INVALID;
	if (outcome == STORE_OK)
		outcome = sorting_add_long(&sorted.sorting);
	sorting_fini(&sorted.sorting);
	if (outcome == STORE_OK)
		order_sort(&found->order, task_yield);
	return outcome;
}

err_t find_failed(struct session *s, const struct imap_command *command,
		  enum store_outcome outcome)
{
	uids_clear(&s->box.saved); /* RFC 5182 §2.1 */
	return reply_store(s, command, outcome);
}
