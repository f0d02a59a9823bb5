#include <jansson.h>

#include "ctl/undelete.h"
#include "ctl/word.h"
#include "store/store.h"

static void stats(struct ctl *ctl)
{
	struct store_stats stats;
	enum store_outcome outcome = store_stats(ctl->store, &stats);
	const struct {
		const char *name, *text;
		uint64_t value;
	} figures[] = {
		{"accounts", "accounts", stats.accounts},
		{"mailboxes", "mailboxes", stats.mailboxes},
		{"messages", "messages", stats.messages},
		{"queue_rows", "recipients in the queue", stats.queue_rows},
		{"expunged", "expunged messages that can be brought back",
		 stats.expunged},
		{"body_bytes", "octets of mail, compressed", stats.body_bytes},
		{"shared_bytes", "more, if no two mails shared them", stats.shared_bytes},
		{"dead_bytes", "octets of mail that nobody needs, not given back yet",
		 stats.dead_bytes},
		{"punched_bytes", "octets of mail given back", stats.punched_bytes},
		{"log_bytes", "octets of the log beside the mail", stats.log_bytes},
		{"pack_bytes", "octets of packs on disk: mail and log", stats.pack_bytes},
		{"index_bytes", "octets of the index on disk", stats.index_bytes},
		{"commits", "commits since the start", stats.commits},
		{"groups", "groups they were written in", stats.groups},
		{"bodies_read", "bodies read since the start", stats.bodies_read},
	};

	if (outcome != STORE_OK) {
		ctl_fail_store(ctl, outcome);
		return;
	}
	ctl->json = json_object();
	for (size_t i = 0; i < COUNT_OF(figures); i++) {
		buf_printf(&ctl->out, "%16llu  %s\n",
			   (unsigned long long)figures[i].value, figures[i].text);
		(void)json_object_set_new(ctl->json, figures[i].name,
					  json_integer((json_int_t)figures[i].value));
	}
}

static const struct ctl_verb verbs[] = {
	{"stats", "", "Print how much mail there is, without logging in.", 0, 0, 0,
	 CTL_NEEDS_SERVER, stats},
	{"check", "[--repair | --online]",
	 "Look whether everything in the store is in order; the server is stopped,\n"
	 "      but for --online.",
	 0, 0, CTL_REPAIR | CTL_ONLINE, 0, heal_check},
	{"damaged", "", "Print which mails are set aside, since their bodies are lost.",
	 0, 0, 0, 0, heal_damaged},
	{"upgrade", "",
	 "Bring the data up to date for this program, as the server does at its start.",
	 0, 0, 0, 0, snapshot_upgrade},
	{"snapshot", "", "Print what the data can go back to.", 0, 0, 0, 0,
	 snapshot_show},
	{"rollback", "[--yes]",
	 "Go back to the format that an older program reads; the server is stopped.", 0,
	 0, CTL_YES, 0, snapshot_rollback},
	{"forget-snapshot", "",
	 "Give up the way back, and with it the space that it takes.", 0, 0, 0, 0,
	 snapshot_forget},
	{"rebuild", "", "Make the index anew from the packs; the server is stopped.", 0,
	 0, 0, 0, heal_rebuild},
	{"index", "[wait | renew]",
	 "Print how far the search index is; wait until it has all, or make it anew.", 0,
	 1, 0, CTL_NEEDS_SERVER, search_index},
	{"expunged", "ADDRESS", "Print the mails that can still be brought back.", 1, 1,
	 CTL_SINCE | CTL_MESSAGE_ID, CTL_NEEDS_SERVER, undelete_list},
	{"undelete", "ADDRESS",
	 "Bring expunged mails back to where they were, or to the mailbox Recovered.", 1,
	 1, CTL_SINCE | CTL_MESSAGE_ID, CTL_NEEDS_SERVER, undelete},
};

const struct ctl_word ctl_store = {
	.name = "store",
	.summary = "The store of all mail.",
	.examples = "  postrider store stats --json\n"
		    "  postrider store check\n"
		    "  postrider store check --online\n"
		    "  postrider store check --repair\n"
		    "  postrider store index wait --json\n"
		    "  postrider store undelete ann@example.com --since 2026-11-20\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
