/* A format 2 that only these tests have: its step adds a row to the index and one to the
 * secrets, and it is the first one that knows what a copy is (kind 4 on disk). */
#include "upgrade/upgrade.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include "control/format.h"
#include "db/kv.h"
#include "rt/fault.h"
#include "rt/file.h"
#include "storage/fixture.h"

enum { KIND_COPY = 4, DUMP_MAX = 16 << 20, STEPS_MAX = 200 };

static err_t add_row(struct kv *kv)
{
	struct kv_txn *txn;

	TRY(kv_begin(kv, KV_WRITE, &txn));
	err_t err = kv_put(txn, STR("zzzzz fake"), STR("of format 2"));

	if (err == OK)
		return kv_commit(&txn);
	kv_drop(&txn);
	return err;
}

static uint32_t since(uint8_t kind)
{
	return kind == KIND_COPY ? 2 : 1;
}

static const struct migration to_two[] = {{1, "a row is added", add_row, add_row}};
static const struct formats two = {to_two, 1, since};

/* ---- a data directory -------------------------------------------------------------- */

struct data {
	char folder[32], aside[300];
	struct fixture f; /* in its store */
	struct buf said;
};

static const char *in(const struct data *d, const char *name)
{
	static char path[1000];

	(void)snprintf(path, sizeof path, "%s/%s", d->folder, name);
	return path;
}

static void open_store(struct data *d)
{
	CHECK(fixture_open_again(&d->f) == OK);
	CHECK_STR(d->f.why, STR(""));
	ASSERT(d->f.storage);
}

static struct kv *open_secrets(const struct data *d)
{
	struct kv_options how = {.path = in(d, "vault/secrets"), .bytes_max = 16 << 20};
	struct kv *kv = NULL;

	CHECK(kv_open(&how, &kv) == OK);
	return kv;
}

static void put_secret(const struct data *d, const char *key, struct str value)
{
	struct kv *kv = open_secrets(d);
	struct kv_txn *txn;

	CHECK(kv_begin(kv, KV_WRITE, &txn) == OK);
	CHECK(kv_put(txn, str_c(key), value) == OK);
	CHECK(kv_commit(&txn) == OK);
	kv_close(&kv);
}

static bool has_secret(const struct data *d, const char *key)
{
	struct kv *kv = open_secrets(d);
	struct kv_txn *txn;
	struct str value;

	CHECK(kv_begin(kv, KV_READ, &txn) == OK);
	bool has = kv_get(txn, str_c(key), &value) == OK;

	kv_drop(&txn);
	kv_close(&kv);
	return has;
}

/* Format 1, with a bit of everything in account 1, and account 2. */
static void data_make(struct data *d)
{
	*d = (struct data){.folder = "/tmp/upgrade-test.XXXXXX", .said = BUF(1 << 20)};
	ASSERT(mkdtemp(d->folder));
	CHECK(mkdir(in(d, "store"), 0700) == 0 && mkdir(in(d, "vault"), 0700) == 0);
	CHECK(format_admit(d->folder, 1, &d->said) == OK);
	fixture_in(&d->f, in(d, "store"), FIXTURE_USUAL);
	open_store(d);
	CHECK(fixture_do(&d->f, 1, (struct store_op){.kind = OP_ACCOUNT_CREATE}) ==
	      STORE_OK);
	CHECK(fixture_do(&d->f, 2, (struct store_op){.kind = OP_ACCOUNT_CREATE}) ==
	      STORE_OK);
	fixture_much(&d->f, 1);
	fixture_shut(&d->f);
	put_secret(d, "s", STR("a secret"));
}

static void data_remove(struct data *d)
{
	CHECK(file_remove_tree(d->folder) == OK);
	arena_fini(&d->f.arena);
	buf_fini(&d->said);
}

static void dump(struct data *d, struct buf *out)
{
	*out = BUF(DUMP_MAX);
	open_store(d);
	fixture_dump(&d->f, out);
	fixture_shut(&d->f);
}

static bool same_dump(struct data *d, const struct buf *want)
{
	struct buf got;

	dump(d, &got);
	bool is_same = str_same(buf_str(&got), buf_str(want));

	buf_fini(&got);
	return is_same;
}

static err_t go(struct data *d, err_t (*way)(const struct upgrade *, struct buf *))
{
	struct upgrade how = {.folder = d->folder, .formats = &two};

	buf_reset(&d->said);
	return way(&how, &d->said);
}

