/* Making a backup. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/parts.h"
#include "base/civil.h"
#include "base/mem.h"
#include "control/format.h"
#include "rt/clock.h"
#include "rt/file.h"
#include "rt/offload.h"
#include "store/store.h"
#include "vault/vault.h"

#define INDEX_FILE "index.raw"

/* A backup being made, in the folder ID.new of the set. */
struct making {
	struct backup *backup;
	const struct backup_source *source;
	struct manifest manifest;
	struct manifest *known; /* whole backups, and what is left of interrupted ones */
	size_t known_count, known_room;
	struct store_extent extent;
	char folder[BACKUP_PATH_MAX];
	err_t err;
};

/* ---- what an interrupted one left -------------------------------------------------- */

static void leftover_take(struct making *m, const char *name)
{
	struct backup *backup = m->backup;
	char path[BACKUP_PATH_MAX];
	struct manifest manifest;

	(void)backup_path(backup, path, "%s/manifest.json", name);
	if (manifest_load(backup, path, &manifest) == OK) {
		MEM_ROOM(m->known, m->known_count, m->known_room);
		m->known[m->known_count++] = manifest;
	}
	(void)file_remove_tree(backup_path(backup, path, "%s", name));
}

static void leftovers_take(struct making *m)
{
	DIR *folder = opendir(m->backup->folder);

	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		struct str name = str_c(entry->d_name);

		if (str_ends(name, STR(".new")) ||
		    str_starts(name, STR(BACKUP_TEMPORARY)))
			leftover_take(m, entry->d_name);
	}
	if (folder)
		(void)closedir(folder); /* it was only read */
}

/* ---- beginning --------------------------------------------------------------------- */

/* By the time; two in one second differ by what is behind it. */
static err_t folder_begin(struct making *m)
{
	struct backup *backup = m->backup;
	char path[BACKUP_PATH_MAX];

	m->manifest.created_at = clock_s();
	struct civil at = civil_from_unix(m->manifest.created_at, 0);

	for (unsigned i = 1;; i++) {
		m->manifest.id = arena_printf(
			&backup->arena, "%04d%02d%02dT%02d%02d%02dZ", at.year, at.month,
			at.day, at.hour, at.minute, at.second);
		if (i > 1)
			m->manifest.id = arena_printf(&backup->arena, "%.*s-%02u",
						      STR_FMT(m->manifest.id), i);
		(void)backup_path(backup, path, "%.*s", STR_FMT(m->manifest.id));
		if (access(path, F_OK) != 0)
			break;
	}
	(void)backup_path(backup, m->folder, "%.*s.new", STR_FMT(m->manifest.id));
	return mkdir(m->folder, 0700) == 0
		       ? OK
		       : backup_say(backup, ERR_IO, "%s cannot be made: %s.", m->folder,
				    strerror(errno));
}

static int file_begin(struct making *m, const char *name)
{
	char path[BACKUP_PATH_MAX + 64];

	(void)snprintf(path, sizeof path, "%s/%s", m->folder, name);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		(void)backup_say(m->backup, ERR_IO, "%s cannot be written: %s.", path,
				 strerror(errno));
	return fd;
}

static err_t ask_store(struct making *m)
{
	struct store_stats stats;
	int fd = file_begin(m, INDEX_FILE);

	if (fd < 0)
		return ERR_IO;
	enum store_outcome outcome = store_stats(m->source->store, &stats);

	backup_progress(m->backup, "copying the index", 0, 0);
	if (outcome == STORE_OK)
		outcome = store_backup_begin(m->source->store, fd, &m->backup->arena,
					     &m->extent);
	(void)close(fd); /* it is read again, and hashed, below */
	if (outcome != STORE_OK)
		return backup_say(m->backup, ERR_IO,
				  "The store does not give its index: %s.",
				  store_outcome_text(outcome));
	m->manifest.data_format = format_newest;
	m->manifest.epoch = m->extent.epoch;
	m->manifest.sequence = m->extent.sequence;
	m->manifest.accounts = stats.accounts;
	m->manifest.mailboxes = stats.mailboxes;
	m->manifest.messages = stats.messages;
	return OK;
}

static err_t ask_vault(struct making *m)
{
	int fd = file_begin(m, BACKUP_SECRETS);

	if (fd < 0)
		return ERR_IO;
	enum vault_outcome outcome = vault_copy(m->source->vault, fd);
	err_t err = file_sync(fd);

	(void)close(fd); /* synced, or no good */
	if (outcome != VAULT_OK || err != OK)
		return backup_say(m->backup, ERR_IO, "The vault cannot be copied now.");
	return OK;
}

/* ---- copying ----------------------------------------------------------------------- */

static err_t conf_copy(struct making *m)
{
	char path[BACKUP_PATH_MAX + 64];

	(void)snprintf(path, sizeof path, "%s/" BACKUP_CONF, m->folder);
	if (!m->source->conf)
		return OK;
	return file_copy(m->source->conf, path, NULL, NULL) == OK
		       ? OK
		       : backup_say(m->backup, ERR_IO, "%s cannot be copied.",
				    m->source->conf);
}

