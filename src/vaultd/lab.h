/* A vault for the tests: in a process of its own it would be the same, since the channels
 * are real sockets. */
#pragma once

#include "rt/ipc.h"
#include "store/grant.h"
#include "vault/vault.h"
#include "vaultd/vaultd.h"

enum { DOOR_CHANNEL = 77 };

struct lab {
	char folder[64];
	struct vaultd *vaultd;
	struct vault *ctl, *door;
	int sign_fd;
	unsigned char grant_key[GRANT_KEY_BYTES]; /* as the store was told it */
	uint32_t revoked_account, revoked_generation;
	struct ipc *store;
};
extern struct lab lab;

/* Our end of a new channel of that role. */
int lab_channel(enum vaultd_role role, uint64_t number);
/* The store's end of the link: notes what it is told. */
void lab_on_link(struct ipc *ipc, const struct ipc_message *message, void *arg);
/* A new store hears what the vault has to tell it.  May suspend. */
void lab_link_store(void);
/* Runs the test in a task, with a new vault in a folder of its own. */
void lab_run(void (*run)(void));
