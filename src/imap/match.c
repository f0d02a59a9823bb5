#include "imap/match.h"

#include <stdio.h>

#include "base/mem.h"
#include "imap/cost.h"
#include "imap/mailboxes.h"
#include "imap/recent.h"
#include "rt/clock.h"
#include "store/digest.h"
#include "text/casemap.h"
#include "text/charset.h"

enum {
	TEXT_MAX = 64 << 20,
	GAP_ROWS = 200,
	GAP_DIGESTS = 8,
	DAY_S = 86400,
	/* What a message is worth to a key: from 1 to 100 to a FUZZY one that it matches;
	 * this much where it just matches, which says nothing. */
	WORTH_EXACT = 101,
};

/* Which messages a set names is settled now (RFC 5267 §4.3), but UIDs also name those
 * that come later. */
static bool lasting_set(struct match *match, const struct imap_search_key *key,
			struct imap_sequence_set *set)
{
	const struct imap_sequence_set *said = &key->set;
	bool has_later = key->kind == IMAP_SEARCH_UID && !said->is_saved;
	size_t more = has_later ? said->count : 0;
	struct imap_range *list =
		ARENA_ARRAY(match->arena, struct imap_range, set->count + more + 1);

	if (!list)
		return false;
	if (set->count > 0)
		memcpy(list, set->ranges, set->count * sizeof *list);
	if (more > 0)
		memcpy(list + set->count, said->ranges, more * sizeof *list);
	size_t count = set->count + more;

	if (has_later && said->star_from != 0 && said->star_from != UINT32_MAX)
		list[count++] = (struct imap_range){said->star_from, UINT32_MAX};
	*set = (struct imap_sequence_set){.ranges = list,
					  .count = imap_ranges_normalise(list, count)};
	return true;
}

static bool prepare_set(struct match *match, struct imap_search_key *key,
			const char **reason)
{
	struct imap_range *list;
	size_t count;

	*reason = UID_REQUIRED; /* RFC 9586 §3.5 */
	if (key->kind == IMAP_SEARCH_SEQUENCE && !key->set.is_saved &&
	    match->s->is_uid_only)
		return false;
	*reason = "";
	if (selected_uids(match->s, &key->set,
			  key->kind == IMAP_SEARCH_UID ? BY_UID : BY_NUMBER_THERE, &list,
			  &count, reason) != SELECTED_OK)
		return false;
	struct imap_sequence_set now = {.ranges = list, .count = count};

	if (match->is_lasting && !lasting_set(match, key, &now)) {
		*reason = "the set of messages is too long";
		return false;
	}
	key->set = now;
	return true;
}

static bool prepare_text(struct match *match, struct imap_search_key *key)
{
	struct str text = key->text;

	buf_reset(&match->text);
	if (match->charset.len > 0) {
		(void)charset_add_utf8(&match->text, match->charset, text);
		text = buf_str(&match->text);
	}
	buf_reset(&match->mapped);
	casemap_add(&match->mapped, text);
	return arena_copy(match->arena, buf_str(&match->mapped), &key->text);
}

/* The key is a FUZZY text from here on, if that has words; else it is looked for as it
 * is (RFC 6203 §5). */
static struct fuzzy *prepare_fuzzy(struct match *match, struct imap_search_key *key)
{
	MEM_ROOM(match->fuzzies, match->fuzzy_count, match->fuzzy_room);
	struct fuzzy *fuzzy = &match->fuzzies[match->fuzzy_count];

	fuzzy_make(fuzzy, key->text, narrow_classes(key));
	if (fuzzy->count == 0)
		return NULL;
	key->flag = (unsigned)++match->fuzzy_count;
	return fuzzy;
}

static void prepare_answer(struct match *match, struct imap_search_key *key)
{
	struct fuzzy *fuzzy = key->is_fuzzy ? prepare_fuzzy(match, key) : NULL;

	key->number = 0;
	key->is_fuzzy = fuzzy;
	if (!match->is_lasting) /* what comes later is not told */
		narrow_ask(&match->narrow, match->s, key, fuzzy);
	else if (fuzzy && match->is_scored)
		narrow_weigh(match->s, key, fuzzy);
}

