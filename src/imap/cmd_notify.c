/* NOTIFY: the client says what it wants to be told of from now on.  RFC 5465 §3.1.
 *
 * Deviates: changes of annotations are not told, although METADATA is there, for which
 * RFC 5465 §5.6 and §5.7 require it (the change log has none of them); who asks for them
 * hears BADEVENT.  Mailboxes of others are told of only while they are selected; where
 * they are named they are passed over, without \NoAccess (§3.1). */
#include "imap/events.h"
#include "imap/mailboxes.h"

enum {
	/* Annotations of messages are not kept here. */
	SUPPORTED = IMAP_EVENT_MESSAGE_NEW | IMAP_EVENT_MESSAGE_EXPUNGE |
		    IMAP_EVENT_FLAG_CHANGE | IMAP_EVENT_MAILBOX_NAME |
		    IMAP_EVENT_SUBSCRIPTION_CHANGE,
	SEND_BYTES = 32 << 10,
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

/* What STATUS has to say at once.  RFC 5465 §3.1; a group without events asks for a
 * snapshot (§5). */
static unsigned items_for(unsigned events)
{
	unsigned items = IMAP_STATUS_UIDVALIDITY;

	if (events == 0 || (events & IMAP_EVENT_MESSAGE_NEW))
		items |= IMAP_STATUS_MESSAGES | IMAP_STATUS_UIDNEXT;
	if (events == 0 || (events & IMAP_EVENT_FLAG_CHANGE))
		items |= IMAP_STATUS_HIGHESTMODSEQ | IMAP_STATUS_UNSEEN;
	return items;
}

static void write_status(struct session *s, const struct events *events,
			 const struct mailbox *mailbox)
{
	bool is_named;
	unsigned found = events_of(events, &mailbox->row, mailbox->path, &is_named);

	if (!is_named || mailbox->row.is_container ||
	    selected_is(s, mailbox->account, mailbox->row.id) ||
	    (found != 0 && !(found & IMAP_EVENTS_OF_MESSAGES)))
		return;
	mailbox_write_status(s, mailbox, items_for(found));
	if (s->out.len > SEND_BYTES)
		session_send(s);
}

/* Learns which mailboxes there are: what happens from now on is told, and what was before
 * is in STATUS. */
static enum store_outcome begin(struct session *s, struct events *events)
{
	struct account_summary summary;
	struct mailboxes all;
	enum store_outcome outcome =
		store_summary(session_store(s), s->login.account, &summary);

	if (outcome == STORE_OK)
		outcome = mailboxes_load(s, &all);
	if (outcome != STORE_OK)
		return outcome;
	if (all.count > ROSTER_MAX)
		return STORE_INVALID;
	events->upto = summary.change;
	events_load(events, &all);
	for (size_t i = 0; events->wish.wants_status && i < all.count; i++)
		write_status(s, events, &all.list[i]);
	return STORE_OK;
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
		outcome = begin(s, events);
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
