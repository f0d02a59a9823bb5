#include "rt/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "rt/fault.h"

static char folder[64], path[128], other[128];

static void folder_make(void)
{
	(void)snprintf(folder, sizeof folder, "/tmp/postrider-file-XXXXXX");
	CHECK(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/a", folder);
	(void)snprintf(other, sizeof other, "%s/b", folder);
}

static void folder_drop(void)
{
	char fresh[140];

	(void)snprintf(fresh, sizeof fresh, "%s.new", path);
	CHECK(file_remove(fresh) == OK && file_remove(path) == OK);
	CHECK(file_remove(other) == OK && rmdir(folder) == 0);
	fault_disarm();
}

static void check_content(const char *of, struct str want)
{
	struct buf content = BUF(1000);

	CHECK(file_read(of, &content) == OK);
	CHECK_STR(buf_str(&content), want);
	buf_fini(&content);
}

TEST(a_file_is_replaced_as_a_whole)
{
	struct buf content = BUF(5);
	struct stat status;

	folder_make();
	CHECK(file_read(path, &content) == ERR_ABSENT);
	CHECK(file_replace(path, STR("first"), 0600) == OK);
	CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
	CHECK(file_read(path, &content) == OK); /* fits exactly */
	CHECK(file_replace(path, STR("second"), 0600) == OK);
	check_content(path, STR("second"));
	buf_reset(&content);
	CHECK(file_read(path, &content) == ERR_LIMIT);
	CHECK(file_rename(path, other) == OK);
	CHECK(file_rename(path, other) == ERR_ABSENT);
	check_content(other, STR("second"));
	CHECK(file_make_folder(folder, 0700) == OK);
	buf_fini(&content);
	folder_drop();
}

TEST(a_failed_replacement_leaves_the_old_file)
{
	static const char *const specs[] = {"file.create:1:ENOSPC", "file.write:1:EIO",
					    "file.sync:1:EIO", "file.rename:1:EIO"};

	folder_make();
	CHECK(file_replace(path, STR("old"), 0600) == OK);
	for (size_t i = 0; i < COUNT_OF(specs); i++) {
		CHECK(fault_arm(str_c(specs[i])));
		CHECK(file_replace(path, STR("new"), 0600) == ERR_IO);
		fault_disarm();
		check_content(path, STR("old"));
	}
	folder_drop();
}

TEST(writes_go_on_after_short_ones)
{
	char bytes[6] = "";
	struct iovec parts[] = {{bytes, 0}, {(char[]){"abc"}, 3}, {(char[]){"def"}, 3}};

	folder_make();
	CHECK(fault_arm(STR("file.write:1+:short,file.write:2:EINTR")));
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	CHECK(file_pwrite_all(fd, STR("0123456789"), 0) == OK);
	CHECK(file_pwritev_all(fd, parts, 3, 2) == OK);
	CHECK(fault_count("file.write") > 4);
	check_content(path, STR("01abcdef89"));
	CHECK(file_pread_all(fd, bytes, 6, 2) == OK && memcmp(bytes, "abcdef", 6) == 0);
	CHECK(file_pread_all(fd, bytes, 6, 8) == ERR_SYNTAX);
	CHECK(close(fd) == 0);
	folder_drop();
}

TEST(a_torn_write_leaves_half)
{
	int status = 0;

	folder_make();
	pid_t child = fork();

	if (child == 0) {
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		(void)!fault_arm(STR("file.write:2:torn"));
		(void)!file_write_all(fd, STR("whole "));
		(void)!file_write_all(fd, STR("12345678"));
		_exit(1);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	check_content(path, STR("whole 1234"));
	folder_drop();
}

TEST(faults_strike_when_armed_and_not_otherwise)
{
	CHECK(fault_point("x") == 0);
	CHECK(fault_arm(STR("x:2:ENOSPC,y:2+:EIO")));
	CHECK(fault_point("x") == 0 && fault_point("y") == 0 && fault_point("z") == 0);
	CHECK(fault_point("x") == ENOSPC && fault_point("y") == EIO);
	CHECK(fault_point("x") == 0 && fault_point("y") == EIO);
	CHECK(fault_count("x") == 3 && fault_count("z") == 0);
	fault_disarm();
	CHECK(fault_point("y") == 0);
	CHECK(!fault_arm(STR("x:0:EIO")));
	CHECK(!fault_arm(STR("x:1:EWHAT")));
	CHECK(!fault_arm(STR("x:1")));
	CHECK(fault_arm(STR("x:1:delay=1")) && fault_point("x") == 0);
	fault_disarm();
}
