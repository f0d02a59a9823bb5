/* Reading a backup again. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/parts.h"
#include "db/pack.h"
#include "directory/record.h"
#include "rt/file.h"
#include "storage/storage.h"

enum { PACK_BYTES_MAX = 1 << 30 };

struct checking {
	struct backup *backup;
	const struct manifest *manifest;
	bool only_new;
	uint64_t done, all;
	struct backup_seen *seen;
};

/* ---- packs ------------------------------------------------------------------------- */

static bool has_new(const struct backup_pack *pack)
{
	for (size_t i = 0; i < pack->count; i++)
		if (pack->pieces[i].is_new)
			return true;
	return false;
}

static void check_pieces(struct checking *c, const struct backup_pack *pack)
{
	char path[BACKUP_PATH_MAX];
	uint64_t at = 0;

	(void)backup_path(c->backup, path, "packs/%.*s", STR_FMT(pack->file));
	int fd = open_from_disk(path);

	if (fd < 0) {
		(void)backup_say(c->backup, ERR_SYNTAX, "%s is missing.", path);
		return;
	}
	for (size_t i = 0; i < pack->count; i++) {
		const struct backup_piece *piece = &pack->pieces[i];
		struct backup_hash hash;

		if (!c->only_new || piece->is_new) {
			err_t err = copy_range(fd, -1, at, piece->length, &hash);

			if (err != OK || !hash_same(&hash, &piece->hash))
				(void)backup_say(
					c->backup, ERR_SYNTAX,
					"%s is damaged between octets %llu and %llu.",
					path, (unsigned long long)at,
					(unsigned long long)(at + piece->length));
			c->seen->bytes += piece->length;
		}
		at += piece->length;
		backup_progress(c->backup, "verifying", c->done += piece->length, c->all);
	}
	(void)close(fd); /* it was only read */
}

/* The groups of one pack, in a folder where it is alone: between packs some may be
 * missing for good reason. */
static err_t scan_groups(struct checking *c, const char *folder,
			 const struct backup_pack *pack)
{
	struct packs_options options = {.folder = folder,
					.pack_bytes_max = PACK_BYTES_MAX};
	struct pack_scan scan;
	struct packs *packs;
	const char *why;

	if (packs_open(&options, &packs, &why) != OK)
		return backup_say(c->backup, ERR_SYNTAX, "packs/%.*s: %s.",
				  STR_FMT(pack->file), why);
	err_t err = packs_scan(packs, packs_first(packs), packs_first_sequence(packs) - 1,
			       NULL, NULL, &scan);

	packs_close(&packs);
	if (err != OK || scan.damaged > 0)
		return backup_say(c->backup, ERR_SYNTAX,
				  "packs/%.*s: groups of commits are damaged.",
				  STR_FMT(pack->file));
	if (scan.end.offset < backup_pack_bytes(pack) &&
	    pack == &c->manifest->packs[c->manifest->pack_count - 1])
		return backup_say(c->backup, ERR_SYNTAX,
				  "packs/%.*s: the last groups are missing.",
				  STR_FMT(pack->file));
	c->seen->groups += scan.groups;
	return OK;
}

static void check_groups(struct checking *c, const struct backup_pack *pack)
{
	char folder[BACKUP_PATH_MAX], link[BACKUP_PATH_MAX + 64], path[BACKUP_PATH_MAX];
	char real[BACKUP_PATH_MAX];

	if (temporary_folder(c->backup, folder) != OK)
		return; /* it was said */
	(void)backup_path(c->backup, path, "packs/%.*s", STR_FMT(pack->file));
	(void)snprintf(link, sizeof link, "%s/%08u.pack", folder, pack->number);
	if (!realpath(path, real) || symlink(real, link) != 0)
		(void)backup_say(c->backup, ERR_IO, "%s cannot be read.", path);
	else
		(void)scan_groups(c, folder, pack); /* it says what it finds */
	(void)file_remove_tree(folder);
}

/* ---- the other files --------------------------------------------------------------- */

static void check_files(struct checking *c)
{
	for (size_t i = 0; i < c->manifest->file_count; i++) {
		const struct backup_file *wanted = &c->manifest->files[i];
		struct backup_file file = {0};
		char path[BACKUP_PATH_MAX];

		(void)backup_path(c->backup, path, "%.*s/%.*s", STR_FMT(c->manifest->id),
				  STR_FMT(wanted->name));
		err_t err = copy_sum(path, &file);

		if (err != OK)
			(void)backup_say(c->backup, err, "%s is missing or unreadable.",
					 path);
		else if (!hash_same(&file.hash, &wanted->hash))
			(void)backup_say(c->backup, ERR_SYNTAX, "%s is damaged.", path);
		c->seen->bytes += file.size;
	}
}

/* ---- the index --------------------------------------------------------------------- */

static enum store_outcome count_account(struct checking *c, struct storage *storage,
					account_t account)
{
	struct mailbox_row *rows;
	struct arena arena;
	size_t count;

	arena_init(&arena, PACK_BYTES_MAX);
	enum store_outcome outcome =
		storage_mailboxes(storage, account, &arena, &rows, &count);

	for (size_t i = 0; outcome == STORE_OK && i < count; i++)
		c->seen->mails += rows[i].exists;
	arena_fini(&arena);
	if (outcome != STORE_ABSENT)
		c->seen->accounts++;
	return outcome == STORE_ABSENT ? STORE_OK : outcome;
}

/* Account numbers are given one after the other. */
static enum store_outcome count_mails(struct checking *c, struct storage *storage)
{
	enum store_outcome outcome;
	account_t next = 0;
	struct str value;

	outcome = storage_kv_get(storage, ACCOUNT_SYSTEM, RECORD_NEXT, &c->backup->arena,
				 &value);
	if (outcome == STORE_ABSENT)
		return STORE_OK;
	if (outcome == STORE_OK && !record_number(value, &next))
		return STORE_UNAVAILABLE;
	for (account_t account = 1; outcome == STORE_OK && account < next; account++)
		outcome = count_account(c, storage, account);
	return outcome;
}

static void check_index(struct checking *c)
{
	struct view view;

	if (view_open(c->backup, c->manifest, &view) == OK &&
	    count_mails(c, view.storage) != STORE_OK)
		(void)backup_say(c->backup, ERR_SYNTAX, "The index of %.*s is damaged.",
				 STR_FMT(c->manifest->id));
	view_close(&view);
}

err_t backup_verify(struct backup *backup, const struct manifest *manifest, bool only_new,
		    struct backup_seen *seen)
{
	struct checking c = {.backup = backup,
			     .manifest = manifest,
			     .only_new = only_new,
			     .all = manifest_pack_bytes(manifest),
			     .seen = seen};
	size_t before = backup->problems;

	*seen = (struct backup_seen){0};
	for (size_t i = 0; i < manifest->pack_count; i++) {
		const struct backup_pack *pack = &manifest->packs[i];
		size_t problems = backup->problems;

		if (only_new && !has_new(pack))
			continue;
		check_pieces(&c, pack);
		if (backup->problems == problems)
			check_groups(&c, pack);
	}
	check_files(&c);
	check_index(&c);
	return backup->problems == before ? OK : ERR_SYNTAX;
}