static enum format_state state_of(const struct data *d, uint32_t newest)
{
	struct format format;

	return format_look(d->folder, newest, &format);
}

static const char *const sites[] = {"upgrade.store", "upgrade.vault", "upgrade.format",
				    "upgrade.store.switch", "upgrade.vault.switch"};

/* The same in a process that is killed there, or whose child is; false: not any more. */
static bool go_and_die(struct data *d, const char *site, unsigned n,
		       err_t (*way)(const struct upgrade *, struct buf *))
{
	char spec[40];
	int status;
	pid_t pid = fork();

	ASSERT(pid >= 0);
	if (pid == 0) {
		(void)snprintf(spec, sizeof spec, "%s:%u:kill", site, n);
		_exit(fault_arm(str_c(spec)) && go(d, way) == OK ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* ---- forward ----------------------------------------------------------------------- */

TEST(an_upgrade_changes_what_its_steps_say_and_nothing_else)
{
	struct data d;
	struct buf before, after;

	data_make(&d);
	dump(&d, &before);
	CHECK(go(&d, upgrade_run) == OK);
	CHECK_STR(buf_str(&d.said), STR(""));
	CHECK(state_of(&d, 2) == FORMAT_SAME);
	dump(&d, &after);
	CHECK(after.len > before.len);
	CHECK(str_starts(buf_str(&after), buf_str(&before)));
	CHECK(has_secret(&d, "s") && has_secret(&d, "zzzzz fake"));
	CHECK(file_is_there(in(&d, "store/snapshot/index.lmdb")));
	CHECK(file_is_there(in(&d, "vault/snapshot/secrets")));
	CHECK(!file_is_there(in(&d, "store/next")));
	CHECK(go(&d, upgrade_run) == OK); /* there is nothing to do */
	CHECK(same_dump(&d, &after));
	buf_fini(&before);
	buf_fini(&after);
	data_remove(&d);
}

TEST(an_older_program_refuses_newer_data_and_says_what_to_do)
{
	struct data d;
	struct upgrade old = {.formats = &formats_known};
	struct stat before, after;

	data_make(&d);
	old.folder = d.folder;
	CHECK(go(&d, upgrade_run) == OK);
	CHECK(stat(in(&d, "format"), &before) == 0);
	CHECK(state_of(&d, 1) == FORMAT_NEWER);
	CHECK(format_admit(d.folder, 1, &d.said) == ERR_DENIED);
	CHECK(str_find(buf_str(&d.said), STR("is of format 2")) < d.said.len);
	CHECK(str_find(buf_str(&d.said), STR("none newer than 1")) < d.said.len);
	CHECK(str_find(buf_str(&d.said), STR("store rollback")) < d.said.len);
	CHECK(upgrade_run(&old, &d.said) == ERR_DENIED);
	CHECK(stat(in(&d, "format"), &after) == 0 && before.st_ino == after.st_ino);
	data_remove(&d);
}

TEST(a_record_that_cannot_be_read_is_no_format)
{
	static const struct str bad[] = {STR(""),
					 STR("format\n"),
					 STR("format 0\n"),
					 STR("format 1"),
					 STR("format 1x\n"),
					 STR("program 1\n"),
					 STR("format 1\naside ../x\n"),
					 STR("format 99999999999\n")};
	struct data d;

	data_make(&d);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CHECK(file_replace(in(&d, "format"), bad[i], 0600) == OK);
		CHECK(state_of(&d, 2) == FORMAT_UNREADABLE);
		CHECK(go(&d, upgrade_run) == ERR_SYNTAX);
	}
	CHECK(file_replace(in(&d, "format"), STR("format 1\nlater words\n"), 0600) == OK);
	CHECK(state_of(&d, 1) == FORMAT_SAME && state_of(&d, 2) == FORMAT_OLDER);
	CHECK(unlink(in(&d, "format")) == 0);
	CHECK(state_of(&d, 1) == FORMAT_SAME && state_of(&d, 2) == FORMAT_OLDER);
	data_remove(&d);
}

static void kill_upgrades(const char *site, unsigned *kills, unsigned *switched)
{
	bool was_killed = true;

	for (unsigned n = 1; was_killed && n < STEPS_MAX; n++) {
		struct data d;
		struct buf before, after;

		data_make(&d);
		dump(&d, &before);
		was_killed = go_and_die(&d, site, n, upgrade_run);
		*kills += was_killed;
		if (state_of(&d, 2) == FORMAT_OLDER) {
			CHECK(state_of(&d, 1) == FORMAT_SAME);
			CHECK(same_dump(&d, &before));
			CHECK(!has_secret(&d, "zzzzz fake"));
		} else {
			CHECK(state_of(&d, 1) == FORMAT_NEWER);
			*switched += was_killed;
		}
		CHECK(go(&d, upgrade_run) == OK);
		dump(&d, &after);
		CHECK(after.len > before.len &&
		      str_starts(buf_str(&after), buf_str(&before)));
		CHECK(has_secret(&d, "s") && has_secret(&d, "zzzzz fake"));
		CHECK(file_is_there(in(&d, "store/snapshot/index.lmdb")));
		buf_fini(&before);
		buf_fini(&after);
		data_remove(&d);
	}
}

TEST(an_upgrade_killed_anywhere_is_done_or_not_begun)
{
	unsigned kills = 0, switched = 0;

	for (size_t i = 0; i < COUNT_OF(sites); i++)
		kill_upgrades(sites[i], &kills, &switched);
	CHECK(kills >= 18 && switched >= 10);
}

TEST(a_disk_that_fails_leaves_the_data_as_it_was)
{
	static const char *const faults[] = {"file.copy:1:ENOSPC", "file.copy:1:EIO",
					     "index.put:1:EIO", "file.rename:1:EIO",
					     "upgrade.vault:2:EIO"};
	struct data d;
	struct buf before;

	data_make(&d);
	dump(&d, &before);
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		CHECK(fault_arm(str_c(faults[i])));
		CHECK(go(&d, upgrade_run) != OK);
		fault_disarm();
		CHECK(d.said.len > 0);
		CHECK(state_of(&d, 1) == FORMAT_SAME && state_of(&d, 2) == FORMAT_OLDER);
		CHECK(same_dump(&d, &before));
	}
	CHECK(go(&d, upgrade_run) == OK);
	CHECK(state_of(&d, 2) == FORMAT_SAME);
	buf_fini(&before);
	data_remove(&d);
}

/* ---- back -------------------------------------------------------------------------- */

static struct store_op mail(uint64_t mailbox, const char *text)
{
	static char frame[1000];
	struct store_op op = op_append_of(mailbox, "");
	size_t len = ZSTD_compress(frame, sizeof frame, text, strlen(text), 1);

	op.append.body.frame = (struct str){frame, len};
	op.append.body.raw_size = strlen(text);
	return op;
}

static void append(struct data *d, account_t account, const char *text)
{
	CHECK(fixture_do(&d->f, account, mail(MAILBOX_INBOX, text)) == STORE_OK);
}

/* Account 1 does what format 1 knows.  Account 2 copies a mail, and goes on: a mail of it
 * is queued, and one is shared with account 3. */
static void go_on(struct data *d)
{
	static const struct queue_recipient who = {.kind = QUEUE_REMOTE,
						   .address = STR("b@example.net")};
	struct uid_range range;
	struct store_op op;

	open_store(d);
	CHECK(fixture_do(&d->f, 3, (struct store_op){.kind = OP_ACCOUNT_CREATE}) ==
	      STORE_OK);
	append(d, 1, "to account 1, first");
	append(d, 2, "to account 2, before");
	CHECK(fixture_do(&d->f, 2, op_mailbox_of("box/es", 0)) == STORE_INVALID);
	CHECK(fixture_do(&d->f, 2, op_mailbox_of("b\303\274x", 0)) == STORE_OK);
	uint64_t box = fixture_first(&d->f)->mailbox;

	op = (struct store_op){.kind = OP_COPY,
			       .copy = {MAILBOX_INBOX, box, uids_of(&range, 1, 1)}};
	CHECK(fixture_do(&d->f, 2, op) == STORE_OK);
	append(d, 2, "to account 2, after");
	uint64_t after = fixture_first(&d->f)->message;

	op = mail(box, "to the box of account 2");
	op.append.flags = FLAG_SEEN;
	CHECK(fixture_do(&d->f, 2, op) == STORE_OK);
	op = op_queue_of(&who, 1, "");
	op.queue_add.body = mail(0, "queued by account 2").append.body;
	CHECK(fixture_do(&d->f, 2, op) == STORE_OK);
	op = op_append_of(MAILBOX_INBOX, "");
	op.append.body = (struct store_body){.from_account = 2, .from_message = after};
	append(d, 3, "to account 3, before");
	CHECK(fixture_do(&d->f, 3, op) == STORE_OK);
	append(d, 1, "to account 1, second");
	fixture_shut(&d->f);
}

/* The folder of a roll-back that is complete. */
static bool find_aside(struct data *d)
{
	DIR *folder = opendir(d->folder);

	d->aside[0] = '\0';
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		char list[400];

		(void)snprintf(list, sizeof list, "%s/LIST", entry->d_name);
		if (str_starts(str_c(entry->d_name), STR("rolled-back-")) &&
		    file_is_there(in(d, list)))
			(void)snprintf(d->aside, sizeof d->aside, "%s", entry->d_name);
	}
	if (folder)
		(void)closedir(folder);
	return d->aside[0] != '\0';
}

