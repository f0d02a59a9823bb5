#include "wire/imap/search.h"

enum argument {
	NONE,
	ASTRING,
	FIELD,
	KEYWORD,
	OBJECTID,
	DATE,
	NUMBER,
	SECONDS,
	MODSEQ,
	UID_SET,
	UID_AFTER,
	UID_BEFORE,
	ONE_KEY,
	TWO_KEYS
};

/* Each key's name, kind and argument; a negated one is a NOT around it. */
static const struct search_name {
	struct str name;
	enum imap_search_kind kind;
	enum argument argument;
	unsigned flag;
	bool is_negated;
	struct str field;
} names[] = {
	{STR("ALL"), IMAP_SEARCH_AND, NONE},
	{STR("ANSWERED"), IMAP_SEARCH_FLAG, NONE, IMAP_ANSWERED},
	{STR("BCC"), IMAP_SEARCH_HEADER, ASTRING, .field = STR("Bcc")},
	{STR("BEFORE"), IMAP_SEARCH_BEFORE, DATE},
	{STR("BODY"), IMAP_SEARCH_BODY, ASTRING},
	{STR("CC"), IMAP_SEARCH_HEADER, ASTRING, .field = STR("Cc")},
	{STR("DELETED"), IMAP_SEARCH_FLAG, NONE, IMAP_DELETED},
	{STR("DRAFT"), IMAP_SEARCH_FLAG, NONE, IMAP_DRAFT},
	{STR("EMAILID"), IMAP_SEARCH_EMAILID, OBJECTID},
	{STR("FLAGGED"), IMAP_SEARCH_FLAG, NONE, IMAP_FLAGGED},
	{STR("FROM"), IMAP_SEARCH_HEADER, ASTRING, .field = STR("From")},
	{STR("HEADER"), IMAP_SEARCH_HEADER, FIELD},
	{STR("KEYWORD"), IMAP_SEARCH_KEYWORD, KEYWORD},
	{STR("LARGER"), IMAP_SEARCH_LARGER, NUMBER},
	{STR("MODSEQ"), IMAP_SEARCH_MODSEQ, MODSEQ},
	{STR("NEW"), IMAP_SEARCH_NEW, NONE},
	{STR("NOT"), IMAP_SEARCH_NOT, ONE_KEY},
	{STR("OLD"), IMAP_SEARCH_RECENT, NONE, .is_negated = true},
	{STR("OLDER"), IMAP_SEARCH_OLDER, SECONDS},
	{STR("ON"), IMAP_SEARCH_ON, DATE},
	{STR("OR"), IMAP_SEARCH_OR, TWO_KEYS},
	{STR("RECENT"), IMAP_SEARCH_RECENT, NONE},
	{STR("SAVEDATESUPPORTED"), IMAP_SEARCH_AND, NONE}, /* always: as ALL */
	{STR("SAVEDBEFORE"), IMAP_SEARCH_SAVED_BEFORE, DATE},
	{STR("SAVEDON"), IMAP_SEARCH_SAVED_ON, DATE},
	{STR("SAVEDSINCE"), IMAP_SEARCH_SAVED_SINCE, DATE},
	{STR("SEEN"), IMAP_SEARCH_FLAG, NONE, IMAP_SEEN},
	{STR("SENTBEFORE"), IMAP_SEARCH_SENT_BEFORE, DATE},
	{STR("SENTON"), IMAP_SEARCH_SENT_ON, DATE},
	{STR("SENTSINCE"), IMAP_SEARCH_SENT_SINCE, DATE},
	{STR("SINCE"), IMAP_SEARCH_SINCE, DATE},
	{STR("SMALLER"), IMAP_SEARCH_SMALLER, NUMBER},
	{STR("SUBJECT"), IMAP_SEARCH_HEADER, ASTRING, .field = STR("Subject")},
	{STR("TEXT"), IMAP_SEARCH_TEXT, ASTRING},
	{STR("THREADID"), IMAP_SEARCH_THREADID, OBJECTID},
	{STR("TO"), IMAP_SEARCH_HEADER, ASTRING, .field = STR("To")},
	{STR("UID"), IMAP_SEARCH_UID, UID_SET},
	{STR("UIDAFTER"), IMAP_SEARCH_UID, UID_AFTER},
	{STR("UIDBEFORE"), IMAP_SEARCH_UID, UID_BEFORE},
	{STR("UNANSWERED"), IMAP_SEARCH_FLAG, NONE, IMAP_ANSWERED, true},
	{STR("UNDELETED"), IMAP_SEARCH_FLAG, NONE, IMAP_DELETED, true},
	{STR("UNDRAFT"), IMAP_SEARCH_FLAG, NONE, IMAP_DRAFT, true},
	{STR("UNFLAGGED"), IMAP_SEARCH_FLAG, NONE, IMAP_FLAGGED, true},
	{STR("UNKEYWORD"), IMAP_SEARCH_KEYWORD, KEYWORD, .is_negated = true},
	{STR("UNSEEN"), IMAP_SEARCH_FLAG, NONE, IMAP_SEEN, true},
	{STR("YOUNGER"), IMAP_SEARCH_YOUNGER, SECONDS},
};

