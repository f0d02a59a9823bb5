#include "wire/imap/esearch.h"

static const struct {
	struct str name;
	enum imap_source_kind kind;
	bool has_mailboxes;
} names[] = {
	{STR("selected"), IMAP_SOURCE_SELECTED, false},
	{STR("inboxes"), IMAP_SOURCE_INBOXES, false},
	{STR("personal"), IMAP_SOURCE_PERSONAL, false},
	{STR("subscribed"), IMAP_SOURCE_SUBSCRIBED, false},
	{STR("subtree"), IMAP_SOURCE_SUBTREE, true},
	{STR("subtree-one"), IMAP_SOURCE_SUBTREE_ONE, true},
	{STR("mailboxes"), IMAP_SOURCE_MAILBOX, true},
};

struct sources_in {
	struct imap_in *in;
	struct imap_source *list;
	size_t count;
};

static bool add(struct sources_in *s, enum imap_source_kind kind, struct str mailbox)
{
	if (s->count == IMAP_SOURCES_MAX)
		return imap_fail(s->in, "more than %d mailboxes", IMAP_SOURCES_MAX);
	s->list[s->count++] = (struct imap_source){kind, mailbox};
	return true;
}

/* one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")" */
static bool mailboxes(struct sources_in *s, enum imap_source_kind kind)
{
	struct imap_in *in = s->in;
	bool is_list;
	struct str name;

	if (!imap_space(in))
		return imap_fail_here(in, "a mailbox is expected");
	is_list = cur_byte(&in->at, '(');
	do {
		if (!imap_mailbox(in, &name))
			return imap_fail_here(in, "a mailbox is expected");
		if (!add(s, kind, name))
			return false;
	} while (is_list && imap_space(in));
	return !is_list || cur_byte(&in->at, ')') ||
	       imap_fail_here(in, "the list of mailboxes does not end");
}

/* filter-mailboxes */
static bool source(struct sources_in *s)
{
	struct str name;

	if (!imap_label(s->in, &name))
		return imap_fail_here(s->in, "where to search is expected");
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (!str_same_nocase(name, names[i].name))
			continue;
		return names[i].has_mailboxes ? mailboxes(s, names[i].kind)
					      : add(s, names[i].kind, STR(""));
	}
	return imap_fail(s->in, "unknown source \"%.*s\"", STR_FMT(str_first(name, 40)));
}

bool imap_sources(struct imap_in *in, struct imap_sources *sources)
{
	struct imap_in at = *in;
	struct sources_in s = {
		.in = &at,
		.list = ARENA_ARRAY(in->arena, struct imap_source, IMAP_SOURCES_MAX)};
	bool is_good = s.list && imap_space(&at) &&
		       (cur_byte(&at.at, '(') ||
			imap_fail_here(&at, "IN needs a list of mailboxes"));

	if (is_good) {
		do {
			is_good = source(&s);
		} while (is_good && imap_space(&at));
	}
	/* §4: no scope options are defined, so that "(" is too much. */
	is_good = is_good && (cur_byte(&at.at, ')') ||
			      imap_fail_here(&at, "the list of mailboxes does not end"));
	in->reason = at.reason;
	if (!is_good)
		return false;
	in->at = at.at;
	*sources = (struct imap_sources){s.list, s.count};
	return true;
}