/* A mail in that folder of it has that text. */
static bool is_aside(struct data *d, const char *name, const char *text)
{
	char path[700];

	(void)snprintf(path, sizeof path, "%s/%s/%s", d->folder, d->aside, name);
	DIR *folder = opendir(path);
	bool is_there = false;

	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		struct buf mail_text = BUF(1 << 20);
		char file[1000];

		(void)snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			CHECK(file_read(file, &mail_text) == OK);
		is_there |=
			mail_text.len > 0 && str_ends(buf_str(&mail_text), str_c(text));
		buf_fini(&mail_text);
	}
	if (folder)
		(void)closedir(folder);
	return is_there;
}

/* The newest mail of the INBOX. */
static bool has_last(struct data *d, account_t account, const char *text)
{
	struct message_row *rows;
	size_t count = fixture_rows(&d->f, account, MAILBOX_INBOX, &rows);
	char room[1000];

	if (count == 0)
		return false;
	struct str frame = fixture_body(&d->f, account, rows[count - 1].message);
	size_t len = ZSTD_decompress(room, sizeof room, frame.ptr, frame.len);

	return !ZSTD_isError(len) && str_same((struct str){room, len}, str_c(text));
}

static size_t inbox_count(struct data *d, account_t account)
{
	struct message_row *rows;

	return fixture_rows(&d->f, account, MAILBOX_INBOX, &rows);
}