static err_t files_sum(struct making *m)
{
	static const char *const names[] = {BACKUP_MAP, BACKUP_SECRETS, BACKUP_CONF};
	struct manifest *manifest = &m->manifest;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct backup_file *file = &manifest->files[manifest->file_count];
		char path[BACKUP_PATH_MAX + 64];

		(void)snprintf(path, sizeof path, "%s/%s", m->folder, names[i]);
		err_t err = copy_sum(path, file);

		if (err == ERR_ABSENT)
			continue;
		TRY(err);
		file->name = str_c(names[i]);
		manifest->file_count++;
		manifest->added_bytes += i > 0 ? file->size : 0; /* the map is counted */
	}
	return OK;
}

/* In a thread: the packs, and meanwhile they are pinned. */
static void copy_packs(void *arg)
{
	struct making *m = arg;
	char path[BACKUP_PATH_MAX + 64];

	(void)snprintf(path, sizeof path, "%s/manifest.json", m->folder);
	m->err = packs_copy_in(m->backup, m->source->folder, m->known, m->known_count,
			       &m->extent, path, &m->manifest);
}

/* In a thread: the rest of it. */
static err_t copy_index(struct making *m)
{
	char path[BACKUP_PATH_MAX + 64];
	struct stat stat_of_index;

	(void)snprintf(path, sizeof path, "%s/" INDEX_FILE, m->folder);
	if (stat(path, &stat_of_index) != 0)
		return ERR_IO;
	m->manifest.index_bytes = (uint64_t)stat_of_index.st_size;
	TRY(chunks_add(m->backup, path, m->folder, &m->manifest.added_bytes));
	TRY(file_remove(path));
	TRY(conf_copy(m));
	return files_sum(m);
}

/* ---- ending ------------------------------------------------------------------------ */

/* Chunks are many small files, so the whole file system is flushed for them; the others
 * were flushed one by one. */
static err_t all_sync(struct making *m)
{
	static const char *const folders[] = {"packs", "index"};
	char path[BACKUP_PATH_MAX];
	err_t err = OK;

	for (size_t i = 0; i < COUNT_OF(folders) && err == OK; i++)
		err = file_sync_folder(backup_path(m->backup, path, "%s", folders[i]));
	int fd = open(m->backup->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd) != 0)
		err = ERR_IO;
	if (fd >= 0)
		(void)close(fd); /* it was only named */
	return err;
}

/* The name without ".new" says that it is whole. */
static err_t make_whole(struct making *m)
{
	struct backup *backup = m->backup;
	char path[BACKUP_PATH_MAX + 64];

	(void)snprintf(path, sizeof path, "%s/manifest.json", m->folder);
	TRY(manifest_save(backup, path, &m->manifest));
	TRY(all_sync(m));
	(void)backup_path(backup, path, "%.*s", STR_FMT(m->manifest.id));
	TRY(file_rename(m->folder, path));
	MEM_ROOM(backup->list, backup->count, backup->room);
	backup->list[backup->count++] = m->manifest;
	return OK;
}

/* The medium did not keep it.  Its pieces go too, so that the next one copies anew. */
static void make_nothing(struct making *m)
{
	char path[BACKUP_PATH_MAX];

	m->backup->count--;
	(void)unlink(backup_path(m->backup, path, "%.*s/manifest.json",
				 STR_FMT(m->manifest.id))); /* first: then it is none */
	(void)file_remove_tree(
		backup_path(m->backup, path, "%.*s", STR_FMT(m->manifest.id)));
}

static void finish(void *arg)
{
	struct making *m = arg;
	struct backup_seen seen;

	m->err = copy_index(m);
	if (m->err == OK)
		m->err = make_whole(m);
	if (m->err != OK) {
		(void)backup_say(m->backup, m->err, "The backup was not finished: %s.",
				 err_text(m->err));
		return;
	}
	m->err = backup_verify(m->backup, &m->backup->list[m->backup->count - 1], true,
			       &seen);
	if (m->err != OK)
		make_nothing(m);
	if (m->err == OK && m->backup->file) {
		m->err = archive_pack(m->backup, m->backup->file);
		m->backup->is_temporary = m->err == OK;
	}
}

static err_t copy_all(struct making *m)
{
	TRY(folder_begin(m));
	TRY(ask_store(m));
	TRY(ask_vault(m));
	offload(copy_packs, m);
	TRY(m->err);
	if (store_backup_end(m->source->store) != STORE_OK)
		return backup_say(m->backup, ERR_CLOSED,
				  "The server has started anew in the middle.");
	offload(finish, m);
	return m->err;
}

err_t backup_create(struct backup *backup, const struct backup_source *source)
{
	struct making *m = NEW(struct making);

	m->backup = backup;
	m->source = source;
	for (size_t i = 0; i < backup->count; i++) {
		MEM_ROOM(m->known, m->known_count, m->known_room);
		m->known[m->known_count++] = backup->list[i];
	}
	size_t whole_count = backup->count;

	backup->is_making = true;
	leftovers_take(m);
	err_t err = copy_all(m);

	/* A whole one keeps its pieces. */
	if (backup->count == whole_count)
		manifest_fini(&m->manifest);
	for (size_t i = whole_count; i < m->known_count; i++)
		manifest_fini(&m->known[i]);
	mem_free(m->known);
	mem_free(m);
	return err;
}