struct search_in {
	struct imap_in *in;
	bool has_modseq, has_fuzzy;
	unsigned keys_left, depth_left, fuzzy_depth;
};

static struct imap_search_key *search_key(struct search_in *s);

static struct imap_search_key *key_new(struct search_in *s, enum imap_search_kind kind)
{
	struct imap_search_key *key = NULL;

	if (s->keys_left > 0)
		key = ARENA_NEW(s->in->arena, struct imap_search_key);
	if (!key) {
		(void)imap_fail(s->in, "more than %d search keys", IMAP_SEARCH_KEYS_MAX);
		return NULL;
	}
	s->keys_left--;
	key->kind = kind;
	key->is_fuzzy = s->fuzzy_depth > 0;
	return key;
}

/* search-key *(SP search-key), all of which must hold. */
static struct imap_search_key *all_of(struct search_in *s)
{
	struct imap_search_key *all = key_new(s, IMAP_SEARCH_AND);

	if (!all)
		return NULL;
	struct imap_search_key **end = &all->child;

	do {
		*end = search_key(s);
		if (!*end)
			return NULL;
		end = &(*end)->next;
	} while (imap_space(s->in));
	return all;
}

/* [entry-name SP entry-type-req SP] mod-sequence-valzer.  A message has one mod-sequence
 * here, so which flag is meant makes no difference (RFC 7162 §3.1.5). */
static bool modseq(struct search_in *s, struct imap_search_key *key)
{
	struct imap_in *in = s->in;
	struct str entry, type;
	uint64_t number;

	s->has_modseq = true;
	if (cur_sees(in->at, '"') && (!imap_quoted(in, &entry) || !imap_space(in) ||
				      !imap_label(in, &type) || !imap_space(in)))
		return imap_fail_here(in, "an entry and its type are expected");
	if (!imap_number(in, INT64_MAX, &number))
		return imap_fail_here(in, "a mod-sequence is expected");
	key->number = (int64_t)number;
	return true;
}

/* "UIDAFTER 9" is "UID 10:*", "UIDBEFORE 9" is "UID 1:8"; nothing is beyond the ends.
 * RFC 9738 §3.2. */
static bool uids_beside(struct imap_in *in, bool is_after, struct imap_search_key *key)
{
	uint32_t uid;

	if (!imap_nz_number(in, &uid))
		return imap_fail_here(in, "a UID is expected");
	key->set.ranges = ARENA_ARRAY(in->arena, struct imap_range, 2);
	if (!key->set.ranges)
		return imap_fail(in, "too much in one command");
	key->set.ranges[0] = is_after ? (struct imap_range){uid + 1, UINT32_MAX}
				      : (struct imap_range){1, uid - 1};
	key->set.count = uid != (is_after ? UINT32_MAX : 1);
	return true;
}

/* interval = nz-number.  RFC 5032 §3. */
static bool seconds(struct imap_in *in, struct imap_search_key *key)
{
	uint32_t number;

	if (!imap_nz_number(in, &number))
		return imap_fail_here(in, "a number of seconds is expected");
	key->number = number;
	return true;
}

