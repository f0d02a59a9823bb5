#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/self.h"
#include "directory/directory.h"
#include "store/store.h"
#include "vaultd/vaultd.h"

/* The working directory is DIR/vault. */
static const struct sandbox_path own_folder = {".", SANDBOX_WRITE};

struct vault_process {
	struct vaultd *vaultd;
	struct store *store; /* for the directory alone */
	struct directory directory;
	struct waiters opened;
};

static void make(struct self *self)
{
	struct vault_process *process = NEW(struct vault_process);

	process->store = store_open(-1);
	self->state = process;
}

static bool begin(struct self *self)
{
	struct vault_process *process = self->state;

	struct guard_options limits = {
		.address_failures_max = self->conf.address_failures_max,
		.account_failures_max = self->conf.account_failures_max,
		.account_sessions_max = self->conf.account_sessions_max};

	if (!networks_parse(self->conf.exempt, &limits.exempt) ||
	    vaultd_open(".", &limits, &process->vaultd) != OK)
		return false;
	process->directory = (struct directory){
		.store = process->store, .default_domain = self->conf.default_domain};
	vaultd_set_reports(process->vaultd, self->conf.default_domain);
	vaultd_set_directory(process->vaultd, &process->directory);
	wake_all(&process->opened);
	return true;
}

static enum vaultd_role role_for(enum child_client client)
{
	switch (client) {
	case CLIENT_SMTPD:
	case CLIENT_IMAPD:
		return VAULTD_DOOR;
	case CLIENT_CTL:
		return VAULTD_CTL;
	case CLIENT_DELIVERD:
		return VAULTD_MAILER;
	case CLIENT_MTA:
		return VAULTD_REPORTER;
	case CLIENT_VAULTD:
	case CLIENT_SIGNER:
	case CLIENT_INDEXD: /* asks the vault for nothing */
		break;
	}
	return VAULTD_SIGNER;
}

static void take(struct self *self, const struct ipc_message *message)
{
	struct vault_process *process = self->state;
	struct child_serve serve;

	if (message->fd >= 0 && message->type == CHILD_STORE) {
		store_reconnect(process->store, message->fd);
		return;
	}
	while (!process->vaultd) {
		if (wait_on(&process->opened, NEVER) != OK)
			goto refused;
	}
	if (message->fd >= 0 && message->type == CHILD_LINK) {
		vaultd_link(process->vaultd, message->fd);
		return;
	}
	if (message->fd >= 0 && message->type == CHILD_SERVE &&
	    child_serve_decode(message->body, &serve)) {
		vaultd_serve(process->vaultd, role_for(serve.client), serve.channel,
			     message->fd);
		return;
	}
refused:
	if (message->fd >= 0)
		(void)close(message->fd);
}

static void end(struct self *self)
{
	struct vault_process *process = self->state;

	vaultd_close(&process->vaultd);
	store_close(&process->store);
	mem_free(process);
}

const struct role role_vaultd = {
	.sandbox = {SANDBOX_FILES, &own_folder, 1, 65536},
	.make = make,
	.begin = begin,
	.take = take,
	.end = end,
};
