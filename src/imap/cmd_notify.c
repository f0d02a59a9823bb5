/* NOTIFY: the client says what it wants to be told of from now on.  RFC 5465 §3.1. */
#include "imap/events.h"

enum {
	/* Annotations of messages are not kept here. */
	SUPPORTED = IMAP_EVENT_MESSAGE_NEW | IMAP_EVENT_MESSAGE_EXPUNGE |
		    IMAP_EVENT_FLAG_CHANGE | IMAP_EVENT_MAILBOX_NAME |
		    IMAP_EVENT_SUBSCRIPTION_CHANGE | IMAP_EVENT_MAILBOX_METADATA |
		    IMAP_EVENT_SERVER_METADATA,
};

/* RFC 5465 §3.1: NO and not BAD, with all that we have. */
static err_t refuse_events(struct session *s, const struct imap_command *command)
{
	SCOPED(buf_fini) struct buf names = BUF(1000);

	for (unsigned bit = 1; bit <= SUPPORTED; bit <<= 1) {
		if (!(SUPPORTED & bit))
			continue;
		if (names.len > 0)
			buf_add_byte(&names, ' ');
		buf_add(&names, imap_event_name((enum imap_event)bit));
	}
	return reply_no(s, command, "[BADEVENT (%.*s)] Other events are not known here",
			STR_FMT(buf_str(&names)));
}

static bool is_about_others(const struct imap_notify *wish)
{
	for (size_t i = 0; i < wish->group_count; i++) {
		if (wish->groups[i].watched > IMAP_WATCH_SELECTED_DELAYED)
			return true;
	}
	return false;
}

static void replace(struct session *s, struct events *events)
{
	events_free(&s->events);
	s->events = events;
}

static err_t too_much(struct session *s, const struct imap_command *command)
{
	return reply_no(s, command,
			"[NOTIFICATIONOVERFLOW] That is more than can be watched; name "
			"fewer mailboxes");
}

/* What the command was read into is the new wish from here on, so that the reply, whose
 * tag is there as well, comes last. */
static err_t set(struct session *s, const struct imap_command *command)
{
	struct events *events;
	enum store_outcome outcome = STORE_OK;

	if (s->scratch.used > EVENTS_WISH_BYTES)
		return too_much(s, command);
	if (s->state == IMAP_SELECTED) /* as NOOP would */
		TRY(selected_tell(s, IMAP_EVENTS_OF_MESSAGES));
	if (s->is_done)
		return OK;
	events = events_new(&s->scratch, &command->notify);
	if (is_about_others(&command->notify))
		outcome = events_begin(s, events);
	if (outcome == STORE_OK) {
		replace(s, events);
		return reply_only_ok(s, command, "You will be told");
	}
	err_t err = outcome == STORE_INVALID ? too_much(s, command)
					     : reply_store(s, command, outcome);

	events_free(&events);
	return err;
}

err_t on_notify(struct session *s, const struct imap_command *command)
{
	struct arena none;

	if (command->notify.events & ~(unsigned)SUPPORTED)
		return refuse_events(s, command);
	if (command->notify.is_set)
		return set(s, command);
	arena_init(&none, 0);
	replace(s, events_new(&none, &command->notify));
	return reply_only_ok(s, command, "You will not be told of anything");
}
