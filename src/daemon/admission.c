/* The control socket: the command line of the same user, or root's, is given channels to
 * store and vault (control/control.h). */
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "control/control.h"
#include "daemon/supervisor_state.h"

enum { HELLO_S = 5, WAITING_MAX = 16, GUESTS_MAX = 64 };

struct admission {
	struct supervisor *supervisor;
	struct poll poll;
	unsigned guests;
};

struct guest {
	struct admission *admission;
	int fd;
};

static bool is_ours(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static bool says_hello(int fd)
{
	struct poll poll = {0};
	deadline_t deadline = deadline_s(HELLO_S);
	char octet = 0;
	ssize_t len = -1;

	if (poll_open(&poll, fd) != OK)
		return false;
	for (;;) {
		len = recv(fd, &octet, 1, MSG_DONTWAIT);
		if (len >= 0 || errno != EAGAIN)
			break;
		poll.is_readable = false;
		if (poll_readable(&poll, deadline) != OK)
			break;
	}
	poll_close(&poll);
	return len == 1 && octet == CONTROL_HELLO;
}

/* One octet that carries the descriptor, which is closed here. */
static void give(int socket, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} room = {{0}};
	char octet = 0;
	struct iovec part = {&octet, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = room.bytes,
				 .msg_controllen = sizeof room.bytes};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
	if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		LOG(INFO, "command gone before it was answered");
	(void)close(fd);
}

static void admit(void *arg)
{
	struct guest *guest = arg;
	struct admission *admission = guest->admission;
	int store_fd, vault_fd;

	if (says_hello(guest->fd) &&
	    supervisor_channels(admission->supervisor, &store_fd, &vault_fd) == OK) {
		give(guest->fd, store_fd);
		give(guest->fd, vault_fd);
	}
	(void)close(guest->fd);
	mem_free(guest);
	admission->guests--;
}

static void receive(struct admission *admission, int fd)
{
	struct guest *guest;

	if (!is_ours(fd) || admission->guests >= GUESTS_MAX) {
		LOG(WARN, "command refused");
		(void)close(fd);
		return;
	}
	guest = NEW(struct guest);
	guest->admission = admission;
	guest->fd = fd;
	admission->guests++;
	if (task_start("admit", admit, guest))
		return;
	(void)close(fd);
	mem_free(guest);
	admission->guests--;
}

static void serve(void *arg)
{
	struct admission *admission = arg;
	int listener = admission->poll.fd;

	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			receive(admission, fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN && task_sleep_ms(1000) != OK)
			break; /* no descriptors left: later */
		admission->poll.is_readable = false;
		if (poll_readable(&admission->poll, NEVER) != OK)
			break;
	}
	poll_close(&admission->poll);
	(void)close(listener);
	while (admission->guests > 0)
		task_yield(); /* they were canceled as well */
	mem_free(admission);
}

/* The lock is ours, so a socket that is there belongs to nobody. */
static int listen_at(const char *folder)
{
	struct sockaddr_un address;
	int run_fd, fd = -1;

	if (control_address(folder, &address, &run_fd) != OK)
		return -1;
	(void)unlink(address.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);
	if (fd >= 0 &&
	    (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
	     listen(fd, WAITING_MAX) != 0)) {
		LOG(ERROR, "control socket refused", KV_INT("errno", errno));
		(void)close(fd);
		fd = -1;
	}
	(void)umask(mask);
	(void)close(run_fd);
	return fd;
}

err_t admission_open(struct supervisor *supervisor)
{
	char folder[4096];
	struct admission *admission;
	int fd;

	if (!str_to_c(supervisor->options.conf->data_directory, folder, sizeof folder))
		return ERR_LIMIT;
	fd = listen_at(folder);
	if (fd < 0)
		return ERR_IO;
	admission = NEW(struct admission);
	admission->supervisor = supervisor;
	if (poll_open(&admission->poll, fd) != OK ||
	    !task_start("control socket", serve, admission)) {
		(void)close(fd);
		mem_free(admission);
		return ERR_LIMIT;
	}
	return OK;
}
