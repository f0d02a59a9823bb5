#include "rt/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

/* The kernel's interface is spelled out here, because the headers of Linux 6.1 know
 * version 2 only.  An older kernel is given fewer octets and fewer bits. */
struct rules {
	uint64_t files;   /* version 1 */
	uint64_t network; /* version 4 */
	uint64_t scopes;  /* version 6 */
};
struct beneath {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

struct net_port {
	uint64_t allowed, port;
};

enum {
	MAY_EXECUTE = 1 << 0,
	MAY_WRITE_FILE = 1 << 1,
	MAY_READ_FILE = 1 << 2,
	MAY_READ_DIR = 1 << 3,
	MAY_REMOVE_DIR = 1 << 4,
	MAY_REMOVE_FILE = 1 << 5,
	MAY_MAKE_DIR = 1 << 7,
	MAY_MAKE_FILE = 1 << 8,
	FILES_1 = (1 << 13) - 1,     /* all that version 1 knows */
	MAY_RENAME_ACROSS = 1 << 13, /* version 2, REFER */
	MAY_TRUNCATE = 1 << 14,      /* version 3 */
	MAY_IOCTL_DEVICE = 1 << 15,  /* version 5 */

	NET_BIND = 1,
	NET_CONNECT = 2,
	SCOPE_ABSTRACT_SOCKETS = 1,
	SCOPE_SIGNALS = 2,

	READS = MAY_READ_FILE | MAY_READ_DIR,
	WRITES = READS | MAY_WRITE_FILE | MAY_REMOVE_DIR | MAY_REMOVE_FILE |
		 MAY_MAKE_DIR | MAY_MAKE_FILE | MAY_RENAME_ACROSS | MAY_TRUNCATE,
	ON_PLAIN_FILES = MAY_READ_FILE | MAY_WRITE_FILE | MAY_TRUNCATE,

	CREATE_RULESET = 444,
	ADD_RULE = 445,
	RESTRICT_SELF = 446,
	CREATE_VERSION = 1,
	RULE_PATH_BENEATH = 1,
	RULE_NET_PORT = 2,
};

int landlock_version(void)
{
	long version = syscall(CREATE_RULESET, NULL, 0, CREATE_VERSION);

	return version > 0 ? (int)version : 0;
}

static struct rules rules_of(const struct sandbox *sandbox, int version)
{
	struct rules rules = {.files = FILES_1};

	if (version >= 2)
		rules.files |= MAY_RENAME_ACROSS;
	if (version >= 3)
		rules.files |= MAY_TRUNCATE;
	if (version >= 4)
		rules.network = sandbox->powers & SANDBOX_CONNECT
					? NET_BIND
					: NET_BIND | NET_CONNECT;
	if (version >= 5)
		rules.files |= MAY_IOCTL_DEVICE;
	if (version >= 6)
		rules.scopes = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
	return rules;
}

static size_t rules_bytes(int version)
{
	if (version < 4)
		return offsetof(struct rules, network);
	return version < 6 ? offsetof(struct rules, scopes) : sizeof(struct rules);
}

static err_t allow(int rules_fd, const struct sandbox_path *path, uint64_t handled)
{
	uint64_t wanted = path->access == SANDBOX_WRITE ? WRITES : READS;
	struct beneath beneath = {.allowed = wanted & handled};
	struct stat stat;

	beneath.parent_fd = open(path->path, O_PATH | O_CLOEXEC);
	if (beneath.parent_fd < 0 || fstat(beneath.parent_fd, &stat) != 0)
		goto failed;
	if (!S_ISDIR(stat.st_mode))
		beneath.allowed &= ON_PLAIN_FILES;
	if (syscall(ADD_RULE, rules_fd, RULE_PATH_BENEATH, &beneath, 0) != 0)
		goto failed;
	(void)close(beneath.parent_fd);
	return OK;
failed:
	LOG(ERROR, "sandbox path refused", KV("path", path->path),
	    KV_INT("errno", errno));
	if (beneath.parent_fd >= 0)
		(void)close(beneath.parent_fd);
	return ERR_IO;
}

/* Who connects may say from which address of ours, but not from which port; to listen is
 * another system call, which it has not. */
static err_t allow_source(int rules_fd)
{
	const struct net_port any = {.allowed = NET_BIND, .port = 0};

	if (syscall(ADD_RULE, rules_fd, RULE_NET_PORT, &any, 0) == 0)
		return OK;
	LOG(ERROR, "landlock refused", KV_INT("errno", errno));
	return ERR_IO;
}

err_t landlock_enter(const struct sandbox *sandbox)
{
	int version = landlock_version();
	struct rules rules = rules_of(sandbox, version);
	err_t err = OK;

	if (version == 0)
		return ERR_ABSENT;
	int fd = (int)syscall(CREATE_RULESET, &rules, rules_bytes(version), 0);
	if (fd < 0) {
		LOG(ERROR, "landlock refused", KV_INT("errno", errno));
		return ERR_IO;
	}
	for (size_t i = 0; err == OK && i < sandbox->path_count; i++)
		err = allow(fd, &sandbox->paths[i], rules.files);
	if (err == OK && rules.network == NET_BIND)
		err = allow_source(fd);
	if (err == OK && syscall(RESTRICT_SELF, fd, 0) != 0) {
		LOG(ERROR, "landlock refused", KV_INT("errno", errno));
		err = ERR_IO;
	}
	(void)close(fd);
	return err;
}