/* As a program of format 1 finds it. */
static void check_rolled_back(struct data *d, uint32_t uid_validity, size_t count)
{
	struct account_summary summary;

	CHECK(state_of(d, 1) == FORMAT_SAME);
	open_store(d);
	CHECK(inbox_count(d, 1) == count + 2);
	CHECK(has_last(d, 1, "to account 1, second"));
	CHECK(has_last(d, 2, "to account 2, before"));
	CHECK(has_last(d, 3, "to account 3, before"));
	CHECK(inbox_count(d, 2) == 1);
	CHECK(fixture_mailbox(&d->f, 1, MAILBOX_INBOX).uid_validity > uid_validity);
	CHECK(storage_summary(d->f.storage, 1, &summary) == STORE_OK);
	CHECK(summary.epoch == 2);
	append(d, 2, "it goes on");
	CHECK(has_last(d, 2, "it goes on"));
	fixture_shut(&d->f);
	CHECK(!has_secret(d, "zzzzz fake") && has_secret(d, "s"));
	CHECK(!file_is_there(in(d, "store/snapshot")));
	CHECK(!file_is_there(in(d, "vault/snapshot")));
	CHECK(!file_is_there(in(d, "store/next")));
}

static void check_exported(struct data *d)
{
	CHECK(find_aside(d));
	CHECK(is_aside(d, "mail/account-2/cur", "to account 2, after"));
	CHECK(is_aside(d, "mail/account-2/.b&APw-x/cur", "to the box of account 2"));
	CHECK(is_aside(d, "mail/account-3/cur", "to account 2, after"));
	CHECK(is_aside(d, "queue", "queued by account 2"));
	CHECK(!is_aside(d, "mail/account-2/cur", "to account 2, before"));
	CHECK(!is_aside(d, "mail/account-3/cur", "to account 3, before"));
	CHECK(!is_aside(d, "mail/account-1/cur", "to account 1, first"));
}

