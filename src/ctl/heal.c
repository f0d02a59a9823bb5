/* Looking after the store when no server runs.  The work is done by a process of its own,
 * with the rights of the store's owner: what LMDB makes of a damaged index can end that
 * process, but not this one, which then says so. */
#include "ctl/heal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "base/mem.h"
#include "control/folder.h"
#include "control/format.h"
#include "ctl/connect.h"
#include "directory/record.h"
#include "rt/clock.h"
#include "rt/task.h"

enum { STATUS_FOUND = 1, STATUS_FAILED = 2, QUIET_MS = 2000, SAY_MS = 5000 };

/* ---- what comes of it -------------------------------------------------------------- */

static void tell(void *arg, const struct check_finding *finding)
{
	struct heal *heal = arg;
	struct arena *arena = &heal->ctl->arena;

	if (heal->count == HEAL_KEPT_MAX)
		return;
	MEM_ROOM(heal->found, heal->count, heal->room);
	struct heal_found *found = &heal->found[heal->count++];

	*found = (struct heal_found){.what = finding->what,
				     .account = finding->account,
				     .mailbox = finding->mailbox,
				     .size = finding->size,
				     .offset = finding->offset,
				     .uid = finding->uid,
				     .pack = finding->pack,
				     .at = finding->received_at,
				     .is_set_aside = finding->is_set_aside};
	found->text = arena_printf(arena, "%s%c", finding->text, '\0').ptr;
	if (arena_copy(arena, finding->mailbox_name, &found->mailbox_name))
		heal_describe(heal, finding->digest, found);
}

static void progress(void *arg, enum check_phase phase, uint64_t done, uint64_t all)
{
	static const char *const words[] = {
		[CHECK_INDEX_PAGES] = "the index is looked through",
		[CHECK_PACKS] = "the packs are read",
		[CHECK_ROWS] = "the rows are compared",
		[CHECK_REBUILD] = "the index is made",
	};
	struct heal *heal = arg;
	uint64_t now = clock_monotonic_ms();
	char line[100];

	if (now < heal->started_ms + QUIET_MS || now < heal->said_ms + SAY_MS)
		return;
	heal->said_ms = now;
	int len = all > 0 ? snprintf(line, sizeof line, "%s: %llu %%\n", words[phase],
				     (unsigned long long)(done * 100 / all))
			  : snprintf(line, sizeof line, "%s\n", words[phase]);

	if (write(heal->progress_fd, line, (size_t)len) < 0)
		return; /* nobody has to read it */
}

/* ---- names ------------------------------------------------------------------------- */

static void find_address(struct heal *heal, struct storage *storage,
			 struct heal_found *found)
{
	struct arena *arena = &heal->ctl->arena;
	struct account_record record;
	struct str value;

	if (found->account != ACCOUNT_SYSTEM &&
	    storage_kv_get(storage, ACCOUNT_SYSTEM,
			   record_account_key(arena, found->account), arena,
			   &value) == STORE_OK &&
	    record_account(value, &record))
		found->address = record.address;
}

static err_t open_storage(struct heal *heal, const char *folder, struct storage **storage,
			  struct str *why)
{
	struct storage_options how = {.folder = folder,
				      .open_as = heal->is_online ? STORAGE_READ_ONLY
								 : STORAGE_LIVE,
				      .is_as_it_is = true};

	return storage_open(&how, &heal->ctl->arena, storage, why);
}

/* Whose mail it is, if the directory can be read. */
static void find_addresses(struct heal *heal, const char *folder)
{
	SCOPED(storage_close) struct storage *storage = NULL;
	struct str why;

	if (heal->count == 0 || heal->report.found[CHECK_PAGES_DAMAGED] ||
	    open_storage(heal, folder, &storage, &why) != OK)
		return;
	for (size_t i = 0; i < heal->count; i++)
		find_address(heal, storage, &heal->found[i]);
}

/* ---- the work, in its own process -------------------------------------------------- */

