/* A program's mail of which something was refused: its sender hears of it. */
#include "deliverd/accept.h"
#include "rt/clock.h"
#include "store/store.h"

static void fill(const struct deliver_report *report, struct queue_row *rows,
		 struct bounce_recipient *list)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct deliver_refused *refused = &report->refused[i];

		rows[i] = (struct queue_row){.id = report->id,
					     .sender = report->sender,
					     .received_at = report->received_at,
					     .envid = report->envid,
					     .body_kind = report->body_kind};
		rows[i].recipient.original = refused->original;
		rows[i].recipient.address = refused->original;
		rows[i].recipient.orcpt = refused->orcpt;
		rows[i].recipient.notify = refused->notify;
		list[i] = (struct bounce_recipient){.row = &rows[i],
						    .action = BOUNCE_FAILED,
						    .status = refused->status,
						    .said = refused->said,
						    .tried_at = clock_s()};
	}
}

/* The report has a key of its own, so that it is one, however often it is made. */
bool accept_report(const struct deliverd_options *options,
		   const struct deliver_report *report, struct arena *arena)
{
	struct queue_row *rows = ARENA_ARRAY(arena, struct queue_row, report->count);
	struct bounce_recipient *list =
		ARENA_ARRAY(arena, struct bounce_recipient, report->count);
	struct str key = arena_printf(arena, "%.*s/report", STR_FMT(report->id));
	struct store_op op;

	if (!rows || !list || key.len == 0)
		return false;
	fill(report, rows, list);
	switch (report_make_of(options->reporter, list, report->count, report->header,
			       arena, &op)) {
	case REPORT_NONE:
		return true;
	case REPORT_LATER:
		return false;
	case REPORT_MADE:
		break;
	}
	const struct store_commit commit = {.account = ACCOUNT_SYSTEM,
					    .key = key,
					    .key_minute = (uint32_t)(clock_s() / 60),
					    .ops = &op,
					    .count = 1};

	return store_commit(options->store, &commit, NULL, NULL) == STORE_OK;
}
