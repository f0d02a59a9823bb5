#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/self.h"
#include "storage/storage.h"
#include "storaged/storaged.h"
#include "vault/link.h"

/* The working directory is DIR/store. */
static const struct sandbox_path own_folder = {".", SANDBOX_WRITE};

struct store_process {
	struct storage *storage;
	struct storaged *storaged;
	struct ipc *vault; /* the link */
	bool has_key;      /* of grants */
	struct waiters opened, keyed;
};

enum { KEY_WAIT_S = 3, GATHER_MS = 2000 };

static void make(struct self *self)
{
	self->state = NEW(struct store_process);
}

/* The command line starts it without a configuration. */
static enum search_attachments attachments_of(const struct self *self)
{
	if (self->conf.data_directory.len == 0)
		return SEARCH_ATTACHMENTS_AS_THEY_ARE;
	return self->conf.are_attachments_searched ? SEARCH_ATTACHMENTS
						   : SEARCH_NO_ATTACHMENTS;
}

static bool begin(struct self *self)
{
	struct store_process *process = self->state;
	const struct storage_options options = {
		.folder = ".",
		.has_search = true,
		.attachments = attachments_of(self),
		.copy_bytes_a_second = self->conf.copy_bytes_a_second,
	};
	struct str why = STR("");

	err_t err = storage_open(&options, &self->arena, &process->storage, &why);
	if (err != OK) {
		LOG(ERROR, "store cannot be opened", KV_STR("reason", why),
		    KV("error", err_text(err)));
		return false;
	}
	const struct storaged_options daemon = {
		.storage = process->storage,
		.staging = "staging",
		.gather_ms = GATHER_MS,
		.retention = {.junk_days = self->conf.junk_days,
			      .trash_days = self->conf.trash_days},
	};
	process->storaged = storaged_open(&daemon);
	wake_all(&process->opened);
	return true;
}

/* What the vault says on the link. */
static void on_link(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	struct store_process *process = arg;
	struct dec dec = dec_over(message->body);

	if (message->type == LINK_GRANT_KEY && message->body.len == LINK_KEY_BYTES) {
		unsigned char key[LINK_KEY_BYTES];

		memcpy(key, message->body.ptr, sizeof key);
		storaged_set_grant_key(process->storaged, key);
		explicit_bzero(key, sizeof key);
		process->has_key = true;
		wake_all(&process->keyed);
	}
	while (message->type == LINK_REVOKE && dec.rest.len > 0 && dec_ok(&dec)) {
		account_t account = dec_u32(&dec);
		uint32_t generation = dec_u32(&dec);

		if (dec_ok(&dec))
			storaged_revoke(process->storaged, account, generation);
	}
	ipc_reply(ipc, message->id, LINK_DONE, STR(""), -1);
}

static void on_link_gone(struct ipc *ipc, void *arg)
{
	struct store_process *process = arg;

	if (process->vault == ipc)
		ipc_close(&process->vault);
}

static enum gate_role role_for(enum child_client client)
{
	switch (client) {
	case CLIENT_SMTPD:
		return GATE_SMTPD;
	case CLIENT_IMAPD:
		return GATE_DOOR;
	case CLIENT_CTL:
		return GATE_CTL;
	case CLIENT_MTA:
		return GATE_MTA;
	case CLIENT_DELIVERD:
		return GATE_DELIVERD;
	case CLIENT_INDEXD:
		return GATE_INDEXD;
	case CLIENT_VAULTD:
	case CLIENT_SIGNER: /* asks no store */
		break;
	}
	return GATE_VAULT;
}

/* A door presents its grants as soon as it is heard, and only once; before the vault has
 * told the key they would all be refused.  smtpd and deliverd can do most of their work
 * without. */
static bool await_key(struct store_process *process, enum child_client client)
{
	bool can_without = client == CLIENT_SMTPD || client == CLIENT_DELIVERD;
	deadline_t deadline = can_without ? deadline_s(KEY_WAIT_S) : NEVER;
	err_t err = OK;

	while (!process->has_key && err == OK && client != CLIENT_CTL &&
	       client != CLIENT_MTA && client != CLIENT_VAULTD && client != CLIENT_INDEXD)
		err = wait_on(&process->keyed, deadline);
	return err == OK || err == ERR_TIMEOUT;
}

static void take(struct self *self, const struct ipc_message *message)
{
	struct store_process *process = self->state;
	struct child_serve serve;

	while (!process->storaged) {
		if (wait_on(&process->opened, NEVER) != OK)
			goto refused;
	}
	if (message->fd >= 0 && message->type == CHILD_LINK) {
		ipc_close(&process->vault);
		process->vault = ipc_open("vault link", message->fd, on_link,
					  on_link_gone, process);
		return;
	}
	if (message->fd >= 0 && message->type == CHILD_SERVE &&
	    child_serve_decode(message->body, &serve) &&
	    await_key(process, serve.client)) {
		storaged_add_channel(process->storaged, message->fd,
				     role_for(serve.client), serve.channel);
		return;
	}
refused:
	if (message->fd >= 0)
		(void)close(message->fd);
}

static void end(struct self *self)
{
	struct store_process *process = self->state;

	ipc_close(&process->vault);
	storaged_close(&process->storaged);
	if (process->storage)
		storage_close(&process->storage);
	mem_free(process);
}

const struct role role_storaged = {
	.sandbox = {SANDBOX_FILES, &own_folder, 1, 65536},
	.make = make,
	.begin = begin,
	.take = take,
	.end = end,
};
