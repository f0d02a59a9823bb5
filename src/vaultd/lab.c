#include "vaultd/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/test.h"
#include "rt/offload.h"
#include "vault/codec.h"
#include "vault/link.h"

struct lab lab;

int lab_channel(enum vaultd_role role, uint64_t number)
{
	int fds[2];

	CHECK(ipc_pair(fds) == OK);
	vaultd_serve(lab.vaultd, role, number, fds[0]);
	return fds[1];
}

void lab_on_link(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	struct dec dec = dec_over(message->body);

	(void)arg;
	if (message->type == LINK_GRANT_KEY && message->body.len == GRANT_KEY_BYTES)
		memcpy(lab.grant_key, message->body.ptr, GRANT_KEY_BYTES);
	while (message->type == LINK_REVOKE && dec.rest.len > 0) {
		lab.revoked_account = dec_u32(&dec);
		lab.revoked_generation = dec_u32(&dec);
	}
	ipc_reply(ipc, message->id, LINK_DONE, STR(""), -1);
}

void lab_link_store(void)
{
	int fds[2];

	ipc_close(&lab.store);
	CHECK(ipc_pair(fds) == OK);
	vaultd_link(lab.vaultd, fds[0]);
	lab.store = ipc_open("link", fds[1], lab_on_link, NULL, NULL);
	for (int i = 0; i < 50; i++)
		task_yield();
}

static void run_test(void *arg)
{
	union {
		void *arg;
		void (*run)(void);
	} test = {arg};

	static const struct guard_options limits;

	CHECK(vaultd_open(lab.folder, &limits, &lab.vaultd) == OK);
	lab.ctl = vault_open(lab_channel(VAULTD_CTL, 1));
	lab.door = vault_open(lab_channel(VAULTD_DOOR, DOOR_CHANNEL));
	lab.sign_fd = lab_channel(VAULTD_SIGNER, 2);
	lab_link_store();
	test.run();
	vault_close(&lab.ctl);
	vault_close(&lab.door);
	ipc_close(&lab.store);
	(void)close(lab.sign_fd);
	loop_stop();
}

void lab_run(void (*run)(void))
{
	union {
		void (*run)(void);
		void *arg;
	} test = {run};
	char path[128];

	memset(&lab, 0, sizeof lab);
	(void)snprintf(lab.folder, sizeof lab.folder, "/tmp/postrider-vaultd-XXXXXX");
	CHECK(mkdtemp(lab.folder));
	loop_init();
	(void)task_start("test", run_test, test.arg);
	loop_run();
	vaultd_close(&lab.vaultd);
	offload_fini();
	loop_fini();
	(void)snprintf(path, sizeof path, "%s/secrets", lab.folder);
	(void)unlink(path);
	(void)snprintf(path, sizeof path, "%s/secrets-lock", lab.folder);
	(void)unlink(path);
	CHECK(rmdir(lab.folder) == 0);
}
