/* The supervisor's side of DIR/drop: it looks whether there is something, opens it, and
 * hands it to smtpd unread; it removes what smtpd has taken.  Users own the files, so
 * what they are is looked at with care. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/log.h"
#include "base/mem.h"
#include "control/folder.h"
#include "daemon/supervisor_state.h"
#include "queue/id.h"

enum {
	LOOK_MS = 500,
	UNDER_WAY_MAX = 64, /* or waiting to be tried again */
	AGAIN_S = 60,
	STALE_S = 86400, /* a file that nobody goes on writing */
	NAMES_A_LOOK = 1000,
	BODY_MAX = 4 + QUEUE_ID_LETTERS,
};

/* A file that smtpd has, or could not take just now. */
struct drop {
	char name[QUEUE_ID_LETTERS + 1]; /* "": this place is free */
	uint64_t channel;                /* the smtpd that has it; 0: none */
	deadline_t again_at;
};

struct drops {
	struct supervisor *supervisor;
	int folder_fd;
	struct timespec changed; /* the folder, when it was last found empty */
	struct drop list[UNDER_WAY_MAX];
};

static bool is_id(const char *name)
{
	return strlen(name) == QUEUE_ID_LETTERS &&
	       strspn(name, "0123456789abcdefghjkmnpqrstvwxyz") == QUEUE_ID_LETTERS;
}

static struct drop *find(struct drops *drops, const char *name)
{
	for (size_t i = 0; i < UNDER_WAY_MAX; i++)
		if (strcmp(drops->list[i].name, name) == 0)
			return &drops->list[i];
	return NULL;
}

static void remove_file(struct drops *drops, const char *name)
{
	if (unlinkat(drops->folder_fd, name, 0) != 0 && errno != ENOENT)
		LOG(ERROR, "dropped file stays", KV("path", name),
		    KV_INT("errno", errno));
}

/* By name in the setting; root and we ourselves always. */
static bool is_allowed(const struct drops *drops, uid_t uid)
{
	struct str names = drops->supervisor->options.conf->sendmail_allow;
	struct passwd *user = getpwuid(uid);

	return uid == 0 || uid == geteuid() ||
	       conf_names_have(names, str_c(user ? user->pw_name : ""));
}

/* Only a file of its owner's own making: one name, no link to somebody else's. */
static int open_file(struct drops *drops, const char *name, struct stat *stat)
{
	int fd = openat(drops->folder_fd, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fstat(fd, stat) == 0 && S_ISREG(stat->st_mode) && stat->st_nlink == 1)
		return fd;
	LOG(WARN, "dropped file not taken", KV("path", name),
	    KV_INT("owner", stat->st_uid));
	(void)close(fd);
	return -1;
}

/* A door that is ready; one is enough, as mail from here is little. */
static struct slot *taker(struct drops *drops)
{
	struct supervisor *supervisor = drops->supervisor;

	for (size_t i = 0; i < supervisor->slot_count; i++) {
		struct slot *slot = &supervisor->slots[i];

		if (slot->role == CHILD_SMTPD && slot->is_ready)
			return slot;
	}
	return NULL;
}

static void give(struct drops *drops, struct drop *drop, const char *name)
{
	SCOPED(buf_fini) struct buf body = BUF(BODY_MAX);
	struct slot *slot = taker(drops);
	struct stat stat = {0};
	int fd = slot ? open_file(drops, name, &stat) : -1;

	*drop = (struct drop){.again_at = deadline_s(AGAIN_S)};
	memcpy(drop->name, name, QUEUE_ID_LETTERS + 1);
	if (fd >= 0 && !is_allowed(drops, stat.st_uid)) {
		LOG(WARN, "user may not send mail", KV_INT("owner", stat.st_uid));
		remove_file(drops, name);
		(void)close(fd);
		drop->name[0] = '\0';
		return;
	}
	if (fd < 0)
		return;
	enc_u32(&body, stat.st_uid);
	buf_add(&body, str_c(name));
	drop->channel = slot->channel;
	child_send(&slot->child, CHILD_DROP, buf_str(&body), fd);
}