static bool is_text(const struct imap_search_key *key)
{
	return key->kind == IMAP_SEARCH_HEADER || key->kind == IMAP_SEARCH_BODY ||
	       key->kind == IMAP_SEARCH_TEXT;
}

static bool prepare(struct match *match, struct imap_search_key *key, const char **reason)
{
	for (struct imap_search_key *child = key->child; child; child = child->next) {
		if (!prepare(match, child, reason))
			return false;
	}
	if (key->kind == IMAP_SEARCH_AND || key->kind == IMAP_SEARCH_OR)
		cost_sort(&match->narrow, key);
	if (key->kind == IMAP_SEARCH_SEQUENCE || key->kind == IMAP_SEARCH_UID)
		return prepare_set(match, key, reason);
	if (key->kind == IMAP_SEARCH_OLDER || key->kind == IMAP_SEARCH_YOUNGER)
		key->number = clock_s() - key->number; /* RFC 5032 §2 */
	if (is_text(key)) {
		*reason = "the search text is too long";
		if (!prepare_text(match, key))
			return false;
		prepare_answer(match, key);
	}
	return true;
}

static bool init(struct match *match, struct imap_search_key *key, const char **reason)
{
	match->key = key;
	match->text = match->mapped = BUF(TEXT_MAX);
	message_init(&match->message, match->s);
	search_text_init(&match->texts);
	documents_init(&match->documents);
	arena_init(&match->page, IMAP_PAGE_MAX);
	if (!prepare(match, key, reason))
		return false;
	match->columns = cost_columns(&match->narrow, key, false);
	match->open_columns = cost_columns(&match->narrow, key, true);
	narrow_open(&match->narrow, &match->open);
	return true;
}

bool match_init(struct match *match, struct session *s, struct match_for what,
		const char **reason)
{
	struct imap_search_key *key = what.key;

	*match = (struct match){.s = s,
				.arena = &s->scratch,
				.charset = what.charset,
				.is_scored = what.is_scored};
	if (!init(match, key, reason))
		return false;
	if (key->child && cost_of(&match->narrow, key->child, true) ==
				  FROM_BODY) /* nothing cheaper decides */
		match->ahead =
			ahead_new(session_store(s), s->box.account, s->box.mailbox);
	match->message.ahead = match->ahead;
	return true;
}

bool match_init_lasting(struct match *match, struct session *s, struct arena *arena,
			struct match_for what, const char **reason)
{
	*match = (struct match){.s = s,
				.arena = arena,
				.is_lasting = true,
				.charset = what.charset,
				.is_scored = what.is_scored};
	return init(match, what.key, reason);
}

void match_rest(struct match *match)
{
	buf_release(&match->text);
	buf_release(&match->mapped);
	message_fini(&match->message);
	message_init(&match->message, match->s);
	search_text_fini(&match->texts);
	search_text_init(&match->texts);
	documents_rest(&match->documents);
	arena_reset(&match->page);
}

void match_fini(struct match *match)
{
	ahead_free(&match->ahead);
	message_fini(&match->message);
	buf_fini(&match->text);
	buf_fini(&match->mapped);
	search_text_fini(&match->texts);
	documents_fini(&match->documents);
	narrow_fini(&match->narrow);
	mem_free(match->fuzzies);
	uids_fini(&match->open);
	arena_fini(&match->page);
}

/* Those that can match at all. */
static void find_bounds(const struct match *match, struct uids *uids)
{
	uint32_t first = 1, last = match->s->box.uid_next - 1;
	const struct imap_search_key *all =
		match->key->kind == IMAP_SEARCH_AND ? match->key->child : NULL;

	for (const struct imap_search_key *key = all; key; key = key->next) {
		if (key->kind != IMAP_SEARCH_SEQUENCE && key->kind != IMAP_SEARCH_UID)
			continue;
		if (key->set.count == 0)
			return; /* none can */
		first = (uint32_t)num_max(first, key->set.ranges[0].first);
		last = (uint32_t)num_min(last, key->set.ranges[key->set.count - 1].last);
	}
	if (first <= last)
		uids_add(uids, first, last);
	for (const struct imap_search_key *key = all; key; key = key->next)
		(void)narrow_leave(&match->narrow, key, uids);
}

/* Where they are not far apart, with those between them: to read their rows costs less
 * than to ask again. */
