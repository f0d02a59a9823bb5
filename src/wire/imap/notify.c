#include "wire/imap/notify.h"

static const struct {
	struct str name;
	enum imap_event event;
} events[] = {
	{STR("MessageNew"), IMAP_EVENT_MESSAGE_NEW},
	{STR("MessageExpunge"), IMAP_EVENT_MESSAGE_EXPUNGE},
	{STR("FlagChange"), IMAP_EVENT_FLAG_CHANGE},
	{STR("AnnotationChange"), IMAP_EVENT_ANNOTATION_CHANGE},
	{STR("MailboxName"), IMAP_EVENT_MAILBOX_NAME},
	{STR("SubscriptionChange"), IMAP_EVENT_SUBSCRIPTION_CHANGE},
	{STR("MailboxMetadataChange"), IMAP_EVENT_MAILBOX_METADATA},
	{STR("ServerMetadataChange"), IMAP_EVENT_SERVER_METADATA},
};

struct str imap_event_name(enum imap_event event)
{
	for (size_t i = 0; i < COUNT_OF(events); i++) {
		if (events[i].event == event)
			return events[i].name;
	}
	return STR("");
}

/* event = message-event / mailbox-event / user-event / event-ext, where event-ext is any
 * atom.  MessageNew may have items behind it. */
static bool event(struct imap_in *in, struct imap_event_group *group)
{
	struct str name;
	unsigned found = IMAP_EVENT_OTHER;

	if (!imap_atom(in, &name))
		return imap_fail_here(in, "an event is expected");
	for (size_t i = 0; i < COUNT_OF(events); i++) {
		if (str_same_nocase(name, events[i].name))
			found = events[i].event;
	}
	group->events |= found;
	struct cursor space = in->at;

	if (found != IMAP_EVENT_MESSAGE_NEW || !imap_space(in))
		return true;
	if (cur_sees(in->at, '('))
		return imap_fetch_list(in, &group->items);
	in->at = space;
	return true;
}

/* events = ( "(" event *(SP event) ")" ) / "NONE" */
static bool group_events(struct imap_in *in, struct imap_event_group *group)
{
	struct imap_in at = *in;
	struct str word;

	if (imap_atom(&at, &word) && str_same_nocase(word, STR("NONE"))) {
		in->at = at.at;
		return true;
	}
	bool has_parentheses = cur_byte(&in->at, '(');

	do {
		if (!event(in, group))
			return false;
	} while (imap_space(in));
	return !has_parentheses || cur_byte(&in->at, ')') ||
	       imap_fail_here(in, "the events do not end");
}

/* one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")" */
static bool mailboxes(struct imap_in *in, struct imap_event_group *group)
{
	struct str names[IMAP_NOTIFY_MAILBOXES_MAX];
	size_t count = 0;

	if (!imap_space(in))
		return imap_fail_here(in, "mailboxes are expected");
	bool is_list = cur_byte(&in->at, '(');

	do {
		if (count == IMAP_NOTIFY_MAILBOXES_MAX)
			return imap_fail(in, "more than %d mailboxes in a group",
					 IMAP_NOTIFY_MAILBOXES_MAX);
		if (!imap_mailbox(in, &names[count++]))
			return false;
	} while (is_list && imap_space(in));
	if (is_list && !cur_byte(&in->at, ')'))
		return imap_fail_here(in, "the list of mailboxes does not end");
	struct str *kept = ARENA_ARRAY(in->arena, struct str, count);

	if (!kept)
		return imap_fail(in, "too much in one command");
	memcpy(kept, names, count * sizeof *kept);
	group->mailboxes = kept;
	group->mailbox_count = count;
	return true;
}

