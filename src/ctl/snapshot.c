/* Verbs of "store" about the format of the data, and the way back to an older one. */
#include <unistd.h>

#include <jansson.h>

#include "base/civil.h"
#include "control/folder.h"
#include "control/format.h"
#include "ctl/word.h"
#include "rt/progress.h"
#include "upgrade/upgrade.h"

enum { SAID_MAX = 1 << 20 };

struct job {
	struct ctl *ctl;
	char folder[FOLDER_PATH_MAX];
	int lock;
	struct buf said;
	struct progress progress;
};

static void tell(void *arg, const char *what, unsigned percent)
{
	progress_tell(arg, what, percent, percent > 0 ? 100 : 0);
}

static bool find_folder(struct job *job, struct ctl *ctl)
{
	*job = (struct job){.ctl = ctl, .lock = -1, .said = BUF(SAID_MAX)};
	if (str_to_c(ctl->conf.data_directory, job->folder, sizeof job->folder))
		return true;
	ctl_fail(ctl, "The data directory's name is too long.\nNothing was changed.");
	return false;
}

static void job_end(struct job *job)
{
	if (job->lock >= 0)
		(void)close(job->lock); /* gives it back */
	buf_fini(&job->said);
}

/* No server may run. */
static bool take_folder(struct job *job, struct ctl *ctl)
{
	if (!find_folder(job, ctl))
		return false;
	err_t err = access(job->folder, F_OK) == 0 ? folder_make(job->folder, &job->said)
						   : OK;

	if (err == OK && folder_lock(job->folder, &job->lock, &job->said) == OK)
		return true;
	ctl_fail(ctl,
		 "This needs the data directory for itself: %.*s\nNothing was changed.\n"
		 "Stop the server first.",
		 STR_FMT(buf_str(&job->said)));
	job_end(job);
	return false;
}

/* What it came to; a word of JSON for those who ask. */
static void end_with(struct job *job, err_t err, const char *done)
{
	struct ctl *ctl = job->ctl;
	struct format format;
	enum format_state state = format_look(job->folder, format_newest, &format);

	job->progress.is_shown = job->progress.is_shown || isatty(STDERR_FILENO);
	progress_end(&job->progress);
	if (err != OK) {
		ctl_fail(ctl, "%.*s\n%s", STR_FMT(buf_str(&job->said)),
			 state == FORMAT_CHANGING
				 ? "It was interrupted in the middle: run the command "
				   "again, which ends it."
				 : "The data is as it was.");
	} else {
		buf_add(&ctl->out, buf_str(&job->said));
		buf_add_c(&ctl->out, done);
		ctl->json = json_pack("{s:i,s:o}", "format", (int)format.format, "said",
				      ctl_json(buf_str(&job->said)));
	}
	job_end(job);
}

static bool run_upgrade(struct job *job, const char *done,
			err_t (*run)(const struct upgrade *, struct buf *))
{
	struct upgrade how = {.folder = job->folder,
			      .formats = &formats_known,
			      .tell = tell,
			      .arg = &job->progress};
	err_t err = run(&how, &job->said);

	end_with(job, err, done);
	return err == OK;
}

void snapshot_upgrade(struct ctl *ctl)
{
	struct job job;

	if (take_folder(&job, ctl))
		(void)run_upgrade(&job, "The data is of this program's format.\n",
				  upgrade_run);
}

/* ---- snapshots --------------------------------------------------------------------- */

static bool find_snapshot(struct job *job, struct upgrade_snapshot *found)
{
	if (upgrade_find(job->folder, found))
		return true;
	ctl_fail(job->ctl,
		 "There is no snapshot to go back to.\nNothing was changed.\nOne is made "
		 "when a newer program brings the data up to date.");
	job_end(job);
	return false;
}

static void describe(struct ctl *ctl, const struct upgrade_snapshot *found)
{
	struct civil at = civil_from_unix(found->made_at, 0);
	struct str made =
		arena_printf(&ctl->arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", at.year,
			     at.month, at.day, at.hour, at.minute, at.second);

	buf_printf(
		&ctl->out,
		"Snapshot of format %u, made %.*s: %llu packs, %llu octets; %llu octets "
		"of packs were begun since.\n",
		found->format, STR_FMT(made), (unsigned long long)found->packs,
		(unsigned long long)found->bytes, (unsigned long long)found->later_bytes);
	ctl->json = json_pack("{s:i,s:s%,s:I,s:I,s:I}", "format", (int)found->format,
			      "made", made.ptr, made.len, "packs",
			      (json_int_t)found->packs, "bytes", (json_int_t)found->bytes,
			      "later_bytes", (json_int_t)found->later_bytes);
}

void snapshot_show(struct ctl *ctl)
{
	struct upgrade_snapshot found;
	struct job job;

	if (!find_folder(&job, ctl) || !find_snapshot(&job, &found))
		return;
	describe(ctl, &found);
	job_end(&job);
}

/* A server may run: it sees within seconds that the snapshot has gone. */
void snapshot_forget(struct ctl *ctl)
{
	struct upgrade_snapshot found;
	struct job job;

	if (!find_folder(&job, ctl) || !find_snapshot(&job, &found))
		return;
	end_with(&job, upgrade_forget(job.folder, &job.said),
		 "The snapshot is forgotten: there is no way back any more.\n");
}

void snapshot_rollback(struct ctl *ctl)
{
	struct upgrade_snapshot found;
	struct format format;
	struct job job;

	if (!take_folder(&job, ctl))
		return;
	/* An interrupted one is ended. */
	bool is_begun =
		format_look(job.folder, format_newest, &format) == FORMAT_CHANGING;

	if (!is_begun && !find_snapshot(&job, &found))
		return;
	if (!is_begun && !(ctl->options & CTL_YES)) {
		describe(ctl, &found);
		buf_add_c(&ctl->out,
			  "Nothing was changed.  With --yes the data goes back to that.  "
			  "What came since is\ncarried over as far as the older program "
			  "can read it; other mail is written to a\nfolder "
			  "rolled-back-DATE in the data directory.  Mail programs load "
			  "everything anew.\n");
		job_end(&job);
		return;
	}
	(void)run_upgrade(&job,
			  "The data is of the older format again: start the older "
			  "program.  LIST in the folder\nrolled-back-... of the data "
			  "directory says what is there.\n",
			  upgrade_rollback);
}