/* The UIDVALIDITY of account 1's INBOX, and how many mails it has. */
static uint32_t look_before(struct data *d, size_t *count)
{
	open_store(d);
	uint32_t uid_validity = fixture_mailbox(&d->f, 1, MAILBOX_INBOX).uid_validity;

	*count = inbox_count(d, 1);
	fixture_shut(&d->f);
	return uid_validity;
}

TEST(a_rollback_carries_over_what_it_can_and_exports_the_rest)
{
	struct data d;
	size_t count;

	data_make(&d);
	uint32_t uid_validity = look_before(&d, &count);

	CHECK(go(&d, upgrade_run) == OK);
	go_on(&d);
	put_secret(&d, "p\0\0\0\x02", STR("x"));
	CHECK(go(&d, upgrade_rollback) == OK);
	check_rolled_back(&d, uid_validity, count);
	check_exported(&d);
	CHECK(str_find(buf_str(&d.said), STR("3 mails, and 1 recipients")) < d.said.len);
	CHECK(go(&d, upgrade_run) == OK); /* and forward again */
	CHECK(state_of(&d, 2) == FORMAT_SAME);
	data_remove(&d);
}

static void kill_rollbacks(const char *site, unsigned *kills, unsigned *switched)
{
	bool was_killed = true;

	for (unsigned n = 1; was_killed && n < STEPS_MAX; n++) {
		struct data d;
		struct buf before;
		size_t count;

		data_make(&d);
		uint32_t uid_validity = look_before(&d, &count);

		CHECK(go(&d, upgrade_run) == OK);
		go_on(&d);
		dump(&d, &before);
		was_killed = go_and_die(&d, site, n, upgrade_rollback);
		*kills += was_killed;
		if (state_of(&d, 2) == FORMAT_SAME) {
			CHECK(state_of(&d, 1) == FORMAT_NEWER);
			CHECK(same_dump(&d, &before));
			CHECK(go(&d, upgrade_rollback) == OK);
		} else if (state_of(&d, 2) == FORMAT_CHANGING) {
			*switched += 1;
			CHECK(state_of(&d, 1) == FORMAT_NEWER);
			/* Whatever is started next ends it. */
			CHECK(n % 2 ? go(&d, upgrade_rollback) == OK
				    : go(&d, upgrade_run) == ERR_DENIED);
		}
		check_rolled_back(&d, uid_validity, count);
		check_exported(&d);
		buf_fini(&before);
		data_remove(&d);
	}
}

TEST(a_rollback_killed_anywhere_is_done_or_not_begun)
{
	unsigned kills = 0, switched = 0;

	for (size_t i = 0; i < COUNT_OF(sites); i++)
		kill_rollbacks(sites[i], &kills, &switched);
	CHECK(kills >= 12 && switched >= 7);
}

TEST(nothing_goes_back_without_a_snapshot)
{
	struct data d;
	struct upgrade_snapshot found;

	data_make(&d);
	CHECK(go(&d, upgrade_rollback) == ERR_DENIED); /* it is of format 1 */
	CHECK(go(&d, upgrade_run) == OK);
	CHECK(upgrade_find(d.folder, &found) && found.format == 1 && found.packs == 1);
	CHECK(upgrade_forget(d.folder, &d.said) == OK);
	CHECK(!upgrade_find(d.folder, &found));
	CHECK(!file_is_there(in(&d, "store/snapshot")));
	CHECK(go(&d, upgrade_rollback) == ERR_ABSENT);
	data_remove(&d);
}

TEST(a_snapshot_keeps_the_space_until_it_is_too_old)
{
	struct data d;
	struct upgrade_snapshot found;
	struct stat before, after;

	data_make(&d);
	CHECK(go(&d, upgrade_run) == OK);
	CHECK(stat(in(&d, "store/packs/00000001.pack"), &before) == 0);
	open_store(&d);
	CHECK(storage_is_pinned(d.f.storage));
	append(&d, 1, "in a pack of its own");
	CHECK(stat(in(&d, "store/packs/00000001.pack"), &after) == 0);
	CHECK(after.st_size <= before.st_size);
	CHECK(file_is_there(in(&d, "store/packs/00000002.pack")));
	upgrade_expire(d.folder, 1);
	CHECK(upgrade_find(d.folder, &found));
	upgrade_expire(d.folder, 0);
	CHECK(!upgrade_find(d.folder, &found));
	fixture_maintain(&d.f, 2000000000);
	CHECK(!storage_is_pinned(d.f.storage));
	fixture_shut(&d.f);
	data_remove(&d);
}
