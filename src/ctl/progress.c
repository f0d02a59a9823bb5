#include "ctl/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "rt/clock.h"

enum { QUIET_US = 2000 * 1000, TERMINAL_US = 200 * 1000, ELSEWHERE_US = 30000 * 1000 };

void progress_tell(struct progress *progress, const char *doing, uint64_t done,
		   uint64_t all)
{
	uint64_t now_us = clock_monotonic_us();
	bool is_terminal = isatty(STDERR_FILENO);

	if (progress->began_us == 0)
		progress->began_us = now_us;
	if (now_us - progress->began_us < QUIET_US ||
	    (progress->is_shown &&
	     now_us - progress->told_us < (is_terminal ? TERMINAL_US : ELSEWHERE_US)))
		return;
	progress->told_us = now_us;
	progress->is_shown = true;
	(void)fputs(is_terminal ? "\r\033[K" : "", stderr);
	if (all > 0)
		(void)fprintf(stderr, "%s: %u %%", doing,
			      (unsigned)((double)done * 100 / (double)all));
	else
		(void)fprintf(stderr, "%s", doing);
	(void)fputs(is_terminal ? "" : "\n", stderr);
	(void)fflush(stderr); /* it is only news */
}

void progress_end(struct progress *progress)
{
	if (progress->is_shown && isatty(STDERR_FILENO))
		(void)fputs("\r\033[K", stderr);
}
