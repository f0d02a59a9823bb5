#include "control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "control/child.h"
#include "control/folder.h"
#include "control/format.h"

enum { ANSWER_S = 15, END_S = 15, LOCK_TRIES = 50, LOCK_WAIT_MS = 100 };

struct control {
	int lock_fd; /* -1: a server runs, and the rest is unused */
	struct child store, vault;
};

/* ---- a server runs ----------------------------------------------------------------- */

err_t control_address(const char *folder, struct sockaddr_un *address, int *run_fd)
{
	char path[FOLDER_PATH_MAX];

	TRY(folder_path(path, folder, "run"));
	*run_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*run_fd < 0)
		return ERR_ABSENT;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)snprintf(address->sun_path, sizeof address->sun_path,
		       "/proc/self/fd/%d/control", *run_fd);
	return OK;
}

static int connect_to(const struct sockaddr_un *address)
{
	struct timeval limit = {.tv_sec = ANSWER_S};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
		return fd;
	int why = errno;
	(void)close(fd);
	errno = why;
	return -1;
}

/* The descriptor that comes with one octet; -1 if none. */
static int take_fd(int socket)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} room;
	char octet;
	struct iovec part = {&octet, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = room.bytes,
				 .msg_controllen = sizeof room.bytes};
	int fd = -1;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
	    head->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(head), sizeof fd);
	return fd;
}

/* The command line has nothing else to do, so this blocks. */
static err_t ask_server(const char *folder, int *store_fd, int *vault_fd)
{
	struct sockaddr_un address;
	char hello = CONTROL_HELLO;
	int run_fd, fd = -1;

	if (control_address(folder, &address, &run_fd) == OK) {
		fd = connect_to(&address);
		(void)close(run_fd);
	}
	if (fd < 0)
		return errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_ABSENT;
	*store_fd = *vault_fd = -1;
	if (send(fd, &hello, 1, MSG_NOSIGNAL) == 1) {
		*store_fd = take_fd(fd);
		*vault_fd = *store_fd < 0 ? -1 : take_fd(fd);
	}
	(void)close(fd);
	if (*vault_fd >= 0)
		return OK;
	if (*store_fd >= 0)
		(void)close(*store_fd);
	return ERR_DENIED;
}

/* ---- none runs --------------------------------------------------------------------- */

static err_t start(struct control *control, const char *folder, enum child_role role,
		   const char *part, struct child *child)
{
	char path[FOLDER_PATH_MAX];
	struct child_options options = {.role = role, .folder = path};
	SCOPED(buf_fini) struct buf body = BUF(1024);
	struct child_config config = {.log_level = LOG_WARN};

	SCOPED(buf_fini) struct buf why = BUF(FOLDER_WHY_MAX);

	TRY(folder_path(path, folder, part));
	if (folder_owner(folder, part, &options.uid, &options.gid) != OK) {
		options.uid = geteuid();
		options.gid = getegid();
		TRY(folder_make_part(folder, part, options.uid, options.gid, &why));
	}
	TRY(child_start(&options, NULL, NULL, child));
	child_config_encode(&config, &body);
	child_send(child, CHILD_CONFIG, buf_str(&body), -1);
	child_send(child, CHILD_KEEP, STR(""), dup(control->lock_fd));
	return OK;
}

static err_t join(struct control *control, int *store_fd, int *vault_fd)
{
	char room[CHILD_SERVE_BYTES];
	const struct child_serve who = {CLIENT_CTL, rand_u64()};
	struct str serve = child_serve_encode(room, &who);
	int link[2], store[2], vault[2];

	TRY(ipc_pair(link));
	child_send(&control->store, CHILD_LINK, STR(""), link[0]);
	child_send(&control->vault, CHILD_LINK, STR(""), link[1]);
	TRY(ipc_pair(store));
	child_send(&control->store, CHILD_SERVE, serve, store[0]);
	*store_fd = store[1];
	TRY(ipc_pair(vault));
	child_send(&control->vault, CHILD_SERVE, serve, vault[0]);
	*vault_fd = vault[1];
	child_send(&control->store, CHILD_GO, STR(""), -1);
	child_send(&control->vault, CHILD_GO, STR(""), -1);
	return OK;
}

static err_t start_private(struct control *control, const char *folder, int *store_fd,
			   int *vault_fd)
{
	SCOPED(buf_fini) struct buf why = BUF(FOLDER_WHY_MAX);

	TRY(folder_make(folder, &why));
	for (int i = 0;; i++) {
		err_t err = folder_lock(folder, &control->lock_fd, &why);

		if (err == OK)
			break;
		if (err != ERR_LIMIT || i == LOCK_TRIES)
			return err;
		/* A server may be starting, or ending. */
		TRY(task_sleep_ms(LOCK_WAIT_MS));
		if (ask_server(folder, store_fd, vault_fd) == OK)
			return OK;
	}
	/* ERR_SYNTAX tells it from other refusals. */
	if (format_admit(folder, format_newest, &why) != OK)
		return ERR_SYNTAX;
	TRY(start(control, folder, CHILD_STORAGED, "store", &control->store));
	TRY(start(control, folder, CHILD_VAULTD, "vault", &control->vault));
	return join(control, store_fd, vault_fd);
}

err_t control_open(const char *folder, struct control **result, int *store_fd,
		   int *vault_fd)
{
	struct stat stat_of_folder;
	err_t err = ask_server(folder, store_fd, vault_fd);

	if (err == ERR_DENIED)
		return err;
	if (stat(folder, &stat_of_folder) != 0)
		return ERR_ABSENT;
	struct control *control = NEW(struct control);
	control->lock_fd = -1;
	if (err != OK)
		err = start_private(control, folder, store_fd, vault_fd);
	if (err != OK)
		control_close(&control);
	*result = control;
	return err;
}

static void end(struct child *child)
{
	struct panic_record record;
	bool is_recorded;

	if (child->pid == 0)
		return;
	child_send(child, CHILD_STOP, STR(""), -1);
	if (child_wait(child, deadline_s(END_S)) != OK)
		LOG(WARN, "process had to be killed", KV_INT("pid", child->pid));
	(void)child_end(child, &record, &is_recorded);
}

void control_close(struct control **pointer)
{
	struct control *control = *pointer;

	if (!control)
		return;
	end(&control->vault);
	end(&control->store);
	if (control->lock_fd >= 0)
		(void)close(control->lock_fd);
	mem_free(control);
	*pointer = NULL;
}
