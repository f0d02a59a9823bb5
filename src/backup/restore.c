/* Everything back, where nothing is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/parts.h"
#include "base/mem.h"
#include "control/folder.h"
#include "control/format.h"
#include "control/users.h"
#include "rt/file.h"
#include "storage/storage.h"

#define FRESH "store.restored"

struct restoring {
	struct backup *backup;
	const struct manifest *manifest;
	const char *folder;
	struct backup_seen *seen;
	char fresh[BACKUP_PATH_MAX]; /* becomes DIR/store when it is whole */
};

/* ---- is there room? ---------------------------------------------------------------- */

static err_t check_empty(struct restoring *r)
{
	static const char *const parts[] = {"store/index.lmdb", "store/packs",
					    "vault/secrets"};
	char path[BACKUP_PATH_MAX];

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		TRY(folder_path(path, r->folder, parts[i]));
		if (access(path, F_OK) == 0)
			return backup_say(r->backup, ERR_DENIED,
					  "%s is there already: everything can be "
					  "restored only where nothing is.",
					  path);
	}
	return OK;
}

/* ---- the store --------------------------------------------------------------------- */

static err_t pack_put(struct restoring *r, const struct backup_pack *pack)
{
	char from[BACKUP_PATH_MAX], to[BACKUP_PATH_MAX + 64];
	uint64_t at = 0;

	(void)backup_path(r->backup, from, "packs/%.*s", STR_FMT(pack->file));
	(void)snprintf(to, sizeof to, "%s/packs/%08u.pack", r->fresh, pack->number);
	int in = open_from_disk(from);
	int out = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	err_t err = in >= 0 && out >= 0 ? OK : ERR_IO;

	for (size_t i = 0; i < pack->count && err == OK; i++) {
		const struct backup_piece *piece = &pack->pieces[i];
		struct backup_hash hash;

		err = copy_range(in, out, at, piece->length, &hash);
		if (err == OK && !hash_same(&hash, &piece->hash))
			err = ERR_SYNTAX;
		at += piece->length;
	}
	if (err == OK)
		err = file_sync(out);
	if (in >= 0)
		(void)close(in); /* it was only read */
	if (out >= 0)
		(void)close(out); /* synced, or no good */
	r->seen->bytes += at;
	if (err != OK)
		return backup_say(r->backup, err, "%s cannot be copied to %s: %s.", from,
				  to, err == ERR_SYNTAX ? "it is damaged" : "I/O");
	return OK;
}

static err_t packs_put(struct restoring *r)
{
	char path[BACKUP_PATH_MAX + 64];
	uint64_t done = 0, all = manifest_pack_bytes(r->manifest);

	(void)snprintf(path, sizeof path, "%s/packs", r->fresh);
	TRY(file_make_folder(path, 0700));
	for (size_t i = 0; i < r->manifest->pack_count; i++) {
		TRY(pack_put(r, &r->manifest->packs[i]));
		done += backup_pack_bytes(&r->manifest->packs[i]);
		backup_progress(r->backup, "packs", done, all);
	}
	return file_sync_folder(path);
}

static err_t index_put(struct restoring *r)
{
	char path[BACKUP_PATH_MAX + 64];

	(void)snprintf(path, sizeof path, "%s/index.lmdb", r->fresh);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return backup_say(r->backup, ERR_IO, "%s cannot be written.", path);
	err_t err = chunks_join(r->backup, r->manifest, fd);

	if (err == OK)
		err = file_sync(fd);
	(void)close(fd); /* synced, or no good */
	return err;
}

/* The log beyond the index is replayed, and the epoch raised, before any server can look.
 */
static err_t store_open_once(struct restoring *r)
{
	struct storage_options options = {.folder = r->fresh,
					  .open_as = STORAGE_RESTORED};
	struct storage *storage;
	struct store_stats stats;
	struct str why;
	err_t err = storage_open(&options, &r->backup->arena, &storage, &why);

	if (err != OK)
		return backup_say(r->backup, err, "%.*s.", STR_FMT(why));
	if (storage_stats(storage, &stats) == STORE_OK) {
		r->seen->mails = stats.messages;
		r->seen->accounts = stats.accounts;
	}
	storage_close(&storage);
	return OK;
}

/* ---- who owns it ------------------------------------------------------------------- */

static err_t give(struct restoring *r, const char *path, enum child_role role)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (uid != 0 || !child_user(role, &uid, &gid))
		return OK;
	return lchown(path, uid, gid) == 0 ? OK
					   : backup_say(r->backup, ERR_IO,
							"%s cannot be given to its user: "
							"%s.",
							path, strerror(errno));
}

