#include "upgrade/snapshot.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "rt/clock.h"
#include "rt/file.h"
#include "storage/embedded.h"

enum { MANIFEST_MAX = 4 << 20, FOLDER_MODE = 0700 };
#define MAP_BYTES ((uint64_t)64 << 30)

/* ---- the manifest ------------------------------------------------------------------ */

static bool read_line(struct str line, struct snapshot *manifest)
{
	struct str word = str_cut(&line, ' ');
	struct str first = str_cut(&line, ' ');
	uint64_t number, length;

	if (str_same(word, STR("program")))
		return true;
	if (!num_parse(first, INT64_MAX, &number))
		return false;
	if (str_same(word, STR("format")))
		manifest->format = (uint32_t)number;
	else if (str_same(word, STR("made")))
		manifest->made_at = (int64_t)number;
	else if (str_same(word, STR("is-migrated")))
		manifest->is_migrated = number != 0;
	else if (str_same(word, STR("pack")) && num_parse(line, INT64_MAX, &length)) {
		manifest->packs++;
		manifest->bytes += length;
		manifest->newest_pack = (uint32_t)num_max(manifest->newest_pack, number);
	}
	return true;
}

err_t snapshot_read(const char *path, struct snapshot *manifest)
{
	SCOPED(buf_fini) struct buf text = BUF(MANIFEST_MAX);

	*manifest = (struct snapshot){0};
	TRY(file_read(path, &text));
	struct str rest = buf_str(&text);

	while (rest.len > 0)
		if (!read_line(str_cut(&rest, '\n'), manifest))
			return ERR_SYNTAX;
	return manifest->format > 0 ? OK : ERR_SYNTAX;
}

/* ---- what there is ----------------------------------------------------------------- */

err_t packs_link(const struct part_path *from, const struct part_path *to,
		 struct buf *lines)
{
	DIR *folder = opendir(from->text);
	err_t err = OK;

	if (!folder)
		return file_is_there(from->text) ? ERR_IO : OK;
	for (struct dirent *entry; err == OK && (entry = readdir(folder));) {
		struct str name = str_c(entry->d_name);
		char old[PATH_MAX], fresh[PATH_MAX];
		struct stat stat_of_pack;

		if (!str_ends(name, STR(".pack")))
			continue;
		if (snprintf(old, sizeof old, "%s/%s", from->text, entry->d_name) >=
			    (int)sizeof old ||
		    snprintf(fresh, sizeof fresh, "%s/%s", to->text, entry->d_name) >=
			    (int)sizeof fresh)
			err = ERR_LIMIT;
		if (err == OK)
			err = stat(old, &stat_of_pack) == 0 ? file_link(old, fresh)
							    : ERR_IO;
		if (err == OK && lines)
			buf_printf(lines, "pack %.*s %llu\n", (int)name.len - 5, name.ptr,
				   (unsigned long long)stat_of_pack.st_size);
	}
	(void)closedir(folder); /* it was only read */
	return err;
}

static uint64_t size_of(const char *path)
{
	struct stat stat_of_file;

	return stat(path, &stat_of_file) == 0 ? (uint64_t)stat_of_file.st_size : 0;
}

static err_t make_folder(struct part *part, const char *name)
{
	struct part_path path;

	TRY(part_path(part, &path, "%s", name));
	return file_make_folder(path.text, FOLDER_MODE);
}

static err_t remove_folder(struct part *part, const char *name)
{
	struct part_path path;

	TRY(part_path(part, &path, "%s", name));
	return file_remove_tree(path.text);
}

/* ---- the steps --------------------------------------------------------------------- */

static err_t step_do(struct part *part, const struct migration *step,
		     const struct part_path *path)
{
	err_t (*work)(struct kv * kv) =
		part->name == PART_STORE ? step->store : step->vault;
	struct kv_options how = {
		.path = path->text, .bytes_max = MAP_BYTES, .sync = KV_SYNC_LATE};
	struct kv *kv = NULL;

	if (!work)
		return OK;
	LOG(INFO, "format changes", KV("what", step->what), KV("path", path->text));
	part_tell(part, step->what, 0);
	err_t err = kv_open(&how, &kv);

	if (err == OK)
		err = work(kv);
	if (err == OK)
		err = kv_sync(kv);
	kv_close(&kv);
	return err == OK ? part_step(part) : err;
}

static bool has_steps(const struct part *part)
{
	const struct formats *formats = part->upgrade->formats;

	for (uint32_t i = part->from; i < part->to; i++) {
		const struct migration *step = &formats->steps[i - 1];

		if (part->name == PART_STORE ? step->store : step->vault)
			return true;
	}
	return false;
}

