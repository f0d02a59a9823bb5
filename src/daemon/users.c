#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/supervisor_state.h"

static bool find(const char *name, uid_t *uid, gid_t *gid)
{
	const struct passwd *entry = getpwnam(name);

	if (!entry || entry->pw_uid == 0)
		return false;
	*uid = entry->pw_uid;
	*gid = entry->pw_gid;
	return true;
}

/* Started as root, each role has a user of its own, or all share "postrider". */
void user_of(const struct supervisor_options *options, enum child_role role, uid_t *uid,
	     gid_t *gid)
{
	char name[64];

	*uid = geteuid();
	*gid = getegid();
	if (*uid != 0 || options->is_dev)
		return;
	(void)snprintf(name, sizeof name, "postrider-%s", child_role_name(role));
	if (find(name, uid, gid) || find("postrider", uid, gid))
		return;
	LOG(WARN, "no system user, process stays root",
	    KV("role", child_role_name(role)));
}
