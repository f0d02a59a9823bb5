#include "upgrade/part.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/fault.h"

enum { SAID_MAX = 1 << 20, READ_BYTES = 4096, STATUS_NO_RIGHTS = 100 };
#define ROOM_LEFT ((uint64_t)64 << 20) /* for everything else */

const char *part_text(enum part_name name)
{
	return name == PART_STORE ? "store" : "vault";
}

const char *part_file(enum part_name name)
{
	return name == PART_STORE ? "index.lmdb" : "secrets";
}

err_t part_path(const struct part *part, struct part_path *path, const char *format, ...)
{
	int head = snprintf(path->text, sizeof path->text, "%s/%s/",
			    part->upgrade->folder, part_text(part->name));
	va_list args;

	if (head < 0 || (size_t)head >= sizeof path->text)
		return ERR_LIMIT;
	va_start(args, format);
	int rest = vsnprintf(path->text + head, sizeof path->text - (size_t)head, format,
			     args);

	va_end(args);
	return rest < 0 || (size_t)(head + rest) >= sizeof path->text ? ERR_LIMIT : OK;
}

err_t part_fail(struct part *part, err_t err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vprintf(&part->said, format, args);
	va_end(args);
	return err;
}

err_t part_step(const struct part *part)
{
	static const char *const sites[][2] = {
		[PART_STORE] = {"upgrade.store", "upgrade.store.switch"},
		[PART_VAULT] = {"upgrade.vault", "upgrade.vault.switch"},
	};

	return fault_point(sites[part->name][part->is_switch]) > 0 ? ERR_IO : OK;
}

void part_tell(const struct part *part, const char *what, unsigned percent)
{
	if (part->upgrade->tell)
		part->upgrade->tell(part->upgrade->arg, what, percent);
}

err_t part_has_room(struct part *part, uint64_t octets)
{
	struct part_path path;
	struct statvfs disk;

	TRY(part_path(part, &path, "."));
	if (statvfs(path.text, &disk) != 0)
		return part_fail(part, ERR_IO, "%s: %s.", path.text, strerror(errno));
	uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;

	if (room >= octets + ROOM_LEFT)
		return OK;
	return part_fail(part, ERR_LIMIT,
			 "%s needs %llu MiB of free space for this, and there are %llu.",
			 path.text, (unsigned long long)((octets + ROOM_LEFT) >> 20),
			 (unsigned long long)(room >> 20));
}

/* ---- the other process ------------------------------------------------------------- */

__attribute__((noreturn)) static void be_child(struct part *part,
					       err_t (*work)(struct part *part), int to)
{
	const char *folder = part->upgrade->folder;

	if (!folder_become_owner(folder, part_text(part->name)))
		_exit(STATUS_NO_RIGHTS);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* changing the user forgets it */
	err_t err = work(part);
	struct str said = buf_str(&part->said);

	while (said.len > 0) {
		ssize_t did = write(to, said.ptr, said.len);

		if (did <= 0)
			break; /* the parent has gone */
		said = str_skip(said, (size_t)did);
	}
	_exit((int)err);
}

static void listen_to(struct part *part, int from)
{
	char bytes[READ_BYTES];
	ssize_t got;

	while ((got = read(from, bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR))
		if (got > 0)
			buf_add(&part->said, (struct str){bytes, (size_t)got});
}

err_t part_run(struct part *part, err_t (*work)(struct part *part))
{
	int status, ends[2];
	uid_t uid;
	gid_t gid;

	part->said = BUF(SAID_MAX);
	if (folder_owner(part->upgrade->folder, part_text(part->name), &uid, &gid) != OK)
		return OK;
	if (pipe(ends) != 0)
		return ERR_LIMIT;
	pid_t pid = fork();

	if (pid == 0) {
		(void)close(ends[0]);
		be_child(part, work, ends[1]);
	}
	(void)close(ends[1]);
	if (pid > 0)
		listen_to(part, ends[0]);
	(void)close(ends[0]);
	if (pid < 0)
		return part_fail(part, ERR_LIMIT,
				 "This machine can start no more processes.");
	while (waitpid(pid, &status, 0) < 0)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) <= ERR_DENIED)
		return (err_t)WEXITSTATUS(status);
	return part_fail(part, ERR_CLOSED, "The work in the %s was stopped (%s %d).",
			 part_text(part->name), WIFSIGNALED(status) ? "signal" : "status",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}