static void copied(void *arg, uint64_t done, uint64_t all)
{
	part_tell(arg, "copying", (unsigned)(done * 100 / all));
}

/* A copy of the part's file goes through all steps. */
static err_t migrate(struct part *part)
{
	struct part_path old, next;

	TRY(part_path(part, &old, "%s", part_file(part->name)));
	TRY(part_path(part, &next, PART_NEXT "/%s", part_file(part->name)));
	if (!file_is_there(old.text))
		return OK; /* an index is made from the packs at the next start */
	TRY(part_has_room(part, size_of(old.text)));
	TRY(file_copy(old.text, next.text, copied, part));
	TRY(part_step(part));
	for (uint32_t i = part->from; i < part->to; i++) {
		const struct migration *step = &part->upgrade->formats->steps[i - 1];

		ASSERT(step->from == i);
		TRY(step_do(part, step, &next));
	}
	return OK;
}

/* ---- preparing --------------------------------------------------------------------- */

static err_t describe(struct part *part)
{
	SCOPED(buf_fini) struct buf text = BUF(MANIFEST_MAX);
	struct part_path packs, links, path;

	TRY(part_path(part, &packs, "packs"));
	TRY(part_path(part, &links, PART_MAKING "/packs"));
	TRY(part_path(part, &path, PART_MAKING "/manifest"));
	buf_printf(&text, "format %u\nmade %lld\nprogram %s\nis-migrated %d\n",
		   part->from, (long long)clock_s(), POSTRIDER_VERSION, has_steps(part));
	if (part->name == PART_STORE) {
		TRY(make_folder(part, PART_MAKING "/packs"));
		TRY(packs_link(&packs, &links, &text));
		TRY(file_sync_folder(links.text));
	}
	TRY(part_step(part));
	return buf_ok(&text) ? file_replace(path.text, buf_str(&text), 0600) : ERR_LIMIT;
}

static err_t prepare(struct part *part)
{
	struct part_path path;

	TRY(remove_folder(part, PART_MAKING));
	TRY(remove_folder(part, PART_NEXT));
	TRY(make_folder(part, PART_MAKING));
	TRY(make_folder(part, PART_NEXT));
	TRY(part_step(part));
	TRY(migrate(part));
	TRY(describe(part));
	TRY(part_path(part, &path, PART_NEXT));
	TRY(file_sync_folder(path.text));
	return part_step(part);
}

err_t snapshot_prepare(struct part *part)
{
	struct part_path path;
	const char *why;
	int lock = -1;

	TRY(part_path(part, &path, "."));
	if (part->name == PART_STORE && storage_lock(path.text, &lock, &why) != OK)
		return part_fail(part, ERR_DENIED, "%s: %s.", path.text, why);
	err_t err = prepare(part);

	if (err != OK && part->said.len == 0)
		(void)part_fail(part, err,
				"The %s cannot be brought up to date (%s); the "
				"log says more.",
				part_text(part->name), err_text(err));
	if (lock >= 0)
		(void)close(lock); /* gives it back */
	return err;
}

/* ---- the switch -------------------------------------------------------------------- */

err_t part_replace(const struct part *part, const char *name, const struct part_path *old)
{
	struct part_path path, next, lock;

	TRY(part_path(part, &path, "%s", name));
	TRY(part_path(part, &next, PART_NEXT "/%s", name));
	TRY(part_path(part, &lock, "%s-lock", name));
	if (!file_is_there(next.text))
		return OK;
	if (file_is_there(path.text))
		TRY(file_rename(path.text, old->text));
	TRY(part_step(part));
	TRY(file_remove(lock.text)); /* of LMDB, about the file that went */
	TRY(file_rename(next.text, path.text));
	return part_step(part);
}

err_t snapshot_switch(struct part *part)
{
	struct part_path making, snapshot, old;

	TRY(part_path(part, &making, PART_MAKING));
	TRY(part_path(part, &snapshot, STORAGE_SNAPSHOT));
	TRY(part_path(part, &old, STORAGE_SNAPSHOT "/%s", part_file(part->name)));
	if (file_is_there(making.text)) {
		TRY(file_remove_tree(snapshot.text)); /* of an earlier change */
		TRY(part_step(part));
		TRY(file_rename(making.text, snapshot.text));
		TRY(part_step(part));
	}
	TRY(part_replace(part, part_file(part->name), &old));
	return remove_folder(part, PART_NEXT);
}

err_t snapshot_remove(struct part *part)
{
	struct part_path path;

	/* Without its manifest it is none, should this be interrupted. */
	TRY(part_path(part, &path, STORAGE_SNAPSHOT "/manifest"));
	TRY(file_remove(path.text));
	return remove_folder(part, STORAGE_SNAPSHOT);
}
