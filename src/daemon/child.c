/* A child's main: confine yourself, then do what the control channel says. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/self.h"
#include "rt/clock.h"
#include "rt/fault.h"

enum { CONF_BYTES_MAX = 1024 * 1024, NICEST = 19 };

const struct role *role_of(enum child_role role)
{
	switch (role) {
	case CHILD_STORAGED:
		return &role_storaged;
	case CHILD_VAULTD:
		return &role_vaultd;
	case CHILD_RESOLVERD:
		return &role_resolverd;
	case CHILD_FETCHD:
		return &role_fetchd;
	case CHILD_SMTPD:
	case CHILD_IMAPD:
		return &role_door;
	case CHILD_MTA:
		return &role_mta;
	case CHILD_DELIVERD:
		return &role_deliverd;
	case CHILD_INDEXD:
		return &role_indexd;
	case CHILD_EXTRACTD:
		return &role_extractd;
	}
	return NULL;
}

static void stop(struct self *self)
{
	if (!self->is_stopping)
		loop_stop();
	self->is_stopping = true;
}

static void begin(struct self *self)
{
	if (!self->has_config || !self->how->begin(self)) {
		LOG(ERROR, "process cannot begin");
		stop(self);
		return;
	}
	(void)ipc_event(self->control, CHILD_READY, STR(""), -1);
}

static void take_config(struct self *self, struct str body)
{
	struct child_config config;

	if (!child_config_decode(body, &config))
		return;
	self->is_dev = config.is_dev;
	log_level_max = (enum log_level)config.log_level;
	self->connections_max = config.connections_max;
	if (config.hurry > 1)
		clock_hurry(config.hurry);
	self->has_config = config.conf.len == 0 ||
			   conf_decode(config.conf, &self->arena, &self->conf);
}

static void take_poison(struct str body)
{
	uint64_t keys[PANIC_POISON_MAX];
	struct dec dec = dec_over(body);
	size_t count = 0;

	while (count < COUNT_OF(keys) && dec.rest.len >= 8)
		keys[count++] = dec_u64(&dec);
	panic_set_poison(keys, count);
}

static void on_message(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	struct self *self = arg;

	(void)ipc;
	switch (message->type) {
	case CHILD_CONFIG:
		take_config(self, message->body);
		break;
	case CHILD_POISON:
		take_poison(message->body);
		break;
	case CHILD_KEEP:
		return; /* the descriptor stays open until we end */
	case CHILD_GO:
		self->index =
			message->body.len > 0 ? (unsigned char)message->body.ptr[0] : 0;
		begin(self);
		break;
	case CHILD_STOP:
		stop(self);
		break;
	default: /* a number from outside, no enum */
		self->how->take(self, message);
		return;
	}
	if (message->fd >= 0)
		(void)close(message->fd);
}

/* The supervisor has closed its end on purpose: if it had died, so had we. */
static void on_gone(struct ipc *ipc, void *arg)
{
	(void)ipc;
	stop(arg);
}

static bool confine(const struct self *self)
{
	const char *option = getenv("POSTRIDER_SANDBOX");
	bool is_optional = option && strcmp(option, "optional") == 0;
	err_t err = sandbox_enter(&self->how->sandbox);

	if (err == ERR_ABSENT && is_optional) {
		LOG(WARN, "sandbox incomplete");
		return true;
	}
	if (err != OK)
		LOG(ERROR, "sandbox refused", KV("error", err_text(err)));
	return err == OK;
}

static int run(struct self *self)
{
	const char *fault = getenv("POSTRIDER_FAULT");

	if (fault && !fault_arm(str_c(fault))) {
		LOG(ERROR, "fault not understood", KV("spec", fault));
		return 1;
	}
	loop_init();
	self->how->make(self);
	self->control = ipc_open("control", CHILD_CONTROL_FD, on_message, on_gone, self);
	loop_run();
	self->how->end(self);
	ipc_close(&self->control);
	loop_fini();
	arena_fini(&self->arena);
	return 0;
}

/* Started by hand it would confine itself and wait for messages that never come. */
static bool has_control(void)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	return getsockopt(CHILD_CONTROL_FD, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0;
}

int child_main(int argc, char **argv)
{
	struct self self = {0};
	bool is_probe = argc == 3 && strcmp(argv[2], "--probe") == 0;

	if ((argc != 2 && !is_probe) || !child_role_find(str_c(argv[1]), &self.role) ||
	    (!is_probe && !has_control())) {
		(void)fprintf(stderr, "postrider: \"child\" is for the server itself.\n");
		return 2;
	}
	log_name(child_role_name(self.role));
	self.how = role_of(self.role);
	arena_init(&self.arena, CONF_BYTES_MAX);
	panic_init(is_probe ? -1 : CHILD_REPORT_FD);
	if (self.how->is_patient && setpriority(PRIO_PROCESS, 0, NICEST) != 0)
		LOG(WARN, "process is not patient", KV_INT("errno", errno));
	if (!confine(&self))
		return 1;
	return is_probe ? self_probe() : run(&self);
}
