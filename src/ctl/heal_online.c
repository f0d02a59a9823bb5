/* Looking at the store of a running server: it gives a copy of its index and keeps the
 * packs as they stand, and the look is taken at those.  The server only copies; it goes
 * on taking and giving mail meanwhile. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/folder.h"
#include "ctl/heal.h"
#include "store/store.h"

struct copy {
	char base[FOLDER_PATH_MAX], folder[FOLDER_PATH_MAX];
	int index_fd;
};

static bool path_in(const char *folder, const char *name, char path[FOLDER_PATH_MAX])
{
	return folder_path(path, folder, name) == OK;
}

/* "packs/00000001.pack" */
static bool pack_path(const char *folder, uint32_t number, char path[FOLDER_PATH_MAX])
{
	char name[40];

	(void)snprintf(name, sizeof name, "packs/%08u.pack", number);
	return path_in(folder, name, path);
}

/* The store's owner will look at it. */
static bool give_away(const struct copy *copy)
{
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0)
		return true;
	return folder_owner(copy->base, "store", &uid, &gid) == OK &&
	       fchown(copy->index_fd, uid, gid) == 0 &&
	       chown(copy->folder, uid, gid) == 0;
}

/* In the folder of the store, where there is room for its index. */
static bool copy_make(struct ctl *ctl, struct copy *copy)
{
	char path[FOLDER_PATH_MAX];

	copy->index_fd = -1;
	copy->folder[0] = '\0';
	if (!str_to_c(ctl->conf.data_directory, copy->base, sizeof copy->base) ||
	    !path_in(copy->base, "store/check.XXXXXX", copy->folder) ||
	    !mkdtemp(copy->folder)) {
		copy->folder[0] = '\0';
		return false;
	}
	if (!path_in(copy->folder, "packs", path) || mkdir(path, 0755) != 0 ||
	    !path_in(copy->folder, "index.lmdb", path))
		return false;
	copy->index_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return copy->index_fd >= 0 && give_away(copy);
}

static bool copy_link(const struct copy *copy, const struct store_extent *extent)
{
	char store[FOLDER_PATH_MAX];

	if (!path_in(copy->base, "store", store))
		return false;
	for (size_t i = 0; i < extent->count; i++) {
		char from[FOLDER_PATH_MAX], to[FOLDER_PATH_MAX];

		if (!pack_path(store, extent->packs[i].number, from) ||
		    !pack_path(copy->folder, extent->packs[i].number, to) ||
		    symlink(from, to) != 0)
			return false;
	}
	return true;
}

static void copy_remove(struct copy *copy, const struct store_extent *extent)
{
	static const char *const names[] = {"index.lmdb", "index.lmdb-lock", "lock"};
	char path[FOLDER_PATH_MAX];

	if (copy->index_fd >= 0)
		(void)close(copy->index_fd); /* it goes now */
	if (!copy->folder[0])
		return;
	for (size_t i = 0; i < extent->count; i++)
		if (pack_path(copy->folder, extent->packs[i].number, path))
			(void)unlink(path);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (path_in(copy->folder, names[i], path))
			(void)unlink(path);
	if (path_in(copy->folder, "packs", path))
		(void)rmdir(path);
	(void)rmdir(copy->folder);
}

void heal_online(struct ctl *ctl)
{
	struct copy copy;
	struct store_extent extent = {0};
	enum store_outcome outcome = STORE_OK;

	if (!copy_make(ctl, &copy))
		ctl_fail(ctl, "A copy of the index cannot be made beside the store.\n"
			      "Nothing was changed.\nRun this as the user who owns the "
			      "data directory, where the disk has room.");
	else
		outcome = store_backup_begin(ctl->store, copy.index_fd, &ctl->arena,
					     &extent);
	if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
	else if (ctl->status == 0 && !copy_link(&copy, &extent))
		ctl_fail(ctl, "The packs cannot be reached.\nNothing was changed.\nRun "
			      "this as the user who owns the data directory.");
	bool is_ready = ctl->status == 0;

	if (is_ready) {
		heal_look_at_copy(ctl, copy.folder);
		if (store_backup_end(ctl->store) == STORE_ABSENT)
			ctl_fail(ctl, "The store has started anew meanwhile, so what "
				      "was found may be wrong.\nNothing was changed.\n"
				      "Look again.");
	} else {
		ctl->status = 2; /* nobody knows more than before */
	}
	copy_remove(&copy, &extent);
}
