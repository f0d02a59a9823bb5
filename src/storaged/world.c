#include "storaged/world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rt/clock.h"
#include "rt/ipc.h"
#include "rt/offload.h"
#include "storage/storage.h"

const unsigned char grant_key[GRANT_KEY_BYTES] = "thirty-two octets of a grant key";

struct world w;

int channel_to(enum gate_role role, uint64_t id)
{
	int fds[2];

	CHECK(ipc_pair(fds) == OK);
	storaged_add_channel(w.storaged, fds[1], role, id);
	return fds[0];
}

static void note(const struct store_request *request, bool is_begun)
{
	w.page_count += is_begun && request->call == CALL_BODY;
}

void store_process_start(void)
{
	struct storage_options options = {
		.folder = w.folder, .index_bytes_max = 256 << 20, .has_search = true};
	struct storaged_options daemon = {.staging = w.staging, .note = note};
	struct str why;

	ASSERT(storage_open(&options, &w.arena, &w.storage, &why) == OK);
	daemon.storage = w.storage;
	w.storaged = storaged_open(&daemon);
	storaged_set_grant_key(w.storaged, grant_key);
}

void store_process_stop(void)
{
	storaged_close(&w.storaged);
	storage_close(&w.storage);
}

void enter(struct store *store, account_t account, uint32_t generation)
{
	struct buf bytes = BUF(GRANT_BYTES);
	struct grant grant = {account, GRANT_ALL,        DOOR_ID,
			      1,       clock_s() + 3600, generation};

	grant_make(grant_key, &grant, &bytes);
	CHECK(store_enter(store, account, buf_str(&bytes)) == STORE_OK);
	buf_fini(&bytes);
}

enum store_outcome commit_one(struct store *store, account_t account, struct str key,
			      struct store_op op, struct store_result *result)
{
	struct store_commit commit = {
		.account = account, .key = key, .ops = &op, .count = 1};

	if (key.len > 0)
		commit.key_minute = (uint32_t)(clock_s() / 60);
	return store_commit(store, &commit, &w.arena, result);
}

struct store_op append_op(struct str raw)
{
	struct store_op op = {.kind = OP_APPEND};

	op.append.mailbox = MAILBOX_INBOX;
	op.append.body.raw = raw;
	op.append.received_at = 1000;
	return op;
}

void account_create(account_t account)
{
	struct store_op op = {.kind = OP_ACCOUNT_CREATE};

	CHECK(commit_one(w.ctl, account, STR(""), op, NULL) == STORE_OK);
}

size_t exists(account_t account)
{
	struct mailbox_row row = {0};

	CHECK(store_mailbox(w.ctl, account, MAILBOX_INBOX, &w.arena, &row) == STORE_OK);
	return row.exists;
}

static void world_task(void *arg)
{
	(void)arg; /* there is one world */
	store_process_start();
	w.door = store_open(channel_to(GATE_DOOR, DOOR_ID));
	w.deliverd = store_open(channel_to(GATE_DELIVERD, DELIVERD_ID));
	w.ctl = store_open(channel_to(GATE_CTL, CTL_ID));
	account_create(ANN);
	account_create(BOB);
	w.test();
	store_close(&w.door);
	store_close(&w.deliverd);
	store_close(&w.ctl);
	store_process_stop();
	loop_stop();
}

static void folder_remove(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[512];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (unlink(name) != 0)
			folder_remove(name);
	}
	if (dir)
		(void)closedir(dir);
	CHECK(rmdir(path) == 0);
}

void world_run(void (*test)(void))
{
	w = (struct world){.folder = "/tmp/storaged-test-XXXXXX", .test = test};
	ASSERT(mkdtemp(w.folder));
	(void)snprintf(w.staging, sizeof w.staging, "%s/staging", w.folder);
	arena_init(&w.arena, 64 << 20);
	loop_init();
	ASSERT(task_start("test", world_task, NULL));
	loop_run();
	offload_fini();
	loop_fini();
	arena_fini(&w.arena);
	folder_remove(w.folder);
}
