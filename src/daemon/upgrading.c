/* The format of the data, looked after by the supervisor: before anything is started, and
 * the snapshot as long as it runs. */
#include "base/log.h"
#include "control/folder.h"
#include "daemon/supervisor_state.h"
#include "rt/clock.h"
#include "upgrade/upgrade.h"

enum { TELL_MS = 5000, LOOK_S = 3600 };

/* Now and then a line in the log. */
static void tell(void *arg, const char *what, unsigned percent)
{
	uint64_t *told_ms = arg, now = clock_monotonic_ms();

	if (now < *told_ms + TELL_MS)
		return;
	*told_ms = now;
	LOG(INFO, "data is brought up to date", KV("what", what),
	    KV_INT("count", percent));
}

err_t upgrading_run(const char *folder, uint32_t snapshot_days, struct buf *why)
{
	uint64_t told_ms = 0;
	struct upgrade how = {.folder = folder,
			      .formats = &formats_known,
			      .tell = tell,
			      .arg = &told_ms};

	TRY(upgrade_run(&how, why));
	upgrade_expire(folder, snapshot_days);
	return OK;
}

void upgrading_watch(void *arg)
{
	const struct supervisor *supervisor = arg;
	const struct conf *conf = supervisor->options.conf;
	char folder[FOLDER_PATH_MAX];

	if (!str_to_c(conf->data_directory, folder, sizeof folder))
		return;
	while (task_sleep_ms(LOOK_S * 1000) == OK && !supervisor->is_stopping)
		upgrade_expire(folder, conf->snapshot_days);
}