static void failed(struct heal *heal, struct str why)
{
	ctl_fail(heal->ctl,
		 "%.*s.\nNothing was changed.\nThe server's log, or the disk's, may say "
		 "more.",
		 STR_FMT(why));
	heal->ctl->status = STATUS_FAILED;
}

static struct check_options options_of(struct heal *heal, const char *folder)
{
	return (struct check_options){.folder = folder,
				      .is_repairing = heal->ctl->options & CTL_REPAIR,
				      .is_copy = heal->is_online,
				      .tell = tell,
				      .progress = progress,
				      .arg = heal};
}

static void do_check(struct heal *heal, const char *folder)
{
	struct check_options how = options_of(heal, folder);
	struct str why;

	if (storage_check(&how, &heal->ctl->arena, &heal->report, &why) != OK) {
		failed(heal, why);
		return;
	}
	find_addresses(heal, folder);
	heal_say_check(heal);
	heal->ctl->status = check_is_clean(&heal->report) ? 0 : STATUS_FOUND;
}

static void do_rebuild(struct heal *heal, const char *folder)
{
	struct check_options how = options_of(heal, folder);
	struct str why;

	if (storage_rebuild(&how, &heal->ctl->arena, &heal->report, &why) != OK)
		failed(heal, why);
	else
		heal_say_rebuild(heal);
}

static void keep_damaged(struct heal *heal, const struct damaged_row *row)
{
	MEM_ROOM(heal->found, heal->count, heal->room);
	struct heal_found *found = &heal->found[heal->count++];

	*found = (struct heal_found){.what = CHECK_BODY_LOST,
				     .text = "the body of a mail",
				     .account = row->account,
				     .mailbox = row->mailbox,
				     .mailbox_name = row->mailbox_name,
				     .uid = row->uid,
				     .size = row->size,
				     .at = row->received_at,
				     .is_set_aside = true};
	heal_describe(heal, row->digest, found);
}

static void do_damaged(struct heal *heal, const char *folder)
{
	SCOPED(storage_close) struct storage *storage = NULL;
	struct str why;
	account_t account = ACCOUNT_SYSTEM;
	uint64_t message = 0;
	struct damaged_row *rows;
	size_t count;
	enum store_outcome outcome;

	if (open_storage(heal, folder, &storage, &why) != OK) {
		failed(heal, why);
		return;
	}
	while ((outcome = storage_damaged(storage, account, message, CTL_PAGE,
					  &heal->ctl->arena, &rows, &count)) ==
		       STORE_OK &&
	       count > 0) {
		for (size_t i = 0; i < count; i++)
			if (rows[i].size > 0) /* else a gap in the log */
				keep_damaged(heal, &rows[i]);
		account = rows[count - 1].account;
		message = rows[count - 1].message;
	}
	for (size_t i = 0; i < heal->count; i++)
		find_address(heal, storage, &heal->found[i]);
	if (outcome != STORE_OK)
		ctl_fail_store(heal->ctl, outcome);
	else
		heal_say_damaged(heal);
}

/* ---- the two processes ------------------------------------------------------------- */

typedef void heal_work(struct heal *heal, const char *folder);

/* What the store logs while it is looked at is said again, in better order. */
static int quiet(void)
{
	int was = dup(STDERR_FILENO);
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (nowhere >= 0) {
		(void)dup2(nowhere, STDERR_FILENO);
		(void)close(nowhere);
	}
	return was;
}

static void loud(int was)
{
	(void)dup2(was, STDERR_FILENO);
}

static void print(const struct ctl *ctl)
{
	if (ctl->is_json && ctl->json) {
		(void)json_dumpf(ctl->json, stdout, JSON_INDENT(1));
		(void)fputc('\n', stdout);
	} else if (!ctl->is_json) {
		(void)fwrite(ctl->out.ptr, 1, ctl->out.len, stdout);
	}
	(void)fflush(stdout); /* the status tells, too */
}

struct apart {
	struct heal *heal;
	const char *folder;
	heal_work *work;
};