static bool key_argument(struct search_in *s, const struct search_name *name,
			 struct imap_search_key *key)
{
	struct imap_in *in = s->in;
	uint64_t number;

	if (name->argument == NONE)
		return true;
	if (!imap_space(in))
		return imap_fail_here(in, "a search key's argument is missing");
	switch (name->argument) {
	case NONE:
		return true;
	case FIELD:
		if (!imap_astring(in, &key->field) || !imap_space(in))
			return imap_fail_here(in, "a header field is expected");
		return imap_astring(in, &key->text) ||
		       imap_fail_here(in, "a text is expected");
	case ASTRING:
		return imap_astring(in, &key->text) ||
		       imap_fail_here(in, "a text is expected");
	case KEYWORD:
		/* Leniency: it may stand in quotes. */
		return imap_atom(in, &key->text) || imap_quoted(in, &key->text) ||
		       imap_fail_here(in, "a keyword is expected");
	case OBJECTID:
		return imap_atom(in, &key->text) ||
		       imap_fail_here(in, "an object's id is expected");
	case DATE:
		return imap_date(in, &key->number);
	case NUMBER:
		if (!imap_number(in, INT64_MAX, &number))
			return imap_fail_here(in, "a number is expected");
		key->number = (int64_t)number;
		return true;
	case SECONDS:
		return seconds(in, key);
	case MODSEQ:
		return modseq(s, key);
	case UID_SET:
		return imap_sequence_set(in, &key->set);
	case UID_AFTER:
	case UID_BEFORE:
		return uids_beside(in, name->argument == UID_AFTER, key);
	case ONE_KEY:
		key->child = search_key(s);
		return key->child;
	case TWO_KEYS:
		key->child = search_key(s);
		if (!key->child || !imap_space(in))
			return imap_fail_here(in, "OR needs two search keys");
		key->child->next = search_key(s);
		return key->child->next;
	}
	return false;
}

static struct imap_search_key *key_named(struct search_in *s,
					 const struct search_name *name)
{
	struct imap_search_key *around = NULL;

	if (name->is_negated) {
		around = key_new(s, IMAP_SEARCH_NOT);
		if (!around)
			return NULL;
	}
	struct imap_search_key *key = key_new(s, name->kind);

	if (!key)
		return NULL;
	key->flag = name->flag;
	key->field = name->field;
	if (!key_argument(s, name, key))
		return NULL;
	if (!around)
		return key;
	around->child = key;
	return around;
}

static struct imap_search_key *key_set(struct search_in *s)
{
	struct imap_search_key *key = key_new(s, IMAP_SEARCH_SEQUENCE);

	return key && imap_sequence_set(s->in, &key->set) ? key : NULL;
}

static struct imap_search_key *key_group(struct search_in *s)
{
	if (!cur_byte(&s->in->at, '('))
		return NULL;
	struct imap_search_key *key = all_of(s);

	if (key && !cur_byte(&s->in->at, ')')) {
		(void)imap_fail_here(s->in, "a group of search keys does not end");
		return NULL;
	}
	return key;
}

/* search-key =/ "FUZZY" SP search-key.  RFC 6203 §7. */
static struct imap_search_key *key_fuzzy(struct search_in *s)
{
	struct imap_search_key *key;

	if (!imap_space(s->in)) {
		(void)imap_fail_here(s->in, "FUZZY needs a search key");
		return NULL;
	}
	s->has_fuzzy = true;
	s->fuzzy_depth++;
	key = search_key(s);
	s->fuzzy_depth--;
	return key;
}

/* RFC 9051 App. E: IMAP4rev2 has no NEW, OLD and RECENT. */
static bool is_known(const struct search_in *s, const struct search_name *name)
{
	return !s->in->is_rev2 ||
	       (name->kind != IMAP_SEARCH_RECENT && name->kind != IMAP_SEARCH_NEW);
}

static struct imap_search_key *key_by_name(struct search_in *s)
{
	struct str label;

	if (!imap_label(s->in, &label)) {
		(void)imap_fail_here(s->in, "a search key is expected");
		return NULL;
	}
	if (str_same_nocase(label, STR("FUZZY")))
		return key_fuzzy(s);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (str_same_nocase(label, names[i].name) && is_known(s, &names[i]))
			return key_named(s, &names[i]);
	}
	(void)imap_fail(s->in, "unknown search key \"%.*s\"",
			STR_FMT(str_first(label, 40)));
	return NULL;
}

