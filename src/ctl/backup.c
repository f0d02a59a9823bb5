#include <jansson.h>

#include "backup/backup.h"
#include "base/civil.h"
#include "base/num.h"
#include "ctl/word.h"
#include "rt/progress.h"

enum { KEEP_MAX = 100000 };

/* ---- what all verbs share ---------------------------------------------------------- */

struct job {
	struct backup backup;
	struct progress progress;
	char target[BACKUP_PATH_MAX];
};

/* "" if it was not given. */
static struct str value_of(const struct ctl *ctl, enum ctl_option option)
{
	return str_c(ctl_value(ctl, option));
}

static void tell(void *arg, const char *doing, uint64_t done, uint64_t all)
{
	progress_tell(arg, doing, done, all);
}

/* What went wrong, and what that means. */
static void fail(struct ctl *ctl, struct job *job, const char *meaning)
{
	progress_end(&job->progress);
	ctl_fail(ctl, "%.*s\n%s", STR_FMT(buf_str(&job->backup.why)), meaning);
}

static bool open_job(struct ctl *ctl, struct job *job, enum backup_use use)
{
	job->backup.progress = tell;
	job->backup.arg = &job->progress;
	if (!str_to_c(ctl->words[0], job->target, sizeof job->target)) {
		ctl_fail(ctl, "The name is too long.\nNothing was changed.");
		return false;
	}
	if (backup_open(&job->backup, job->target, use) == OK)
		return true;
	fail(ctl, job, "Nothing was changed.");
	return false;
}

static void close_job(struct job *job)
{
	progress_end(&job->progress);
	backup_close(&job->backup);
}

static struct job *job_new(struct ctl *ctl)
{
	struct job *job = ARENA_NEW(&ctl->arena, struct job);

	ASSERT(job); /* the arena has just been made */
	return job;
}

static const struct manifest *find(struct ctl *ctl, struct job *job)
{
	const struct manifest *manifest =
		backup_find(&job->backup, value_of(ctl, CTL_BACKUP));

	if (!manifest)
		fail(ctl, job, "\"postrider backup list\" shows those there are.");
	return manifest;
}

static struct str time_text(struct ctl *ctl, int64_t unix_s)
{
	struct civil at = civil_from_unix(unix_s, 0);

	return arena_printf(&ctl->arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", at.year,
			    at.month, at.day, at.hour, at.minute, at.second);
}

static json_t *manifest_json(struct ctl *ctl, const struct manifest *manifest)
{
	struct str created = time_text(ctl, manifest->created_at);

	return json_pack("{s:s%,s:s%,s:I,s:I,s:I,s:I,s:I}", "id", manifest->id.ptr,
			 manifest->id.len, "created", created.ptr, created.len,
			 "accounts", (json_int_t)manifest->accounts, "messages",
			 (json_int_t)manifest->messages, "pack_bytes",
			 (json_int_t)manifest_pack_bytes(manifest), "index_bytes",
			 (json_int_t)manifest->index_bytes, "added_bytes",
			 (json_int_t)manifest->added_bytes);
}

/* ---- create ------------------------------------------------------------------------ */

static bool number_of(struct ctl *ctl, enum ctl_option option, uint64_t *number)
{
	*number = 0;
	if (!(ctl->options & option))
		return true;
	if (num_parse(value_of(ctl, option), KEEP_MAX, number) && *number > 0)
		return true;
	ctl_fail(ctl, "\"%.*s\" is no number from 1 to %d.\nNothing was changed.",
		 STR_FMT(value_of(ctl, option)), (int)KEEP_MAX);
	return false;
}

static void make(struct ctl *ctl, struct job *job, uint64_t keep, uint64_t keep_days)
{
	char folder[BACKUP_PATH_MAX];
	struct backup_source source = {.folder = folder,
				       .conf = ctl->conf_path,
				       .store = ctl->store,
				       .vault = ctl->vault};
	size_t removed = 0;

	if (!str_to_c(ctl->conf.data_directory, folder, sizeof folder))
		return;
	if (backup_create(&job->backup, &source) != OK) {
		fail(ctl, job,
		     "This backup is not to be relied on; earlier ones are as they "
		     "were.\nRun the command again when the cause is gone: what has been "
		     "copied need not be copied again.");
		return;
	}
	const struct manifest *made = &job->backup.list[job->backup.count - 1];

	buf_printf(&ctl->out,
		   "Backup %.*s is made and verified: %llu messages, %llu octets were "
		   "added.\nIt holds passwords' hashes and private keys: keep it as safe "
		   "as the server.\n",
		   STR_FMT(made->id), (unsigned long long)made->messages,
		   (unsigned long long)made->added_bytes);
	ctl->json = manifest_json(ctl, made);
	if ((keep > 0 || keep_days > 0) &&
	    backup_prune(&job->backup, keep, keep_days, &removed) != OK) {
		fail(ctl, job, "The new backup is whole; not all old ones were removed.");
		return;
	}
	if (removed > 0)
		buf_printf(&ctl->out, "%zu old backup%s removed.\n", removed,
			   removed == 1 ? " was" : "s were");
	(void)json_object_set_new(ctl->json, "removed",
				  json_integer((json_int_t)removed));
}

