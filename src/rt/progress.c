#include "rt/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "rt/clock.h"

enum {
	QUIET_US = 2000 * 1000,
	TERMINAL_US = 200 * 1000,
	ELSEWHERE_US = 30000 * 1000,
	TEXT_MAX = 1000,
};

bool progress_is_due(struct progress *progress)
{
	uint64_t now_us = clock_monotonic_us();

	if (progress->began_us == 0)
		progress->began_us = now_us;
	if (now_us - progress->began_us < QUIET_US ||
	    (progress->is_shown &&
	     now_us - progress->told_us <
		     (isatty(STDERR_FILENO) ? TERMINAL_US : ELSEWHERE_US)))
		return false;
	progress->told_us = now_us;
	return true;
}

void progress_say(struct progress *progress, struct str text)
{
	bool is_terminal = isatty(STDERR_FILENO);

	progress->is_shown = true;
	(void)fprintf(stderr, "%s%.*s%s", is_terminal ? "\r\033[K" : "", STR_FMT(text),
		      is_terminal ? "" : "\n");
	(void)fflush(stderr); /* it is only news */
}

void progress_tell(struct progress *progress, const char *doing, uint64_t done,
		   uint64_t all)
{
	SCOPED(buf_fini) struct buf text = BUF(TEXT_MAX);

	if (!progress_is_due(progress))
		return;
	buf_printf(&text, "%s", doing);
	if (all > 0)
		buf_printf(&text, ": %u %%",
			   (unsigned)((double)done * 100 / (double)all));
	progress_say(progress, buf_str(&text));
}

void progress_end(struct progress *progress)
{
	if (progress->is_shown && isatty(STDERR_FILENO))
		(void)fputs("\r\033[K", stderr);
	progress->is_shown = false;
}
