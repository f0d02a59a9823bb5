#include "upgrade/upgrade.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/civil.h"
#include "base/log.h"
#include "base/num.h"
#include "control/folder.h"
#include "control/format.h"
#include "rt/clock.h"
#include "rt/fault.h"
#include "rt/file.h"
#include "storage/storage.h"
#include "upgrade/rollback.h"

enum { PARTS = 2, DAY_S = 24 * 60 * 60 };

typedef err_t part_work(struct part *part);

/* In the store, then in the vault. */
static err_t in_parts(const struct part *like, part_work *work, struct buf *said)
{
	for (int i = 0; i < PARTS; i++) {
		struct part part = *like;

		part.name = (enum part_name)i;
		err_t err = part_run(&part, work);

		buf_add(said, buf_str(&part.said));
		buf_fini(&part.said);
		TRY(err);
	}
	return OK;
}

static err_t write_format(const struct upgrade *upgrade, const struct format *format,
			  struct buf *said)
{
	err_t err = format_write(upgrade->folder, format);

	if (err != OK)
		buf_printf(said, "%s/format cannot be written.", upgrade->folder);
	return err == OK && fault_point("upgrade.format") > 0 ? ERR_IO : err;
}

/* ---- the switch -------------------------------------------------------------------- */

/* From here on it is done, whatever is interrupted. */
static err_t finish(const struct upgrade *upgrade, const struct format *format,
		    struct buf *said)
{
	char aside[FOLDER_PATH_MAX];
	struct format done = {.format = format->becoming};
	struct part like = {.upgrade = upgrade,
			    .to = format->becoming,
			    .aside = aside,
			    .is_switch = true};
	bool is_back = format->becoming < format->format;

	TRY(folder_path(aside, upgrade->folder, format->aside));
	TRY(in_parts(&like, is_back ? rollback_switch : snapshot_switch, said));
	TRY(write_format(upgrade, &done, said));
	LOG(INFO, is_back ? "format put back" : "format changed",
	    KV_INT("count", done.format));
	return OK;
}

static err_t bring(const struct upgrade *upgrade, uint32_t from, struct buf *said)
{
	uint32_t newest = formats_newest(upgrade->formats);
	struct part like = {.upgrade = upgrade, .from = from, .to = newest};
	struct format format = {.format = newest, .becoming = newest};

	LOG(INFO, "format is older", KV_INT("count", from));
	TRY(in_parts(&like, snapshot_prepare, said));
	TRY(write_format(upgrade, &format, said));
	return finish(upgrade, &format, said);
}

static err_t look(const struct upgrade *upgrade, struct format *format, struct buf *said)
{
	uint32_t newest = formats_newest(upgrade->formats);

	switch (format_look(upgrade->folder, newest, format)) {
	case FORMAT_NONE:
	case FORMAT_SAME:
		return format_admit(upgrade->folder, newest, said);
	case FORMAT_OLDER:
		return bring(upgrade, format->format, said);
	case FORMAT_CHANGING:
		TRY(finish(upgrade, format, said));
		if (format->becoming == newest)
			return OK;
		buf_printf(said,
			   "A roll-back to format %u had been interrupted, and was ended "
			   "now.  Run the older program; to go forward again, start this "
			   "one once more.",
			   format->becoming);
		return ERR_DENIED;
	case FORMAT_NEWER:
		format_explain(upgrade->folder, FORMAT_NEWER, format, newest, said);
		return ERR_DENIED;
	case FORMAT_UNREADABLE:
		format_explain(upgrade->folder, FORMAT_UNREADABLE, format, newest, said);
		break;
	}
	return ERR_SYNTAX;
}

err_t upgrade_run(const struct upgrade *upgrade, struct buf *said)
{
	struct format format;
	err_t err = look(upgrade, &format, said);

	if (err != OK && said->len == 0)
		buf_printf(said,
			   "%s cannot be brought up to date (%s); the log says more.",
			   upgrade->folder, err_text(err));
	return err;
}

/* ---- going back -------------------------------------------------------------------- */

static err_t make_aside(const struct upgrade *upgrade, struct format *format,
			struct buf *said)
{
	struct civil at = civil_from_unix(clock_s(), 0);
	uid_t uid;
	gid_t gid;

