#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/door.h"
#include "net/listen.h"
#include "store/store.h"
#include "vault/vault.h"

static void make(struct self *self)
{
	struct door *door = NEW(struct door);

	door->self = self;
	door->sign_fd = -1;
	door->store = store_open(-1);
	door->vault = vault_open(-1);
	door->deliver = deliver_open(-1);
	door->extract = extract_open(-1);
	door->tally = tally_new();
	self->state = door;
}

static bool begin(struct self *self)
{
	struct door *door = self->state;

	door->directory = (struct directory){.store = door->store,
					     .default_domain = self->conf.default_domain};
	door->login = (struct login_service){.store = door->store,
					     .vault = door->vault,
					     .directory = &door->directory,
					     .tally = door->tally};
	store_on_ended(door->store, login_cancel_older);
	if (!networks_parse(self->conf.proxies, &door->proxies) ||
	    !networks_parse(self->conf.exempt, &door->exempt) || !door_tls_begin(door) ||
	    !door_tally_begin(door))
		return false;
	struct limits_options limits = {.total_max = self->connections_max,
					.each_max = self->conf.address_connections_max,
					.exempt = &door->exempt};

	door->limits = limits_new(&limits, door->tally);
	limits.each_max = 0; /* one mail server, which keeps many connections */
	door->lmtp_limits = limits_new(&limits, door->tally);
	door_offer_all(door);
	for (size_t i = 0; i < door->port_count; i++) {
		enum service service = door->ports[i].service;
		const struct service_entry *entry = service_entry(service);
		const struct listen_options options = {
			.name = entry->name,
			.limits = service == SERVICE_LMTP ? door->lmtp_limits
							  : door->limits,
			.refusal = str_c(entry->refusal),
			.proxies = door->ports[i].is_proxied ? &door->proxies : NULL,
			.handler = door_session,
			.arg = &door->offers[service],
		};

		door->ports[i].listener = listen_start(door->ports[i].fd, &options);
	}
	door->local =
		(struct smtpd_service){.kind = SMTPD_LOCAL,
				       .hostname = self->conf.hostname,
				       .login = door->login,
				       .deliver = door->deliver,
				       .message_bytes_max = self->conf.message_bytes_max,
				       .recipients_max = self->conf.recipients_max};
	return true;
}

/* Before CHILD_GO only; which ports there are does not change. */
static bool take_port(struct door *door, const struct ipc_message *message)
{
	if (message->body.len != 2 || (unsigned char)message->body.ptr[0] >= SERVICES ||
	    door->port_count == DOOR_PORTS_MAX)
		return false;
	door->ports[door->port_count].is_proxied = message->body.ptr[1] != 0;
	door->ports[door->port_count].service = (enum service)message->body.ptr[0];
	door->ports[door->port_count++].fd = message->fd;
	return true;
}

static void take(struct self *self, const struct ipc_message *message)
{
	struct door *door = self->state;

	if (message->type == CHILD_CLIENT_CA &&
	    !arena_copy(&self->arena, message->body, &door->client_ca))
		LOG(ERROR, "client CA not kept");
	if (message->fd < 0)
		return;
	switch (message->type) {
	case CHILD_LISTEN:
		if (take_port(door, message))
			return;
		break;
	case CHILD_DROP:
		door_take_drop(door, message);
		return;
	case CHILD_STORE:
		store_reconnect(door->store, message->fd);
		return;
	case CHILD_VAULT:
		vault_reconnect(door->vault, message->fd);
		tally_tell_all(door->tally); /* a new vault knows of nothing */
		return;
	case CHILD_DELIVER:
		deliver_reconnect(door->deliver, message->fd);
		return;
	case CHILD_EXTRACT:
		extract_reconnect(door->extract, message->fd);
		return;
	case CHILD_SIGN:
		if (door->sign_fd >= 0)
			(void)close(door->sign_fd);
		door->sign_fd = message->fd;
		door->is_sign_wanted = false;
		return;
	default: /* a number from outside, no enum */
		break;
	}
	(void)close(message->fd);
}

static void end(struct self *self)
{
	struct door *door = self->state;

	for (size_t i = 0; i < door->port_count; i++)
		listen_stop(&door->ports[i].listener);
	limits_free(&door->limits);
	limits_free(&door->lmtp_limits);
	tally_free(&door->tally);
	for (size_t i = 0; i < SERVICES; i++)
		tls_server_free(&door->tls[i]);
	store_close(&door->store);
	vault_close(&door->vault);
	deliver_close(&door->deliver);
	extract_close(&door->extract);
	if (door->sign_fd >= 0)
		(void)close(door->sign_fd);
	mem_free(door);
}

const struct role role_door = {
	.sandbox = {.descriptors_max = 1 << 20},
	.make = make,
	.begin = begin,
	.take = take,
	.end = end,
};