/* What an smtpd had that has ended comes again; what waited long enough too. */
static void forget_old(struct drops *drops)
{
	const struct supervisor *supervisor = drops->supervisor;

	for (size_t i = 0; i < UNDER_WAY_MAX; i++) {
		struct drop *drop = &drops->list[i];
		bool is_there = false;

		for (size_t j = 0; j < supervisor->slot_count; j++)
			is_there |= supervisor->slots[j].is_ready &&
				    supervisor->slots[j].channel == drop->channel;
		if (drop->name[0] != '\0' &&
		    (drop->channel != 0 ? !is_there : loop_now() >= drop->again_at))
			drop->name[0] = '\0';
	}
}

/* Files that were begun and never finished. */
static void sweep(struct drops *drops, const char *name)
{
	struct stat stat;

	if (name[0] == '.' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	    fstatat(drops->folder_fd, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(stat.st_mode) && stat.st_mtime + STALE_S < time(NULL))
		remove_file(drops, name);
}

static void look(struct drops *drops)
{
	int fd = openat(drops->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	struct drop *free_place;

	if (!folder) {
		LOG(ERROR, "drop folder not read", KV_INT("errno", errno));
		return;
	}
	for (int i = 0; i < NAMES_A_LOOK && (entry = readdir(folder)); i++) {
		if (!is_id(entry->d_name))
			sweep(drops, entry->d_name);
		else if (!find(drops, entry->d_name) && (free_place = find(drops, "")))
			give(drops, free_place, entry->d_name);
	}
	(void)closedir(folder);
}

static bool has_any(const struct drops *drops)
{
	for (size_t i = 0; i < UNDER_WAY_MAX; i++)
		if (drops->list[i].name[0] != '\0')
			return true;
	return false;
}

/* An idle folder costs one call a look. */
static bool is_unchanged(struct drops *drops)
{
	struct stat stat;
	struct timespec last = drops->changed;

	if (fstat(drops->folder_fd, &stat) != 0)
		return false;
	drops->changed = stat.st_mtim;
	return !has_any(drops) && last.tv_sec == stat.st_mtim.tv_sec &&
	       last.tv_nsec == stat.st_mtim.tv_nsec &&
	       stat.st_mtim.tv_sec + 2 < time(NULL); /* its clock may be coarse */
}

static void watch(void *arg)
{
	struct drops *drops = arg;

	while (!drops->supervisor->is_stopping) {
		forget_old(drops);
		if (!is_unchanged(drops))
			look(drops);
		if (task_sleep_ms(LOOK_MS) != OK)
			break;
	}
	(void)close(drops->folder_fd);
	drops->supervisor->drops = NULL;
	mem_free(drops);
}

err_t drops_open(struct supervisor *supervisor)
{
	char folder[FOLDER_PATH_MAX], path[FOLDER_PATH_MAX];

	if (!str_to_c(supervisor->options.conf->data_directory, folder, sizeof folder))
		return ERR_LIMIT;
	TRY(folder_path(path, folder, "drop"));
	int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return ERR_IO;
	struct drops *drops = NEW(struct drops);

	drops->supervisor = supervisor;
	drops->folder_fd = fd;
	supervisor->drops = drops;
	if (task_start("drop folder", watch, drops))
		return OK;
	supervisor->drops = NULL;
	(void)close(fd);
	mem_free(drops);
	return ERR_LIMIT;
}

void drops_on_end(struct slot *slot, struct str body)
{
	struct drops *drops = slot->supervisor->drops;
	struct dec dec = dec_over(body);
	bool is_done = dec_u8(&dec) != 0;
	char name[QUEUE_ID_LETTERS + 1];

	if (!drops || !dec_ok(&dec) || !str_to_c(dec.rest, name, sizeof name) ||
	    !is_id(name))
		return;
	struct drop *drop = find(drops, name);

	if (!drop || drop->channel != slot->channel)
		return;
	drop->channel = 0;
	drop->again_at = deadline_s(AGAIN_S);
	if (!is_done)
		return;
	remove_file(drops, name);
	drop->name[0] = '\0';
}
