#include "control/resolve.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "control/folder.h"

enum { BEGIN_S = 10, END_S = 5, CONFIG_BYTES_MAX = 128 * 1024 };

#define SYSTEM_ROOTS "/etc/ssl/certs/ca-certificates.crt"

struct lookups {
	struct child child, fetcher;
	bool is_ready;
	struct waiters ready;
	char folder[32]; /* of its own; nothing in it is kept */
};

/* A file that the child reads, but could not open. */
static void give_file(struct child *child, enum child_message what, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		LOG(ERROR, "file cannot be read", KV("path", path));
	else
		child_send(child, what, STR(""), fd);
}

void lookups_give_anchors(struct child *child, struct str anchors)
{
	char path[FOLDER_PATH_MAX];

	if (anchors.len == 0 || str_same(anchors, STR("none")) ||
	    !str_to_c(anchors, path, sizeof path))
		return;
	give_file(child, CHILD_ANCHORS, path);
}

void lookups_give_logins(struct child *child, struct str logins)
{
	char path[FOLDER_PATH_MAX];

	if (logins.len > 0 && str_to_c(logins, path, sizeof path))
		give_file(child, CHILD_LOGINS, path);
}

void lookups_give_roots(struct child *child, struct str roots)
{
	char path[FOLDER_PATH_MAX];

	if (roots.len == 0)
		roots = STR(SYSTEM_ROOTS);
	if (str_to_c(roots, path, sizeof path))
		give_file(child, CHILD_ROOTS, path);
}

static void on_message(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	struct lookups *lookups = arg;

	(void)ipc;
	if (message->fd >= 0)
		(void)close(message->fd); /* it has nothing to give */
	lookups->is_ready |= message->type == CHILD_READY;
	wake_all(&lookups->ready);
}

/* Starts one of them, and waits until it serves. */
static err_t begin(struct lookups *lookups, enum child_role role, struct str conf,
		   struct str file, struct child *child, int *fd)
{
	const struct child_options options = {.role = role,
					      .folder = lookups->folder,
					      .uid = geteuid(),
					      .gid = getegid(),
					      .is_sandbox_optional = true};
	const struct child_config config = {.log_level = LOG_WARN, .conf = conf};
	SCOPED(buf_fini) struct buf body = BUF(CONFIG_BYTES_MAX);
	char room[CHILD_SERVE_BYTES];
	const struct child_serve who = {CLIENT_CTL, 1};
	int pair[2];

	lookups->is_ready = false;
	TRY(child_start(&options, on_message, lookups, child));
	TRY(ipc_pair(pair));
	child_config_encode(&config, &body);
	child_send(child, CHILD_CONFIG, buf_str(&body), -1);
	child_send(child, CHILD_SERVE, child_serve_encode(room, &who), pair[0]);
	if (role == CHILD_RESOLVERD)
		lookups_give_anchors(child, file);
	else
		lookups_give_roots(child, file);
	child_send(child, CHILD_GO, STR(""), -1);
	*fd = pair[1];
	(void)wait_on_either(&lookups->ready, &child->exit.readers, deadline_s(BEGIN_S));
	return lookups->is_ready ? OK : ERR_IO;
}

static err_t make_folder(struct lookups *lookups)
{
	(void)snprintf(lookups->folder, sizeof lookups->folder, "/tmp/postrider-XXXXXX");
	if (mkdtemp(lookups->folder))
		return OK;
	LOG(ERROR, "cannot make a folder", KV("path", lookups->folder));
	lookups->folder[0] = '\0';
	return ERR_IO;
}

err_t lookups_fetch(struct lookups *lookups, struct str conf, struct str roots, int *fd)
{
	*fd = -1;
	err_t err = begin(lookups, CHILD_FETCHD, conf, roots, &lookups->fetcher, fd);

	if (err != OK && *fd >= 0)
		(void)close(*fd);
	return err;
}

err_t lookups_open(struct str conf, struct str anchors, struct lookups **result, int *fd)
{
	struct lookups *lookups = NEW(struct lookups);

	*fd = -1;
	err_t err = make_folder(lookups);

	if (err == OK)
		err = begin(lookups, CHILD_RESOLVERD, conf, anchors, &lookups->child, fd);

	if (err != OK && *fd >= 0)
		(void)close(*fd);
	if (err != OK)
		lookups_close(&lookups);
	*result = lookups;
	return err;
}

static void end(struct child *child)
{
	struct panic_record record;
	bool is_recorded;

	child_send(child, CHILD_STOP, STR(""), -1);
	if (child_wait(child, deadline_s(END_S)) != OK)
		LOG(WARN, "process had to be killed", KV_INT("pid", child->pid));
	(void)child_end(child, &record, &is_recorded);
}

void lookups_close(struct lookups **pointer)
{
	struct lookups *lookups = *pointer;
	char path[sizeof lookups->folder + 16];

	if (!lookups)
		return;
	if (lookups->fetcher.pid != 0)
		end(&lookups->fetcher);
	if (lookups->child.pid != 0)
		end(&lookups->child);
	if (lookups->folder[0]) {
		(void)snprintf(path, sizeof path, "%s/root.key", lookups->folder);
		(void)unlink(path);
		(void)rmdir(lookups->folder);
	}
	mem_free(lookups);
	*pointer = NULL;
}