static void widen(struct uids *uids, uint32_t gap)
{
	size_t kept = 0;

	for (size_t i = 0; i < uids->count; i++) {
		struct imap_range range = uids->list[i];

		if (kept > 0 && range.first - uids->list[kept - 1].last <= gap)
			uids->list[kept - 1].last = range.last;
		else
			uids->list[kept++] = range;
	}
	uids->count = kept;
}

void match_bounds(struct match *match, struct uids *uids)
{
	find_bounds(match, uids);
	if (match->narrow.count == 0)
		return;
	uids_intersect(&match->open, uids);
	match->walk = walk_beside(match->s, &match->page, match->open.list,
				  match->open.count, match->open_columns);
	match->walked = match->asked = 0;
	match->is_alone = false;
	widen(uids, match->columns & ROW_DIGEST ? GAP_DIGESTS : GAP_ROWS);
}

uint64_t match_looks(const struct match *match, const struct uids *bounds)
{
	return uids_total(match->narrow.count > 0 ? &match->open : bounds);
}

/* Those that are open, from that one on. */
static struct walk open_from(struct match *match, uint32_t uid)
{
	const struct uids *open = &match->open;
	size_t at = 0;

	while (open->list[at].last < uid)
		at++;
	struct walk walk = walk_beside(match->s, &match->page, open->list + at,
				       open->count - at, match->open_columns);

	walk.next = uid;
	return walk;
}

/* The row with all that it takes to look at the message, and those that come next of
 * which the same is true.  NULL if it is gone: then the walk beside stands at one that
 * comes later, and stays there. */
static const struct message_row *open_row(struct match *match, uint32_t uid,
					  size_t *count)
{
	const struct message_row *row;
	bool was_alone = match->is_alone;

	match->is_alone = !uids_has(&match->open, uid); /* it came later */
	if (match->is_alone) {
		match->alone = (struct imap_range){uid, uid};
		match->walk = walk_beside(match->s, &match->page, &match->alone, 1,
					  match->open_columns);
		match->walked = 0;
	} else if (was_alone || uid < match->asked) { /* backwards */
		match->walk = open_from(match, uid);
		match->walked = 0;
	}
	match->asked = uid;
	while (match->walked < uid && (row = walk_next(&match->walk)))
		match->walked = row->uid;
	if (match->walk.outcome != STORE_OK)
		match->outcome = match->walk.outcome;
	return match->walked == uid ? walk_page(&match->walk, count) : NULL;
}

static bool has_keyword(const struct message_row *row, struct str word)
{
	for (size_t i = 0; i < row->keywords.count; i++) {
		if (str_same_nocase(row->keywords.words[i], word))
			return true;
	}
	return false;
}

/* As MESSAGE_ID and THREAD_ID have them. */
static bool is_object_id(struct str id, char letter, uint64_t number)
{
	char text[24];
	int len =
		snprintf(text, sizeof text, "%c%llu", letter, (unsigned long long)number);

	return str_same(id, (struct str){text, (size_t)len});
}

/* The day on the calendar of the zone it was written in: time and zone are disregarded
 * (RFC 9051 §6.4.4). */
static int64_t day_of(int64_t at_s, int zone_minutes)
{
	int64_t local = at_s + (int64_t)zone_minutes * 60;

	return local >= 0 ? local / DAY_S : -((-local + DAY_S - 1) / DAY_S);
}

/* What is gone or damaged holds nothing; the other messages are searched. */
static bool found(struct match *match, enum store_outcome outcome)
{
	if (outcome != STORE_OK && outcome != STORE_ABSENT && outcome != STORE_DAMAGED)
		match->outcome = outcome;
	return outcome == STORE_OK;
}

/* The day of the Date field; false if there is none to be read. */
static bool sent_day(struct match *match, int64_t *day)
{
	struct message *m = &match->message;

	if (!found(match, message_envelope(m)) || !m->envelope.has_date)
		return false;
	*day = day_of(m->envelope.date.unix_s, m->envelope.date.zone_minutes);
	return true;
}

/* An empty text is in every one. */
static bool holds_text(void *arg, struct str field, struct str mapped)
{
	const struct str *text = arg;

	(void)field;
	return text->len == 0 || str_find(mapped, *text) < mapped.len;
}

