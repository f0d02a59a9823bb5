#include <jansson.h>

#include "base/civil.h"
#include "ctl/word.h"
#include "store/store.h"

static struct str time_text(struct ctl *ctl, int64_t unix_s)
{
	struct civil at = civil_from_unix(unix_s, 0);

	return arena_printf(&ctl->arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", at.year,
			    at.month, at.day, at.hour, at.minute, at.second);
}

static void list_row(struct ctl *ctl, const struct queue_row *row, json_t *rows)
{
	struct str due = time_text(ctl, row->due_at);

	buf_printf(&ctl->out, "%-14.*s %8llu  %.*s  %u tries  <%.*s> to <%.*s>%s%.*s\n",
		   STR_FMT(row->id), (unsigned long long)row->size, STR_FMT(due),
		   row->tries, STR_FMT(row->sender), STR_FMT(row->recipient.address),
		   row->reason.len > 0 ? "  " : "", STR_FMT(row->reason));
	(void)json_array_append_new(
		rows, json_pack("{s:o,s:o,s:o,s:o,s:s,s:I,s:i,s:o,s:o}", "id",
				ctl_json(row->id), "sender", ctl_json(row->sender),
				"recipient", ctl_json(row->recipient.address), "original",
				ctl_json(row->recipient.original), "kind",
				row->recipient.kind == QUEUE_LOCAL ? "local" : "remote",
				"size", (json_int_t)row->size, "tries", (int)row->tries,
				"due", ctl_json(due), "reason", ctl_json(row->reason)));
}

static void list(struct ctl *ctl)
{
	json_t *json = json_array();
	account_t account = ACCOUNT_SYSTEM;
	uint64_t after = 0;
	struct queue_row *rows;
	size_t count;
	enum store_outcome outcome;

	ctl->json = json_pack("{s:o}", "queue", json);
	while ((outcome = store_queue_list(ctl->store, account, after, CTL_PAGE,
					   &ctl->arena, &rows, &count)) == STORE_OK &&
	       count > 0) {
		for (size_t i = 0; i < count; i++)
			list_row(ctl, &rows[i], json);
		account = rows[count - 1].account;
		after = rows[count - 1].row;
	}
	if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
}

static const struct ctl_verb verbs[] = {
	{"list", "", "Print what waits to be delivered, and why.", 0, 0, 0,
	 CTL_NEEDS_SERVER, list},
};

const struct ctl_word ctl_queue = {
	.name = "queue",
	.summary = "Mail that is on its way.",
	.examples = "  postrider queue list\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