static struct imap_search_key *search_key(struct search_in *s)
{
	struct imap_search_key *key;
	char first = cur_done(s->in->at) ? 0 : *s->in->at.at;

	if (s->depth_left == 0) {
		(void)imap_fail(s->in, "search keys are nested too deep");
		return NULL;
	}
	s->depth_left--;
	if (first == '(')
		key = key_group(s);
	else if (is_ascii_digit((unsigned char)first) || first == '*' || first == '$')
		key = key_set(s);
	else
		key = key_by_name(s);
	s->depth_left++;
	return key;
}

/* modifier-update = "UPDATE" ["(" fetch-att *(SP fetch-att) ")"].  RFC 5465 §8; in its
 * example a space stands between them. */
static bool update_items(struct imap_in *in, struct imap_search *search)
{
	struct cursor from = in->at;

	(void)imap_space(in);
	if (cur_sees(in->at, '('))
		return imap_fetch_list(in, &search->update);
	in->at = from;
	return true;
}

/* search-return-opt, of which PARTIAL has an argument, and UPDATE may have one. */
static bool return_option(struct imap_in *in, struct imap_search *search)
{
	static const struct {
		struct str name;
		unsigned bit;
	} options[] = {
		{STR("MIN"), IMAP_RETURN_MIN},
		{STR("MAX"), IMAP_RETURN_MAX},
		{STR("ALL"), IMAP_RETURN_ALL},
		{STR("COUNT"), IMAP_RETURN_COUNT},
		{STR("SAVE"), IMAP_RETURN_SAVE},
		{STR("PARTIAL"), IMAP_RETURN_PARTIAL},
		{STR("UPDATE"), IMAP_RETURN_UPDATE},
		{STR("CONTEXT"), IMAP_RETURN_CONTEXT},
		{STR("RELEVANCY"), IMAP_RETURN_RELEVANCY},
	};
	struct str name;
	unsigned bit = 0, both = IMAP_RETURN_PARTIAL | IMAP_RETURN_ALL;

	if (!imap_label(in, &name))
		return imap_fail_here(in, "a return option is expected");
	for (size_t i = 0; i < COUNT_OF(options); i++)
		bit |= str_same_nocase(name, options[i].name) ? options[i].bit : 0;
	if (bit == 0)
		return imap_fail(in, "unknown return option \"%.*s\"",
				 STR_FMT(str_first(name, 40)));
	if ((bit & both) && (search->returns & IMAP_RETURN_PARTIAL))
		return imap_fail(in,
				 "one PARTIAL or ALL is the most"); /* RFC 9394 §3.1 */
	search->returns |= bit;
	if ((search->returns & both) == both)
		return imap_fail(in, "one PARTIAL or ALL is the most");
	if (bit == IMAP_RETURN_UPDATE)
		return update_items(in, search);
	return bit != IMAP_RETURN_PARTIAL ||
	       ((imap_space(in) || imap_fail_here(in, "a range is expected")) &&
		imap_partial(in, &search->partial));
}

/* search-return-opts = "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")" */
static bool return_options(struct imap_in *in, struct imap_search *search)
{
	search->is_extended = true;
	if (!imap_space(in) || !cur_byte(&in->at, '('))
		return imap_fail_here(in, "RETURN needs a list");
	if (cur_byte(&in->at, ')')) {
		search->returns = IMAP_RETURN_ALL; /* RFC 9051 §6.4.4 */
		return imap_space(in) || imap_fail_here(in, "search keys are expected");
	}
	do {
		if (!return_option(in, search))
			return false;
	} while (imap_space(in));
	return (cur_byte(&in->at, ')') && imap_space(in)) ||
	       imap_fail_here(in, "the return options do not end");
}

/* ["RETURN" ... SP] */
static bool may_return(struct imap_in *in, struct imap_search *search)
{
	struct imap_in option = *in;
	struct str name;

	if (!imap_label(&option, &name) || !str_same_nocase(name, STR("RETURN")))
		return true;
	in->at = option.at;
	return return_options(in, search);
}