/* filter-mailboxes = filter-mailboxes-selected / filter-mailboxes-other */
static bool filter(struct imap_in *in, struct imap_event_group *group)
{
	static const struct str names[] = {
		[IMAP_WATCH_SELECTED] = STR("selected"),
		[IMAP_WATCH_SELECTED_DELAYED] = STR("selected-delayed"),
		[IMAP_WATCH_INBOXES] = STR("inboxes"),
		[IMAP_WATCH_PERSONAL] = STR("personal"),
		[IMAP_WATCH_SUBSCRIBED] = STR("subscribed"),
		[IMAP_WATCH_SUBTREE] = STR("subtree"),
		[IMAP_WATCH_MAILBOXES] = STR("mailboxes"),
	};
	struct str name;

	if (!imap_label(in, &name))
		return imap_fail_here(in, "which mailboxes is expected");
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (!str_same_nocase(name, names[i]))
			continue;
		group->watched = (enum imap_watched)i;
		return i < IMAP_WATCH_SUBTREE || mailboxes(in, group);
	}
	return imap_fail(in, "unknown mailboxes \"%.*s\"", STR_FMT(str_first(name, 40)));
}

static bool is_for_selected(const struct imap_event_group *group)
{
	return group->watched <= IMAP_WATCH_SELECTED_DELAYED;
}

/* What the grammar says in words: RFC 5465 §5, §6.1, §8. */
static bool makes_sense(struct imap_in *in, const struct imap_event_group *group)
{
	unsigned both = IMAP_EVENT_MESSAGE_NEW | IMAP_EVENT_MESSAGE_EXPUNGE;
	unsigned of_mailboxes =
		group->events & ~(unsigned)(IMAP_EVENTS_OF_MESSAGES | IMAP_EVENT_OTHER);

	if ((group->events & IMAP_EVENTS_OF_MESSAGES) && (group->events & both) != both)
		return imap_fail(in,
				 "MessageNew and MessageExpunge go together, and with "
				 "the other events of messages");
	if (is_for_selected(group) && of_mailboxes)
		return imap_fail(in, "the selected mailbox has events of messages only");
	return is_for_selected(group) ||
	       (group->items.items == 0 && group->items.section_count == 0) ||
	       imap_fail(in, "items are for the selected mailbox only");
}

/* event-group = "(" filter-mailboxes SP events ")" */
static bool group(struct imap_in *in, struct imap_event_group *group)
{
	*group = (struct imap_event_group){0};
	if (!cur_byte(&in->at, '('))
		return imap_fail_here(in, "a group of events in () is expected");
	if (!filter(in, group))
		return false;
	if (!imap_space(in))
		return imap_fail_here(in, "events are expected");
	if (!group_events(in, group) || !makes_sense(in, group))
		return false;
	return cur_byte(&in->at, ')') || imap_fail_here(in, "the group does not end");
}

/* "SET" [SP "STATUS"] SP event-group *(SP event-group) */
static bool set(struct imap_in *in, struct imap_notify *notify)
{
	struct imap_event_group groups[IMAP_NOTIFY_GROUPS_MAX];
	struct str word;
	size_t count = 0, selected = 0;

	notify->is_set = true;
	if (!imap_space(in))
		return imap_fail_here(in, "groups of events are expected");
	notify->wants_status =
		imap_label(in, &word) && str_same_nocase(word, STR("STATUS"));
	if (notify->wants_status && !imap_space(in))
		return imap_fail_here(in, "groups of events are expected");
	do {
		if (count == IMAP_NOTIFY_GROUPS_MAX)
			return imap_fail(in, "more than %d groups of events",
					 IMAP_NOTIFY_GROUPS_MAX);
		if (!group(in, &groups[count]))
			return false;
		notify->events |= groups[count].events;
		selected += is_for_selected(&groups[count++]);
	} while (imap_space(in));
	if (selected > 1)
		return imap_fail(in, "the selected mailbox is named more than once");
	struct imap_event_group *kept =
		ARENA_ARRAY(in->arena, struct imap_event_group, count);

	if (!kept)
		return imap_fail(in, "too much in one command");
	memcpy(kept, groups, count * sizeof *kept);
	notify->groups = kept;
	notify->group_count = count;
	return true;
}

bool imap_notify(struct imap_in *in, struct imap_notify *notify)
{
	struct cursor from = in->at;
	struct str word;

	*notify = (struct imap_notify){0};
	if (imap_label(in, &word) && str_same_nocase(word, STR("NONE")))
		return true;
	in->at = from;
	if (imap_label(in, &word) && str_same_nocase(word, STR("SET")) && set(in, notify))
		return true;
	(void)imap_fail_here(in, "SET or NONE is expected");
	in->at = from;
	return false;
}