static void create(struct ctl *ctl)
{
	struct job *job = job_new(ctl);
	uint64_t keep, keep_days;

	if (!number_of(ctl, CTL_KEEP, &keep) ||
	    !number_of(ctl, CTL_KEEP_DAYS, &keep_days))
		return;
	if (open_job(ctl, job, BACKUP_WRITE)) {
		if (backup_is_file(&job->backup) && (keep > 0 || keep_days > 0))
			ctl_fail(ctl, "A file holds one backup: there are no old ones to "
				      "remove.\nNothing was changed.");
		else
			make(ctl, job, keep, keep_days);
	}
	close_job(job);
}

/* ---- list and verify --------------------------------------------------------------- */

static void list(struct ctl *ctl)
{
	struct job *job = job_new(ctl);
	json_t *backups = json_array();

	ctl->json = json_pack("{s:o}", "backups", backups);
	if (open_job(ctl, job, BACKUP_READ)) {
		for (size_t i = 0; i < job->backup.count; i++) {
			const struct manifest *one = &job->backup.list[i];

			buf_printf(&ctl->out,
				   "%-20.*s %10llu messages %14llu octets added\n",
				   STR_FMT(one->id), (unsigned long long)one->messages,
				   (unsigned long long)one->added_bytes);
			(void)json_array_append_new(backups, manifest_json(ctl, one));
		}
		if (job->backup.problems > 0)
			fail(ctl, job, "The others are not affected.");
	}
	close_job(job);
}

static void verify(struct ctl *ctl)
{
	struct job *job = job_new(ctl);
	const struct manifest *manifest;
	struct backup_seen seen;

	if (open_job(ctl, job, BACKUP_READ) && (manifest = find(ctl, job))) {
		err_t err = backup_verify(&job->backup, manifest, false, &seen);

		if (err != OK || job->backup.problems > 0) {
			fail(ctl, job,
			     "The backup is damaged; other backups of the set may be "
			     "whole.");
		} else {
			buf_printf(&ctl->out,
				   "Backup %.*s is whole: %llu octets, %llu commit "
				   "groups, %llu accounts, %llu mails in mailboxes.\n",
				   STR_FMT(manifest->id), (unsigned long long)seen.bytes,
				   (unsigned long long)seen.groups,
				   (unsigned long long)seen.accounts,
				   (unsigned long long)seen.mails);
			ctl->json = json_pack("{s:s%,s:I,s:I,s:I,s:I}", "id",
					      manifest->id.ptr, manifest->id.len, "bytes",
					      (json_int_t)seen.bytes, "groups",
					      (json_int_t)seen.groups, "accounts",
					      (json_int_t)seen.accounts, "mails",
					      (json_int_t)seen.mails);
		}
	}
	close_job(job);
}

/* ---- restore ----------------------------------------------------------------------- */

static bool read_wanted(struct ctl *ctl, struct backup_wanted *wanted)
{
	*wanted = (struct backup_wanted){.address = value_of(ctl, CTL_ACCOUNT),
					 .mailbox = value_of(ctl, CTL_MAILBOX),
					 .message_id = value_of(ctl, CTL_MESSAGE_ID)};
	if (str_find_byte(wanted->address, '@') == wanted->address.len &&
	    ctl->conf.default_domain.len > 0)
		wanted->address =
			arena_printf(&ctl->arena, "%.*s@%.*s", STR_FMT(wanted->address),
				     STR_FMT(ctl->conf.default_domain));
	return ctl_day(ctl, CTL_SINCE, &wanted->since) &&
	       ctl_day(ctl, CTL_BEFORE, &wanted->before);
}