/* ["CHARSET" SP charset SP] */
static bool may_have_charset(struct imap_in *in, struct imap_search *search)
{
	struct imap_in at = *in;
	struct str name;

	if (!imap_label(&at, &name) || !str_same_nocase(name, STR("CHARSET")))
		return true;
	in->at = at.at;
	return (imap_space(in) && imap_astring(in, &search->charset) && imap_space(in)) ||
	       imap_fail_here(in, "a wrong charset");
}

/* SP charset SP */
static bool charset(struct imap_in *in, struct imap_search *search)
{
	return (imap_space(in) && imap_astring(in, &search->charset) && imap_space(in)) ||
	       imap_fail_here(in, "a charset is expected, and search keys");
}

static bool before_search(struct imap_in *in, struct imap_search *search)
{
	return may_return(in, search) && may_have_charset(in, search);
}

/* RFC 5256 §5, RFC 5267 §5: extended-sort */
static bool before_sort(struct imap_in *in, struct imap_search *search)
{
	return may_return(in, search) && imap_sort_criteria(in, &search->sort) &&
	       charset(in, search);
}

static bool before_thread(struct imap_in *in, struct imap_search *search)
{
	return imap_thread_algorithm(in, &search->thread) && charset(in, search);
}

bool imap_search_by_relevancy(const struct imap_search *search)
{
	bool is_by = search->returns & IMAP_RETURN_RELEVANCY;

	for (size_t i = 0; i < search->sort.count && !is_by; i++)
		is_by = search->sort.keys[i].by == IMAP_SORT_RELEVANCY;
	return is_by;
}

static bool searching(struct imap_in *in, struct imap_search *search,
		      bool (*before)(struct imap_in *in, struct imap_search *search))
{
	struct imap_in at = *in;
	struct search_in s = {.in = &at,
			      .keys_left = IMAP_SEARCH_KEYS_MAX,
			      .depth_left = IMAP_SEARCH_DEPTH_MAX};

	*search = (struct imap_search){.charset = STR("")};
	if (before(&at, search)) {
		search->key = all_of(&s);
		search->has_modseq = s.has_modseq;
		search->has_fuzzy = s.has_fuzzy;
	}
	/* RFC 6203 §4, §6: MUST NOT */
	if (search->key && !s.has_fuzzy && imap_search_by_relevancy(search)) {
		search->key = NULL;
		(void)imap_fail(&at, "RELEVANCY needs a FUZZY search key");
	}
	in->reason = at.reason;
	if (search->key)
		in->at = at.at;
	return search->key;
}

bool imap_search(struct imap_in *in, struct imap_search *search)
{
	return searching(in, search, before_search);
}

bool imap_sort_search(struct imap_in *in, struct imap_search *search)
{
	return searching(in, search, before_sort);
}

bool imap_thread_search(struct imap_in *in, struct imap_search *search)
{
	return searching(in, search, before_thread);
}

static bool set_copy(struct arena *arena, struct imap_sequence_set *set)
{
	/* With the room for its mark that the parser left. */
	struct imap_range *ranges = ARENA_ARRAY(arena, struct imap_range, set->count + 1);

	if (ranges && set->count > 0)
		memcpy(ranges, set->ranges, set->count * sizeof *ranges);
	set->ranges = ranges;
	return ranges;
}

/* As deep as the parser has let the tree become. */
struct imap_search_key *imap_search_key_copy(struct arena *arena,
					     const struct imap_search_key *key)
{
	struct imap_search_key *copy = ARENA_NEW(arena, struct imap_search_key);

	if (!copy)
		return NULL;
	*copy = *key;
	copy->child = copy->next = NULL;
	if (!arena_copy(arena, key->field, &copy->field) ||
	    !arena_copy(arena, key->text, &copy->text) || !set_copy(arena, &copy->set))
		return NULL;
	struct imap_search_key **end = &copy->child;

	for (const struct imap_search_key *child = key->child; child;
	     child = child->next) {
		*end = imap_search_key_copy(arena, child);
		if (!*end)
			return NULL;
		end = &(*end)->next;
	}
	return copy;
}