static void run_apart(void *arg)
{
	const struct apart *apart = arg;

	apart->work(apart->heal, apart->folder);
}

/* base: the data directory, whose store's owner does the work in folder. */
__attribute__((noreturn)) static void work_apart(struct ctl *ctl, const char *base,
						 const char *folder, heal_work *work)
{
	struct heal heal = {.ctl = ctl,
			    .is_online = ctl->options & CTL_ONLINE,
			    .started_ms = clock_monotonic_ms()};

	if (!folder_become_owner(base, "store"))
		_exit(STATUS_FAILED);
	heal.progress_fd = quiet();
	struct apart apart = {&heal, folder, work};

	if (task_self())
		on_big_stack(run_apart, &apart); /* a task's own is too small */
	else
		run_apart(&apart);
	loud(heal.progress_fd);
	if (!buf_ok(&ctl->out))
		ctl->status = STATUS_FAILED;
	print(ctl);
	_exit(ctl->status);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		continue;
	return status;
}

static void begin_apart(struct ctl *ctl, const char *base, const char *folder,
			heal_work *work)
{
	pid_t pid = fork();

	if (pid == 0)
		work_apart(ctl, base, folder, work);
	int status = pid < 0 ? 0 : wait_for(pid);

	if (pid < 0) {
		ctl_fail(ctl, "This machine can start no more processes.\nNothing was "
			      "changed.");
		ctl->status = STATUS_FAILED;
	} else if (WIFEXITED(status)) {
		ctl->is_printed = true;
		ctl->status = WEXITSTATUS(status);
	} else {
		ctl_fail(ctl,
			 "The index is damaged so badly that looking at it was stopped "
			 "(signal %d).\nNothing was lost by that.\n\"postrider store "
			 "rebuild\" makes it anew from the packs.",
			 WTERMSIG(status));
		ctl->status = STATUS_FOUND;
	}
}

void heal_look_at_copy(struct ctl *ctl, const char *folder)
{
	char base[FOLDER_PATH_MAX];

	if (str_to_c(ctl->conf.data_directory, base, sizeof base))
		begin_apart(ctl, base, folder, do_check);
}

static void apart(struct ctl *ctl, heal_work *work)
{
	char base[FOLDER_PATH_MAX], folder[FOLDER_PATH_MAX];
	struct buf why = BUF(FOLDER_WHY_MAX);
	int lock = -1;
	err_t err = ERR_LIMIT;

	if (str_to_c(ctl->conf.data_directory, base, sizeof base) &&
	    folder_path(folder, base, "store") == OK)
		err = folder_lock(base, &lock, &why);
	if (err == OK && format_admit(base, format_newest, &why) != OK) {
		ctl_fail_format(ctl, base);
		ctl->status = STATUS_FAILED;
	} else if (err == OK) {
		begin_apart(ctl, base, folder, work);
	} else {
		ctl_fail(ctl,
			 "The store cannot be looked at: %.*s\nNothing was changed.\n"
			 "This needs the data directory for itself: stop the server "
			 "first, or look with\n\"postrider store check --online\".",
			 STR_FMT(buf_str(&why)));
		ctl->status = STATUS_FAILED;
	}
	if (lock >= 0)
		(void)close(lock); /* gives it back */
	buf_fini(&why);
}

void heal_check(struct ctl *ctl)
{
	if ((ctl->options & CTL_ONLINE) && (ctl->options & CTL_REPAIR)) {
		ctl_fail(ctl, "What a running server has open cannot be repaired.\n"
			      "Nothing was changed.\nStop the server for --repair.");
		ctl->status = STATUS_FAILED;
	} else if (ctl->options & CTL_ONLINE) {
		heal_online(ctl);
	} else {
		apart(ctl, do_check);
	}
}

void heal_rebuild(struct ctl *ctl)
{
	apart(ctl, do_rebuild);
}

void heal_damaged(struct ctl *ctl)
{
	apart(ctl, do_damaged);
}
