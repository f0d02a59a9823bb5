#include <unistd.h>

#include "base/log.h"
#include "base/rand.h"
#include "daemon/supervisor_state.h"

static bool is_running(const struct slot *slot)
{
	return slot->child.pid != 0;
}

bool joints_is_door(const struct slot *slot)
{
	return slot->role == CHILD_SMTPD || slot->role == CHILD_IMAPD;
}

static enum child_client client_of(const struct slot *door)
{
	return door->role == CHILD_SMTPD ? CLIENT_SMTPD : CLIENT_IMAPD;
}

/* A new socket pair: one end for the server to serve, the other for the door. */
static void join(struct slot *server, struct slot *door, enum child_client client,
		 enum child_message type)
{
	char room[CHILD_SERVE_BYTES];
	const struct child_serve who = {client, door->channel};
	int fds[2];

	if (!is_running(server) || !is_running(door) || ipc_pair(fds) != OK)
		return;
	child_send(&server->child, CHILD_SERVE, child_serve_encode(room, &who), fds[0]);
	child_send(&door->child, type, STR(""), fds[1]);
}

void joints_sign(struct slot *door)
{
	door->sign_given_at = loop_now();
	join(slot_of(door->supervisor, CHILD_VAULTD), door, CLIENT_SIGNER, CHILD_SIGN);
}

static void link_store_and_vault(struct supervisor *supervisor)
{
	struct slot *store = slot_of(supervisor, CHILD_STORAGED);
	struct slot *vault = slot_of(supervisor, CHILD_VAULTD);
	int fds[2];

	if (!is_running(store) || !is_running(vault) || ipc_pair(fds) != OK)
		return;
	child_send(&store->child, CHILD_LINK, STR(""), fds[0]);
	child_send(&vault->child, CHILD_LINK, STR(""), fds[1]);
}

static void join_door(struct slot *door, enum child_role with)
{
	struct slot *server = slot_of(door->supervisor, with);

	if (with == CHILD_STORAGED) {
		join(server, door, client_of(door), CHILD_STORE);
		return;
	}
	join(server, door, client_of(door), CHILD_VAULT);
	joints_sign(door);
}

void joints_make(struct slot *slot)
{
	struct supervisor *supervisor = slot->supervisor;

	if (slot->role == CHILD_RESOLVERD || slot->role == CHILD_FETCHD)
		return; /* nobody asks them yet */
	if (joints_is_door(slot)) {
		join_door(slot, CHILD_STORAGED);
		join_door(slot, CHILD_VAULTD);
		return;
	}
	/* The link first: a store without the key of grants could let nobody in. */
	link_store_and_vault(supervisor);
	for (size_t i = 0; i < supervisor->slot_count; i++) {
		if (joints_is_door(&supervisor->slots[i]))
			join_door(&supervisor->slots[i], slot->role);
	}
}

err_t supervisor_channels(struct supervisor *supervisor, int *store_fd, int *vault_fd)
{
	struct slot *store = slot_of(supervisor, CHILD_STORAGED);
	struct slot *vault = slot_of(supervisor, CHILD_VAULTD);
	const struct child_serve who = {CLIENT_CTL, rand_u64()};
	deadline_t deadline = deadline_s(10);
	char room[CHILD_SERVE_BYTES];
	struct str body = child_serve_encode(room, &who);
	int store_pair[2], vault_pair[2];

	while (!store->is_ready || !vault->is_ready) {
		if (supervisor->is_stopping)
			return ERR_CANCELED;
		TRY(wait_on(&supervisor->changed, deadline));
	}
	TRY(ipc_pair(store_pair));
	if (ipc_pair(vault_pair) != OK) {
		(void)close(store_pair[0]);
		(void)close(store_pair[1]);
		return ERR_IO;
	}
	child_send(&store->child, CHILD_SERVE, body, store_pair[0]);
	child_send(&vault->child, CHILD_SERVE, body, vault_pair[0]);
	*store_fd = store_pair[1];
	*vault_fd = vault_pair[1];
	return OK;
}