static err_t give_store(struct restoring *r)
{
	static const char *const parts[] = {"", "/index.lmdb", "/index.lmdb-lock",
					    "/lock", "/packs"};
	char path[BACKUP_PATH_MAX + 64];
	uint32_t newest = 0;

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		(void)snprintf(path, sizeof path, "%s%s", r->fresh, parts[i]);
		if (access(path, F_OK) == 0)
			TRY(give(r, path, CHILD_STORAGED));
	}
	for (size_t i = 0; i < r->manifest->pack_count; i++)
		if (r->manifest->packs[i].number > newest)
			newest = r->manifest->packs[i].number;
	/* And the one that the new epoch began. */
	for (uint32_t number = 1; number <= newest + 1; number++) {
		(void)snprintf(path, sizeof path, "%s/packs/%08u.pack", r->fresh, number);
		if (access(path, F_OK) == 0)
			TRY(give(r, path, CHILD_STORAGED));
	}
	return OK;
}

/* ---- the other files --------------------------------------------------------------- */

/* Copies a file of the backup, if it has it, to a path in the data directory. */
static err_t file_put(struct restoring *r, const char *name, const char *path)
{
	const struct backup_file *wanted = manifest_file(r->manifest, name);
	char from[BACKUP_PATH_MAX];
	struct backup_file file;

	if (!wanted)
		return OK;
	(void)backup_path(r->backup, from, "%.*s/%s", STR_FMT(r->manifest->id), name);
	err_t err = file_copy(from, path, NULL, NULL);

	if (err == OK)
		err = copy_sum(path, &file);
	if (err == OK && !hash_same(&file.hash, &wanted->hash))
		err = ERR_SYNTAX;
	if (err != OK)
		return backup_say(r->backup, err, "%s cannot be copied to %s: %s.", from,
				  path, err_text(err));
	return OK;
}

static err_t vault_put(struct restoring *r)
{
	char path[BACKUP_PATH_MAX];

	TRY(folder_path(path, r->folder, "vault"));
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return backup_say(r->backup, ERR_IO, "%s cannot be made.", path);
	TRY(give(r, path, CHILD_VAULTD));
	TRY(folder_path(path, r->folder, "vault/secrets"));
	TRY(file_put(r, BACKUP_SECRETS, path));
	TRY(give(r, path, CHILD_VAULTD));
	TRY(folder_path(path, r->folder, "postrider.conf.restored"));
	return file_put(r, BACKUP_CONF, path);
}

/* The store comes last: before that the directory has no mail. */
static err_t store_put(struct restoring *r)
{
	char path[BACKUP_PATH_MAX];

	TRY(folder_path(r->fresh, r->folder, FRESH));
	(void)file_remove_tree(r->fresh); /* of an attempt before */
	TRY(file_make_folder(r->fresh, 0700));
	TRY(packs_put(r));
	TRY(index_put(r));
	TRY(store_open_once(r));
	TRY(give_store(r));
	TRY(vault_put(r));
	TRY(folder_path(path, r->folder, "store"));
	(void)file_remove_tree(path); /* nothing that counts: see check_empty() */
	return file_rename(r->fresh, path);
}

err_t backup_restore(struct backup *backup, const struct manifest *manifest,
		     const char *folder, struct backup_seen *seen)
{
	SCOPED(buf_fini) struct buf why = BUF(FOLDER_WHY_MAX);
	struct restoring r = {
		.backup = backup, .manifest = manifest, .folder = folder, .seen = seen};
	size_t problems = backup->problems;
	int lock_fd;

	*seen = (struct backup_seen){0};
	err_t err = folder_make(folder, &why);

	if (err == OK)
		err = folder_lock(folder, &lock_fd, &why);
	if (err != OK)
		return backup_say(backup, err, "%.*s", STR_FMT(buf_str(&why)));
	err = check_empty(&r);
	if (err == OK)
		err = manifest_fits(backup, manifest);
	if (err == OK && (err = format_admit(folder, format_newest, &why)) != OK)
		(void)backup_say(backup, err, "%.*s", STR_FMT(buf_str(&why)));
	if (err == OK)
		err = store_put(&r);
	(void)close(lock_fd); /* which gives it back */
	if (err != OK && backup->problems == problems)
		return backup_say(backup, err, "%s cannot be written: %s.", folder,
				  err_text(err));
	return err;
}
