#include "wire/imap/list.h"

#include "wire/imap/mailbox_name.h"

struct word {
	struct str name;
	unsigned bit;
};

static const struct word select_words[] = {
	{STR("SUBSCRIBED"), IMAP_LIST_SUBSCRIBED},
	{STR("REMOTE"), IMAP_LIST_REMOTE},
	{STR("RECURSIVEMATCH"), IMAP_LIST_RECURSIVEMATCH},
	{STR("SPECIAL-USE"), IMAP_LIST_SPECIAL_USE},
};

static const struct word return_words[] = {
	{STR("SUBSCRIBED"), IMAP_LIST_SUBSCRIBED},
	{STR("CHILDREN"), IMAP_LIST_CHILDREN},
	{STR("SPECIAL-USE"), IMAP_LIST_SPECIAL_USE},
	{STR("STATUS"), IMAP_LIST_STATUS},
	{STR("MYRIGHTS"), IMAP_LIST_MYRIGHTS},
	{STR("METADATA"), IMAP_LIST_METADATA},
};

static const struct word status_words[] = {
	{STR("MESSAGES"), IMAP_STATUS_MESSAGES},
	{STR("UIDNEXT"), IMAP_STATUS_UIDNEXT},
	{STR("UIDVALIDITY"), IMAP_STATUS_UIDVALIDITY},
	{STR("UNSEEN"), IMAP_STATUS_UNSEEN},
	{STR("DELETED"), IMAP_STATUS_DELETED},
	{STR("SIZE"), IMAP_STATUS_SIZE},
	{STR("RECENT"), IMAP_STATUS_RECENT},
	{STR("HIGHESTMODSEQ"), IMAP_STATUS_HIGHESTMODSEQ},
	{STR("MAILBOXID"), IMAP_STATUS_MAILBOXID},
	{STR("APPENDLIMIT"), IMAP_STATUS_APPENDLIMIT},
	{STR("DELETED-STORAGE"), IMAP_STATUS_DELETED_STORAGE},
};

/* One of the words; its bit, or 0 with the reason noted. */
static unsigned word_in(struct imap_in *in, const struct word *words, size_t count)
{
	struct str name;

	if (!imap_label(in, &name)) {
		(void)imap_fail_here(in, "an option is expected");
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (str_same_nocase(name, words[i].name))
			return words[i].bit;
	}
	(void)imap_fail(in, "unknown option \"%.*s\"", STR_FMT(str_first(name, 40)));
	return 0;
}

bool imap_status_items(struct imap_in *in, unsigned *items)
{
	struct cursor from = in->at;

	*items = 0;
	if (!cur_byte(&in->at, '('))
		return imap_fail_here(in, "a list of status items is expected");
	do {
		unsigned bit = word_in(in, status_words, COUNT_OF(status_words));

		if (bit == 0)
			goto out;
		*items |= bit;
	} while (imap_space(in));
	if (cur_byte(&in->at, ')'))
		return true;
	(void)imap_fail_here(in, "the status items do not end");
out:
	in->at = from;
	return false;
}

struct str imap_status_item_name(enum imap_status_item item)
{
	size_t i = 0;

	while (status_words[i].bit != item) {
		i++;
		ASSERT(i < COUNT_OF(status_words));
	}
	return status_words[i].name;
}

/* list-select-opts = "(" [...] ")" */
static bool select_options(struct imap_in *in, struct imap_list *list)
{
	if (!cur_byte(&in->at, '('))
		return true;
	list->is_extended = true;
	if (cur_byte(&in->at, ')'))
		return imap_space(in);
	do {
		unsigned bit = word_in(in, select_words, COUNT_OF(select_words));

		if (bit == 0)
			return false;
		list->select |= bit;
	} while (imap_space(in));
	/* list-select-mod-opt needs a list-select-base-opt. */
	if ((list->select & IMAP_LIST_RECURSIVEMATCH) &&
	    !(list->select & (IMAP_LIST_SUBSCRIBED | IMAP_LIST_SPECIAL_USE)))
		return imap_fail(in, "RECURSIVEMATCH alone selects nothing");
	return (cur_byte(&in->at, ')') && imap_space(in)) ||
	       imap_fail_here(in, "the selection options do not end");
}