static void bring(struct ctl *ctl, struct job *job, const struct manifest *manifest)
{
	struct backup_wanted wanted;
	struct backup_brought brought;
	account_t account;

	if (!read_wanted(ctl, &wanted))
		return;
	if (directory_find_login(&ctl->directory, wanted.address, &ctl->arena,
				 &account) != DIRECTORY_ACCOUNT) {
		ctl_fail(ctl,
			 "There is no account %.*s now.\nNothing was changed.\nMake it "
			 "first: postrider account add %.*s",
			 STR_FMT(wanted.address), STR_FMT(wanted.address));
		return;
	}
	err_t err = backup_merge(&job->backup, manifest, &wanted, ctl->store, account,
				 &brought);

	ctl->json = json_pack("{s:s%,s:I,s:I,s:I}", "id", manifest->id.ptr,
			      manifest->id.len, "matched", (json_int_t)brought.matched,
			      "brought", (json_int_t)brought.brought, "mailboxes_made",
			      (json_int_t)brought.mailboxes);
	if (err != OK)
		fail(ctl, job,
		     "What was brought back so far stays; run it again, and "
		     "nothing comes twice.");
	buf_printf(&ctl->out,
		   "%llu messages were brought back; %llu were there already.\n",
		   (unsigned long long)brought.brought,
		   (unsigned long long)(brought.matched - brought.brought));
}

static void restore_some(struct ctl *ctl)
{
	struct job *job = job_new(ctl);
	const struct manifest *manifest;

	if (open_job(ctl, job, BACKUP_READ) && (manifest = find(ctl, job)))
		bring(ctl, job, manifest);
	close_job(job);
}

static void restore_all(struct ctl *ctl)
{
	struct job *job = job_new(ctl);
	const struct manifest *manifest;
	struct backup_seen seen;
	char folder[BACKUP_PATH_MAX];

	if (str_to_c(ctl->conf.data_directory, folder, sizeof folder) &&
	    open_job(ctl, job, BACKUP_READ) && (manifest = find(ctl, job))) {
		if (backup_restore(&job->backup, manifest, folder, &seen) != OK) {
			fail(ctl, job,
			     "No server can be started with what is there now; "
			     "the backup is as it was.");
		} else {
			buf_printf(&ctl->out,
				   "Backup %.*s is restored in %s: %llu messages of %llu "
				   "accounts.\nClients will fetch their mailboxes anew. "
				   "The configuration file of then is "
				   "postrider.conf.restored there, if there was one.\n",
				   STR_FMT(manifest->id), folder,
				   (unsigned long long)seen.mails,
				   (unsigned long long)seen.accounts);
			ctl->json = json_pack("{s:s%,s:I,s:I,s:I}", "id",
					      manifest->id.ptr, manifest->id.len, "bytes",
					      (json_int_t)seen.bytes, "accounts",
					      (json_int_t)seen.accounts, "messages",
					      (json_int_t)seen.mails);
		}
	}
	close_job(job);
}

static void restore(struct ctl *ctl)
{
	const unsigned some = CTL_MAILBOX | CTL_MESSAGE_ID | CTL_SINCE | CTL_BEFORE;

	if (ctl->options & CTL_ACCOUNT)
		ctl_run(ctl, CTL_NEEDS_SERVER, restore_some);
	else if (ctl->options & some)
		ctl_fail(ctl, "Whose mail?\nNothing was changed.\n--account ADDRESS "
			      "names the account.");
	else
		restore_all(ctl);
}

static const struct ctl_verb verbs[] = {
	{"create", "TARGET", "Make a backup while the server runs, or without it.", 1, 1,
	 CTL_KEEP | CTL_KEEP_DAYS, CTL_NEEDS_SERVER, create},
	{"list", "TARGET", "Print the backups there are, and what each added.", 1, 1, 0,
	 0, list},
	{"verify", "TARGET", "Read all of a backup again, and say what is damaged.", 1, 1,
	 CTL_BACKUP, 0, verify},
	{"restore", "TARGET",
	 "Bring back everything, where no mail is; or, with --account, what is missing.",
	 1, 1,
	 CTL_BACKUP | CTL_ACCOUNT | CTL_MAILBOX | CTL_MESSAGE_ID | CTL_SINCE | CTL_BEFORE,
	 0, restore},
};

const struct ctl_word ctl_backup = {
	.name = "backup",
	.summary = "Copies of everything: mail, passwords, keys, configuration.\nTARGET "
		   "is a "
		   "folder, which holds many backups in little more room than one,\nor a "
		   "file NAME.tar, which holds one.",
	.examples = "  postrider backup create /backup/mail --keep-days 30\n"
		    "  postrider backup verify /backup/mail\n"
		    "  postrider backup restore /backup/mail --dir /var/lib/postrider\n"
		    "  postrider backup restore /backup/mail --account ann@example.com "
		    "--mailbox Work/2026\n"
		    "  postrider backup restore /backup/mail --account ann@example.com "
		    "--message-id \"<1@example.org>\"\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
