#include "control/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/log.h"
#include "control/spawn.h"

static const char *const role_names[CHILD_ROLES] = {
	"storaged", "vaultd", "resolverd", "fetchd", "smtpd",
	"imapd",    "mta",    "deliverd",  "indexd", "extractd"};

const char *child_role_name(enum child_role role)
{
	return role_names[role];
}

bool child_role_find(struct str name, enum child_role *role)
{
	for (unsigned i = 0; i < CHILD_ROLES; i++) {
		if (str_same(name, str_c(role_names[i]))) {
			*role = (enum child_role)i;
			return true;
		}
	}
	return false;
}

void child_config_encode(const struct child_config *config, struct buf *body)
{
	enc_u8(body, config->is_dev);
	enc_u8(body, config->log_level);
	enc_u32(body, config->connections_max);
	enc_u32(body, config->hurry);
	enc_str(body, config->conf);
}

bool child_config_decode(struct str body, struct child_config *config)
{
	struct dec dec = dec_over(body);

	config->is_dev = dec_u8(&dec) == 1;
	config->log_level = dec_u8(&dec);
	config->connections_max = dec_u32(&dec);
	config->hurry = dec_u32(&dec);
	config->conf = dec_str(&dec);
	return dec_done(&dec) && config->log_level <= LOG_DEBUG;
}

struct str child_serve_encode(char room[CHILD_SERVE_BYTES],
			      const struct child_serve *serve)
{
	room[0] = (char)serve->client;
	memcpy(room + 1, &serve->channel, sizeof serve->channel);
	return (struct str){room, CHILD_SERVE_BYTES};
}

bool child_serve_decode(struct str body, struct child_serve *serve)
{
	if (body.len != CHILD_SERVE_BYTES || (unsigned char)body.ptr[0] >= CHILD_CLIENTS)
		return false;
	serve->client = (enum child_client)body.ptr[0];
	memcpy(&serve->channel, body.ptr + 1, sizeof serve->channel);
	return true;
}

err_t child_start(const struct child_options *options, ipc_handler *handler, void *arg,
		  struct child *child)
{
	struct spawned spawned;

	TRY(spawn(options, &spawned));
	*child = (struct child){.pid = spawned.pid, .report_fd = spawned.report_fd};
	if (poll_open(&child->exit, spawned.pid_fd) != OK) {
		(void)kill(spawned.pid, SIGKILL);
		(void)waitpid(spawned.pid, NULL, 0);
		(void)close(spawned.pid_fd);
		(void)close(spawned.control_fd);
		(void)close(spawned.report_fd);
		child->pid = 0;
		return ERR_IO;
	}
	child->control = ipc_open("control", spawned.control_fd, handler, NULL, arg);
	LOG(INFO, "process started", KV("role", child_role_name(options->role)),
	    KV_INT("pid", child->pid));
	return OK;
}

void child_send(struct child *child, enum child_message type, struct str body, int fd)
{
	if (child->control)
		(void)ipc_event(child->control, (uint16_t)type, body, fd); /* see above */
	if (fd >= 0)
		(void)close(fd);
}

err_t child_wait(struct child *child, deadline_t deadline)
{
	while (!child->exit.is_readable)
		TRY(poll_readable(&child->exit, deadline));
	return OK;
}

static bool read_record(int fd, struct panic_record *record)
{
	char bytes[PANIC_RECORD_BYTES];
	ssize_t len = read(fd, bytes, sizeof bytes);

	return len > 0 && panic_record_parse((struct str){bytes, (size_t)len}, record);
}

int child_end(struct child *child, struct panic_record *record, bool *is_recorded)
{
	int status = 0, pid_fd = child->exit.fd;

	(void)kill(child->pid, SIGKILL); /* a zombie does not mind */
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	*is_recorded = read_record(child->report_fd, record);
	poll_close(&child->exit);
	(void)close(pid_fd);
	(void)close(child->report_fd);
	ipc_close(&child->control);
	child->pid = 0;
	return status;
}
