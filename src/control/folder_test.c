#include "control/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "control/control.h"

static char folder[64];

static void fresh_folder(void)
{
	(void)snprintf(folder, sizeof folder, "/tmp/postrider-folder-XXXXXX");
	CHECK(mkdtemp(folder));
}

static void remove_all(void)
{
	static const char *const parts[] = {"run/lock", "run", "store", ""};
	char path[FOLDER_PATH_MAX];

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		CHECK(folder_path(path, folder, parts[i]) == OK);
		(void)unlink(path);
		(void)rmdir(path);
	}
	CHECK(access(folder, F_OK) != 0);
}

TEST(a_data_directory_is_locked_by_one)
{
	SCOPED(buf_fini) struct buf why = BUF(FOLDER_WHY_MAX);
	int fd, copy, other;

	fresh_folder();
	CHECK(folder_make(folder, &why) == OK);
	CHECK(folder_make(folder, &why) == OK); /* again: nothing changes */
	CHECK(folder_lock(folder, &fd, &why) == OK);
	CHECK(folder_lock(folder, &other, &why) == ERR_LIMIT);
	copy = dup(fd); /* as a child keeps one */
	CHECK(copy >= 0 && close(fd) == 0);
	CHECK(folder_lock(folder, &other, &why) == ERR_LIMIT);
	CHECK(close(copy) == 0);
	CHECK(folder_lock(folder, &other, &why) == OK);
	CHECK(close(other) == 0);
	remove_all();
}

TEST(a_part_belongs_to_its_user_and_nobody_else_looks)
{
	SCOPED(buf_fini) struct buf why = BUF(FOLDER_WHY_MAX);
	char path[FOLDER_PATH_MAX];
	struct stat stat_of_part;
	uid_t uid = 1234;
	gid_t gid = 1234;

	fresh_folder();
	CHECK(folder_make(folder, &why) == OK);
	CHECK(folder_owner(folder, "store", &uid, &gid) == ERR_ABSENT);
	if (geteuid() != 0) {
		uid = geteuid();
		gid = getegid();
	}
	CHECK(folder_make_part(folder, "store", uid, gid, &why) == OK);
	CHECK(folder_make_part(folder, "store", uid, gid, &why) == OK);
	CHECK(folder_path(path, folder, "store") == OK);
	CHECK(stat(path, &stat_of_part) == 0 && stat_of_part.st_uid == uid &&
	      (stat_of_part.st_mode & 0777) == 0700);
	if (geteuid() == 0)
		CHECK(folder_make_part(folder, "store", uid + 1, gid, &why) ==
		      ERR_DENIED);
	remove_all();
}

TEST(the_control_socket_is_reached_however_long_the_path_is)
{
	SCOPED(buf_fini) struct buf why = BUF(FOLDER_WHY_MAX);
	struct sockaddr_un address;
	int run_fd;

	fresh_folder();
	CHECK(control_address(folder, &address, &run_fd) == ERR_ABSENT);
	CHECK(folder_make(folder, &why) == OK);
	CHECK(control_address(folder, &address, &run_fd) == OK);
	CHECK(strlen(address.sun_path) < 40);
	CHECK(close(run_fd) == 0);
	remove_all();
}

TEST(a_data_directory_where_others_may_write_is_refused)
{
	SCOPED(buf_fini) struct buf why = BUF(FOLDER_WHY_MAX);
	char path[FOLDER_PATH_MAX];

	fresh_folder();
	CHECK(chmod(folder, 0777) == 0);
	CHECK(folder_make(folder, &why) == ERR_DENIED);
	CHECK(str_find(buf_str(&why), STR("other users may write in")) == 0);
	CHECK(chmod(folder, 0700) == 0);
	CHECK(folder_path(path, folder, "run") == OK);
	CHECK(symlink("/tmp", path) == 0);
	buf_reset(&why);
	CHECK(folder_make(folder, &why) == ERR_DENIED);
	CHECK(str_ends(buf_str(&why), STR("run is no directory.")));
	remove_all();
}
