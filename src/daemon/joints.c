#include <unistd.h>

#include "base/log.h"
#include "base/rand.h"
#include "daemon/supervisor_state.h"

enum {
	STORE = 1 << CHILD_STORAGED,
	VAULT = 1 << CHILD_VAULTD,
	DNS = 1 << CHILD_RESOLVERD,
	WEB = 1 << CHILD_FETCHD,
	DELIVERY = 1 << CHILD_DELIVERD,
	DOCUMENTS = 1 << CHILD_EXTRACTD,
};

/* Which servers the others ask, and who they are to them. */
static const struct {
	unsigned asks;
	enum child_client client;
	bool is_for_clients; /* from the network */
} how_of[CHILD_ROLES] = {
	[CHILD_SMTPD] = {STORE | VAULT | DELIVERY, CLIENT_SMTPD, true},
	[CHILD_IMAPD] = {STORE | VAULT | DOCUMENTS, CLIENT_IMAPD, true},
	[CHILD_MTA] = {STORE | VAULT | DNS | WEB, CLIENT_MTA, false},
	[CHILD_DELIVERD] = {STORE | VAULT | DNS, CLIENT_DELIVERD, false},
	[CHILD_VAULTD] = {STORE, CLIENT_VAULTD, false},
	[CHILD_INDEXD] = {STORE | DOCUMENTS, CLIENT_INDEXD, false},
};

static bool is_running(const struct slot *slot)
{
	return slot && slot->child.pid != 0; /* NULL: there is none of the role */
}

bool joints_is_door(const struct slot *slot)
{
	return how_of[slot->role].asks != 0 && slot->role != CHILD_VAULTD;
}

bool joints_is_for_clients(const struct slot *slot)
{
	return how_of[slot->role].is_for_clients;
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

/* Where there are several of a role, each has its own: that of its number. */
static struct slot *server_of(const struct slot *door, enum child_role role)
{
	struct supervisor *supervisor = door->supervisor;

	if (role != CHILD_DELIVERD)
		return slot_of(supervisor, role);
	for (size_t i = 0; i < supervisor->slot_count; i++) {
		struct slot *slot = &supervisor->slots[i];

		if (slot->role == role && slot->index == door->index)
			return slot;
	}
	return NULL;
}

static void join_door(struct slot *door, enum child_role with)
{
	static const enum child_message messages[CHILD_ROLES] = {
		[CHILD_STORAGED] = CHILD_STORE,     [CHILD_VAULTD] = CHILD_VAULT,
		[CHILD_RESOLVERD] = CHILD_RESOLVER, [CHILD_FETCHD] = CHILD_FETCH,
		[CHILD_DELIVERD] = CHILD_DELIVER,   [CHILD_EXTRACTD] = CHILD_EXTRACT,
	};

	if (!(how_of[door->role].asks & 1u << with))
		return;
	join(server_of(door, with), door, how_of[door->role].client, messages[with]);
	if (with == CHILD_VAULTD && joints_is_for_clients(door))
		joints_sign(door);
}

void joints_make(struct slot *slot)
{
	struct supervisor *supervisor = slot->supervisor;

	for (unsigned i = 0; i < CHILD_ROLES; i++)
		join_door(slot, (enum child_role)i);
	/* The link first: a store without the key of grants could let nobody in. */
	if (slot->role == CHILD_STORAGED || slot->role == CHILD_VAULTD)
		link_store_and_vault(supervisor);
	for (size_t i = 0; i < supervisor->slot_count; i++) {
		struct slot *door = &supervisor->slots[i];

		if (server_of(door, slot->role) == slot)
			join_door(door, slot->role);
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