static bool header_holds(struct match *match, struct str name, struct str text)
{
	struct message *m = &match->message;

	return found(match, message_header(m)) &&
	       (search_fields(&match->texts, m->row->trace, name, holds_text, &text) ||
		search_fields(&match->texts, m->header, name, holds_text, &text));
}

/* All parts of text, the headers of messages inside, and attached documents of the kinds
 * that we read (RFC 9051 §6.4.4: those that are no text need not be decoded). */
static bool body_holds(struct match *match, struct str text)
{
	struct message *m = &match->message;

	return text.len == 0 ||
	       (found(match, message_structure(m)) &&
		found(match, message_hold(m, SEARCH_BODY_MAX)) &&
		(search_body(&match->texts, buf_str(&m->body), m->root, holds_text,
			     &text) ||
		 holds_text(&text, STR(""),
			    documents_texts(&match->documents, &match->texts, m))));
}

struct fuzzy_look {
	const struct fuzzy *fuzzy;
	struct fuzzy_fit fit;
	bool in_body;
};

/* In the same classes as search/terms.h has the words for the index. */
static bool look_fuzzily(void *arg, struct str field, struct str mapped)
{
	struct fuzzy_look *look = arg;

	fuzzy_text(look->fuzzy, look->in_body ? SEARCH_BODY : search_class_of(field),
		   mapped, &look->fit);
	return false;
}

static unsigned worth_looked(struct match *match, const struct imap_search_key *key)
{
	struct fuzzy_look look = {.fuzzy = &match->fuzzies[key->flag - 1]};
	struct message *m = &match->message;
	struct str name = key->kind == IMAP_SEARCH_HEADER ? key->field : STR("");

	if (key->kind != IMAP_SEARCH_BODY && found(match, message_header(m))) {
		(void)search_fields(&match->texts, m->row->trace, name, look_fuzzily,
				    &look);
		(void)search_fields(&match->texts, m->header, name, look_fuzzily, &look);
	}
	look.in_body = true;
	if (key->kind != IMAP_SEARCH_HEADER && found(match, message_structure(m)) &&
	    found(match, message_hold(m, SEARCH_BODY_MAX))) {
		(void)search_body(&match->texts, buf_str(&m->body), m->root, look_fuzzily,
				  &look);
		(void)look_fuzzily(&look, STR(""),
				   documents_texts(&match->documents, &match->texts, m));
	}
	return fuzzy_score(look.fuzzy, &look.fit);
}

static bool text_holds(struct match *match, const struct imap_search_key *key)
{
	if (key->kind == IMAP_SEARCH_BODY)
		return body_holds(match, key->text);
	if (key->kind == IMAP_SEARCH_HEADER)
		return header_holds(match, key->field, key->text);
	return header_holds(match, STR(""), key->text) || body_holds(match, key->text);
}

/* As the index knows, or the message itself. */
static unsigned worth_of_text(struct match *match, const struct imap_search_key *key)
{
	uint32_t uid = match->message.row->uid;

	switch (narrow_tells(&match->narrow, key, uid)) {
	case NARROW_NO:
		return 0;
	case NARROW_YES:
		return key->is_fuzzy ? narrow_score(&match->narrow, key, uid)
				     : WORTH_EXACT;
	case NARROW_OPEN:
		break;
	}
	if (key->is_fuzzy)
		return worth_looked(match, key);
	return text_holds(match, key) ? WORTH_EXACT : 0;
}

