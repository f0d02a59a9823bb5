#include "transfer/report.h"

#include "rt/clock.h"
#include "store/store.h"

enum {
	ARENA_MAX = 16 << 20,
	NAME_MAX_SHOWN = 30,
	LINE_MAX_SHOWN = 300,
};

void report_init(struct report *report, bool shows_progress)
{
	*report = (struct report){.shows_progress = shows_progress,
				  .failure = STR(""),
				  .progress = {.began_us = clock_monotonic_us()}};
	arena_init(&report->arena, ARENA_MAX);
}

void report_fini(struct report *report)
{
	arena_fini(&report->arena);
}

static void add(struct report *report, struct str where, const char *why, bool is_loss)
{
	struct remark *remark;

	if (report->remark_count++ >= REMARKS_MAX)
		return;
	remark = ARENA_NEW(&report->arena, struct remark);
	if (!remark || !arena_copy(&report->arena, where, &remark->where) ||
	    !arena_copy(&report->arena, str_c(why), &remark->why))
		return; /* it is counted */
	remark->is_loss = is_loss;
	*(report->last ? &report->last->next : &report->first) = remark;
	report->last = remark;
}

void report_lost(struct report *report, struct str where, const char *why)
{
	report->lost++;
	add(report, where, why, true);
}

void report_remark(struct report *report, struct str where, const char *why)
{
	add(report, where, why, false);
}

bool report_fail(struct report *report, const char *format, ...)
{
	SCOPED(buf_fini) struct buf text = BUF(4096);
	va_list args;

	if (report->failure.len > 0)
		return false;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	if (!arena_copy(&report->arena, buf_str(&text), &report->failure))
		report->failure = STR("There were too many remarks.");
	return false;
}

bool report_fail_store(struct report *report, enum store_outcome outcome)
{
	return report_fail(report,
			   "The store stopped it: %s.  What was done until then is kept; "
			   "the same command goes on from there.",
			   store_outcome_text(outcome));
}

void report_progress(struct report *report, struct str mailbox)
{
	SCOPED(buf_fini) struct buf text = BUF(LINE_MAX_SHOWN);
	struct progress *progress = &report->progress;

	if (!report->shows_progress || !progress_is_due(progress))
		return;
	uint64_t passed_ms = (progress->told_us - progress->began_us) / 1000;

	buf_printf(&text, "%llu messages, %llu MB, %llu a second: %.*s",
		   (unsigned long long)(report->messages + report->present),
		   (unsigned long long)(report->bytes >> 20),
		   (unsigned long long)(report->messages * 1000 / passed_ms),
		   STR_FMT(str_first(mailbox, NAME_MAX_SHOWN)));
	progress_say(progress, buf_str(&text));
}

void report_end(struct report *report)
{
	progress_end(&report->progress);
}