/* return-option = "SUBSCRIBED" / "CHILDREN" / status-option / option-extension */
static bool return_options(struct imap_in *in, struct imap_list *list)
{
	struct str name;

	if (!imap_space(in))
		return true;
	list->is_extended = true;
	if (!imap_label(in, &name) || !str_same_nocase(name, STR("RETURN")) ||
	    !imap_space(in) || !cur_byte(&in->at, '('))
		return imap_fail_here(in, "RETURN and a list is expected");
	if (cur_byte(&in->at, ')'))
		return true;
	do {
		unsigned bit = word_in(in, return_words, COUNT_OF(return_words));

		if (bit == 0)
			return false;
		list->returns |= bit;
		if (bit == IMAP_LIST_STATUS &&
		    (!imap_space(in) || !imap_status_items(in, &list->status_items)))
			return imap_fail_here(in, "STATUS needs a list of items");
		if (bit == IMAP_LIST_METADATA &&
		    (!imap_space(in) || !imap_entries(in, &list->metadata)))
			return imap_fail_here(in, "METADATA needs a list of entries");
	} while (imap_space(in));
	return cur_byte(&in->at, ')') ||
	       imap_fail_here(in, "the return options do not end");
}

/* A pattern or reference as UTF-8.  One that could name no mailbox is kept as it came: it
 * matches nothing, which is no error. */
static bool pattern_read(struct imap_in *in, struct str *pattern)
{
	struct str wire, name;

	if (!imap_list_mailbox(in, &wire))
		return imap_fail_here(in, "a mailbox pattern is expected");
	*pattern = wire;
	if (imap_mailbox_name_read(wire, in->is_utf8, in->arena, &name))
		*pattern = name;
	return pattern->len <= IMAP_LIST_PATTERN_BYTES ||
	       imap_fail(in, "a mailbox pattern is too long");
}

static bool patterns(struct imap_in *in, struct imap_list *list)
{
	struct str found[IMAP_LIST_PATTERNS_MAX];
	size_t count = 0;
	bool is_list = cur_byte(&in->at, '(');

	do {
		if (count == IMAP_LIST_PATTERNS_MAX)
			return imap_fail(in, "more than %d patterns",
					 IMAP_LIST_PATTERNS_MAX);
		if (!pattern_read(in, &found[count++]))
			return false;
	} while (is_list && imap_space(in));
	if (is_list && !cur_byte(&in->at, ')'))
		return imap_fail_here(in, "the patterns do not end");
	list->is_extended |= is_list;
	struct str *kept = ARENA_ARRAY(in->arena, struct str, count);

	if (!kept)
		return imap_fail(in, "too much in one command");
	memcpy(kept, found, count * sizeof *kept);
	list->patterns = kept;
	list->pattern_count = count;
	return true;
}

bool imap_list(struct imap_in *in, struct imap_list *list)
{
	struct cursor from = in->at;

	*list = (struct imap_list){0};
	if (select_options(in, list) && pattern_read(in, &list->reference) &&
	    imap_space(in) && patterns(in, list) && return_options(in, list))
		return true;
	(void)imap_fail_here(in, "a reference and a pattern are expected");
	in->at = from;
	return false;
}

bool imap_lsub(struct imap_in *in, struct imap_list *list)
{
	struct cursor from = in->at;

	*list = (struct imap_list){0};
	if (pattern_read(in, &list->reference) && imap_space(in) &&
	    !cur_sees(in->at, '(') && patterns(in, list))
		return true;
	(void)imap_fail_here(in, "a reference and a pattern are expected");
	in->at = from;
	return false;
}

static bool same_octet(char a, char b, bool ignores_case)
{
	return a == b || (ignores_case && ascii_lower(a) == ascii_lower(b));
}

bool imap_list_match(struct str reference, struct str pattern, struct str name,
		     char delimiter)
{
	/* matched[i]: the first i octets of the pattern match what was read of the name.
	 */
	bool matched[2 * IMAP_LIST_PATTERN_BYTES + 1];
	size_t len = reference.len + pattern.len;
	bool ignores_case = str_same(name, STR("INBOX"));

	if (len >= COUNT_OF(matched))
		return false;
	memset(matched, 0, len + 1);
	matched[0] = true;
#define PATTERN_AT(i)                                                                    \
	((i) < reference.len ? reference.ptr[i] : pattern.ptr[(i)-reference.len])
	for (size_t i = 0; i < len && (PATTERN_AT(i) == '*' || PATTERN_AT(i) == '%'); i++)
		matched[i + 1] = true;
	for (size_t n = 0; n < name.len; n++) {
		bool before = matched[0]; /* matched[i] for one octet less of the name */

		matched[0] = false;
		for (size_t i = 0; i < len; i++) {
			bool above = matched[i + 1];
			char c = PATTERN_AT(i);

			if (c == '*' || (c == '%' && name.ptr[n] != delimiter))
				matched[i + 1] = above || matched[i];
			else if (c == '%')
				matched[i + 1] = matched[i];
			else
				matched[i + 1] = before &&
						 same_octet(c, name.ptr[n], ignores_case);
			before = above;
		}
	}
#undef PATTERN_AT
	return matched[len];
}