static bool holds(struct match *match, const struct imap_search_key *key)
{
	const struct message_row *row = match->message.row;
	int64_t arrived = day_of(row->received_at, row->received_zone), sent;
	int64_t saved = day_of(row->saved_at, 0);

	switch (key->kind) {
	case IMAP_SEARCH_SEQUENCE:
	case IMAP_SEARCH_UID:
		return imap_sequence_set_has(&key->set, row->uid);
	case IMAP_SEARCH_FLAG:
		return row->flags & key->flag;
	case IMAP_SEARCH_MODSEQ:
		return row->modseq >= (uint64_t)key->number;
	case IMAP_SEARCH_KEYWORD:
		return has_keyword(row, key->text);
	case IMAP_SEARCH_RECENT:
		return recent_is(match->s, row->uid);
	case IMAP_SEARCH_NEW:
		return recent_is(match->s, row->uid) && !(row->flags & FLAG_SEEN);
	case IMAP_SEARCH_EMAILID:
		return is_object_id(key->text, 'M', row->message);
	case IMAP_SEARCH_THREADID:
		return is_object_id(key->text, 'T', row->thread);
	case IMAP_SEARCH_LARGER:
		return row->size > (uint64_t)key->number;
	case IMAP_SEARCH_SMALLER:
		return row->size < (uint64_t)key->number;
	case IMAP_SEARCH_BEFORE:
		return arrived < key->number;
	case IMAP_SEARCH_ON:
		return arrived == key->number;
	case IMAP_SEARCH_SINCE:
		return arrived >= key->number;
	case IMAP_SEARCH_OLDER:
		return row->received_at <= key->number;
	case IMAP_SEARCH_YOUNGER:
		return row->received_at >= key->number;
	case IMAP_SEARCH_SAVED_BEFORE:
		return saved < key->number;
	case IMAP_SEARCH_SAVED_ON:
		return saved == key->number;
	case IMAP_SEARCH_SAVED_SINCE:
		return saved >= key->number;
	case IMAP_SEARCH_SENT_BEFORE:
		return sent_day(match, &sent) && sent < key->number;
	case IMAP_SEARCH_SENT_ON:
		return sent_day(match, &sent) && sent == key->number;
	case IMAP_SEARCH_SENT_SINCE:
		return sent_day(match, &sent) && sent >= key->number;
	case IMAP_SEARCH_AND: /* these are worth_of()'s */
	case IMAP_SEARCH_OR:
	case IMAP_SEARCH_NOT:
	case IMAP_SEARCH_HEADER:
	case IMAP_SEARCH_BODY:
	case IMAP_SEARCH_TEXT:
		break;
	}
	return false;
}

static unsigned worth_of(struct match *match, const struct imap_search_key *key);

/* What it is worth to those that can say; each of them counts the same. */
static unsigned worth_of_all(struct match *match, const struct imap_search_key *key)
{
	unsigned sum = 0, count = 0;

	for (key = key->child; key; key = key->next) {
		unsigned worth = worth_of(match, key);

		if (worth == 0)
			return 0;
		sum += worth != WORTH_EXACT ? worth : 0;
		count += worth != WORTH_EXACT;
	}
	return count > 0 ? sum / count : WORTH_EXACT;
}

/* The most that it is worth to any; where one just matches, the others say nothing. */
static unsigned worth_of_any(struct match *match, const struct imap_search_key *key)
{
	unsigned most = 0;

	for (key = key->child; key; key = key->next) {
		unsigned worth = worth_of(match, key);

		most = worth > most ? worth : most;
		if (most == WORTH_EXACT || (most > 0 && !match->is_scored))
			break;
	}
	return most;
}

/* 0 if it does not match. */
static unsigned worth_of(struct match *match, const struct imap_search_key *key)
{
	if (key->kind == IMAP_SEARCH_AND)
		return worth_of_all(match, key);
	if (key->kind == IMAP_SEARCH_OR)
		return worth_of_any(match, key);
	if (key->kind == IMAP_SEARCH_NOT)
		return worth_of(match, key->child) > 0 ? 0 : WORTH_EXACT;
	if (is_text(key))
		return worth_of_text(match, key);
	return holds(match, key) ? WORTH_EXACT : 0;
}

bool match_row(struct match *match, const struct message_row *page, size_t count)
{
	bool is_open = match->narrow.count > 0 && (page->uid >= match->narrow.below ||
						   uids_has(&match->open, page->uid));

	if (is_open && match->columns != match->open_columns) {
		page = open_row(match, page->uid, &count);
		match->looked++;
		if (!page)
			return false;
	} else if (match->narrow.count == 0 || is_open) {
		match->looked++;
	}
	if (match->ahead && (is_open || match->narrow.count == 0))
		ahead_want(match->ahead, page, count);
	message_turn(&match->message, page);
	documents_turn(&match->documents);
	unsigned worth = worth_of(match, match->key);

	match->score = worth < WORTH_EXACT ? worth : 100;
	return worth > 0;
}