	(void)snprintf(format->aside, sizeof format->aside,
		       "rolled-back-%04d%02d%02dT%02d%02d%02dZ", at.year, at.month,
		       at.day, at.hour, at.minute, at.second);
	TRY(folder_owner(upgrade->folder, "store", &uid, &gid));
	return folder_make_part(upgrade->folder, format->aside, uid, gid, said);
}

static err_t go_back(const struct upgrade *upgrade, uint32_t to, struct buf *said)
{
	char aside[FOLDER_PATH_MAX];
	struct format format = {.format = formats_newest(upgrade->formats),
				.becoming = to};
	struct part like = {.upgrade = upgrade, .to = to, .aside = aside};

	TRY(make_aside(upgrade, &format, said));
	TRY(folder_path(aside, upgrade->folder, format.aside));
	TRY(in_parts(&like, rollback_prepare, said));
	TRY(write_format(upgrade, &format, said));
	return finish(upgrade, &format, said);
}

err_t upgrade_rollback(const struct upgrade *upgrade, struct buf *said)
{
	uint32_t newest = formats_newest(upgrade->formats);
	struct upgrade_snapshot found;
	struct format format;
	enum format_state state = format_look(upgrade->folder, newest, &format);

	if (state == FORMAT_CHANGING && format.becoming < format.format)
		return finish(upgrade, &format, said);
	if (state != FORMAT_SAME) {
		format_explain(upgrade->folder, state, &format, newest, said);
		return ERR_DENIED;
	}
	if (!upgrade_find(upgrade->folder, &found)) {
		buf_add_c(said, "There is no snapshot to go back to.");
		return ERR_ABSENT;
	}
	return go_back(upgrade, found.format, said);
}

/* ---- snapshots --------------------------------------------------------------------- */

static void count_later(const char *folder, uint32_t newest, uint64_t *bytes)
{
	char path[FOLDER_PATH_MAX];
	DIR *packs =
		folder_path(path, folder, "store/packs") == OK ? opendir(path) : NULL;

	for (struct dirent *entry; packs && (entry = readdir(packs));) {
		struct str name = str_c(entry->d_name);
		struct stat stat;
		uint64_t number;

		if (str_ends(name, STR(".pack")) &&
		    num_parse(str_first(name, name.len - 5), UINT32_MAX, &number) &&
		    number > newest &&
		    fstatat(dirfd(packs), entry->d_name, &stat, 0) == 0)
			*bytes += (uint64_t)stat.st_size;
	}
	if (packs)
		(void)closedir(packs); /* it was only read */
}

bool upgrade_find(const char *folder, struct upgrade_snapshot *found)
{
	char path[FOLDER_PATH_MAX];
	struct snapshot manifest;

	if (folder_path(path, folder, "store/" STORAGE_SNAPSHOT "/manifest") != OK ||
	    snapshot_read(path, &manifest) != OK)
		return false;
	*found = (struct upgrade_snapshot){.format = manifest.format,
					   .made_at = manifest.made_at,
					   .packs = manifest.packs,
					   .bytes = manifest.bytes};
	count_later(folder, manifest.newest_pack, &found->later_bytes);
	return true;
}

err_t upgrade_forget(const char *folder, struct buf *said)
{
	struct upgrade upgrade = {.folder = folder, .formats = &formats_known};
	struct part like = {.upgrade = &upgrade};

	return in_parts(&like, snapshot_remove, said);
}

void upgrade_expire(const char *folder, uint32_t days)
{
	SCOPED(buf_fini) struct buf said = BUF(4096);
	struct upgrade_snapshot found;
	char path[FOLDER_PATH_MAX];

	if (folder_path(path, folder, "store/" STORAGE_SNAPSHOT) != OK ||
	    !file_is_there(path))
		return;
	/* One without a manifest was being forgotten when that was interrupted. */
	if (upgrade_find(folder, &found) &&
	    clock_s() < found.made_at + (int64_t)days * DAY_S)
		return;
	LOG(INFO, "snapshot forgotten", KV("path", path));
	if (upgrade_forget(folder, &said) != OK)
		LOG(WARN, "snapshot stays", KV("path", path));
}
