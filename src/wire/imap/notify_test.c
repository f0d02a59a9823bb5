#include "wire/imap/notify.h"

#include "base/test.h"

/* What was understood: "status", and for each group its kind, mailboxes, events in hex,
 * and what MessageNew brings as "items+sections". */
static const struct {
	struct str input, meaning;
} good[] = {
	{STR("NONE"), STR("none")},
	{STR("none"), STR("none")},
	{STR("SET (selected (MessageNew MessageExpunge))"), STR("set (0 3)")},
	{STR("set status (SELECTED-DELAYED (MessageNew (uid "
	     "body.peek[header.fields (from to)]) MessageExpunge FlagChange))"),
	 STR("set status (1 7 1+1)")},
	{STR("SET (selected NONE)"), STR("set (0 0)")},
	{STR("SET (inboxes NONE) (personal (MailboxName)) (subscribed "
	     "(SubscriptionChange))"),
	 STR("set (2 0) (3 10) (4 20)")},
	{STR("SET (subtree Lists (messagenew messageexpunge mailboxname))"),
	 STR("set (5 Lists 13)")},
	{STR("SET (mailboxes (inbox \"a b\" {1}\r\nc) (MessageNew MessageExpunge))"),
	 STR("set (6 INBOX,a b,c 3)")},
	{STR("SET (personal (MailboxMetadataChange ServerMetadataChange Foo.Bar))"),
	 STR("set (3 1c0)")},
	{STR("SET (selected (MessageNew MessageExpunge AnnotationChange X))"),
	 STR("set (0 10b)")},
	/* As in the example of RFC 5465 §3.1, which has no parentheses around events. */
	{STR("set status (selected MessageNew (uid body.peek[header.fields (from to "
	     "subject)]) MessageExpunge) (subtree Lists MessageNew MessageExpunge)"),
	 STR("set status (0 3 1+1) (5 Lists 3)")},
};

static void show(struct buf *out, const struct imap_notify *notify)
{
	buf_add_c(out, notify->is_set ? "set" : "none");
	if (notify->wants_status)
		buf_add_c(out, " status");
	for (size_t i = 0; i < notify->group_count; i++) {
		const struct imap_event_group *group = &notify->groups[i];

		buf_printf(out, " (%d", (int)group->watched);
		for (size_t m = 0; m < group->mailbox_count; m++)
			buf_printf(out, "%s%.*s", m == 0 ? " " : ",",
				   STR_FMT(group->mailboxes[m]));
		buf_printf(out, " %x", group->events);
		if (group->items.items != 0 || group->items.section_count > 0)
			buf_printf(out, " %u+%zu", group->items.items,
				   group->items.section_count);
		buf_add_byte(out, ')');
	}
}

TEST(notify_takes_groups_of_events)
{
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		SCOPED(arena_fini) struct arena arena;
		SCOPED(buf_fini) struct buf out = BUF(1000);
		struct imap_notify notify;

		arena_init(&arena, 100000);
		struct imap_in in = imap_in_over(good[i].input, &arena);

		bool ok = imap_notify(&in, &notify) && cur_done(in.at);

		CHECK_STR(in.reason, STR(""));
		CHECK(ok);
		if (!ok)
			continue;
		show(&out, &notify);
		CHECK_STR(buf_str(&out), good[i].meaning);
	}
}

static const struct str bad[] = {
	STR(""),
	STR("SOME"),
	STR("SET"),
	STR("SET "),
	STR("SET STATUS"),
	STR("SET STATUS "),
	STR("SET selected"),
	STR("SET ()"),
	STR("SET (selected)"),
	STR("SET (selected )"),
	STR("SET (selected ())"),
	STR("SET (everything NONE)"),
	STR("SET (subtree NONE)"),
	STR("SET (subtree  NONE)"),
	STR("SET (subtree () NONE)"),
	STR("SET (mailboxes (a b NONE)"),
	STR("SET (selected (MessageNew MessageExpunge)"),
	STR("SET (selected (MessageNew MessageExpunge) "),
	/* RFC 5465 §5: what has to be said together */
	STR("SET (selected (MessageNew))"),
	STR("SET (personal (MessageExpunge))"),
	STR("SET (personal (FlagChange))"),
	STR("SET (personal (MessageNew FlagChange))"),
	STR("SET (personal (AnnotationChange MessageExpunge))"),
	/* §6.1: messages only, and once */
	STR("SET (selected (MailboxName))"),
	STR("SET (selected (MessageNew MessageExpunge SubscriptionChange))"),
	STR("SET (selected NONE) (selected-delayed NONE)"),
	/* §8: items only there, and items that are some */
	STR("SET (personal (MessageNew (UID) MessageExpunge))"),
	STR("SET (selected (MessageNew () MessageExpunge))"),
	STR("SET (selected (MessageNew (FOO) MessageExpunge))"),
	STR("SET (selected (MessageNew (UID MessageExpunge))"),
};

TEST(notify_refuses_what_makes_no_sense)
{
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct imap_notify notify;

		arena_init(&arena, 100000);
		struct imap_in in = imap_in_over(bad[i], &arena);

		CHECK(!imap_notify(&in, &notify));
		CHECK(in.at.at == bad[i].ptr && in.reason.len > 0);
	}
}

TEST(notify_is_bounded)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf many = BUF(100000);
	struct imap_notify notify;

	arena_init(&arena, 1 << 20);
	buf_add_c(&many, "SET");
	for (int i = 0; i <= IMAP_NOTIFY_GROUPS_MAX; i++)
		buf_add_c(&many, " (personal NONE)");
	struct imap_in in = imap_in_over(buf_str(&many), &arena);

	CHECK(!imap_notify(&in, &notify));
	CHECK_STR(in.reason, STR("more than 30 groups of events"));
	buf_reset(&many);
	buf_add_c(&many, "SET (mailboxes (a");
	for (int i = 0; i < IMAP_NOTIFY_MAILBOXES_MAX; i++)
		buf_add_c(&many, " a");
	buf_add_c(&many, ") NONE)");
	in = imap_in_over(buf_str(&many), &arena);
	CHECK(!imap_notify(&in, &notify));
	CHECK_STR(in.reason, STR("more than 200 mailboxes in a group"));
	SCOPED(arena_fini) struct arena small;

	arena_init(&small, 100);
	in = imap_in_over(STR("SET (mailboxes (a b c d e f g h) NONE)"), &small);
	CHECK(!imap_notify(&in, &notify) && in.reason.len > 0);
}

TEST(notify_knows_the_names_of_events)
{
	CHECK_STR(imap_event_name(IMAP_EVENT_MESSAGE_NEW), STR("MessageNew"));
	CHECK_STR(imap_event_name(IMAP_EVENT_SERVER_METADATA),
		  STR("ServerMetadataChange"));
	CHECK_STR(imap_event_name(IMAP_EVENT_OTHER), STR(""));
}
