#include "control/users.h"

#include <pwd.h>
#include <stdio.h>

static bool find(const char *name, uid_t *uid, gid_t *gid)
{
	const struct passwd *entry = getpwnam(name);

	if (!entry || entry->pw_uid == 0)
		return false;
	*uid = entry->pw_uid;
	*gid = entry->pw_gid;
	return true;
}

bool child_user(enum child_role role, uid_t *uid, gid_t *gid)
{
	char name[64];

	(void)snprintf(name, sizeof name, "postrider-%s", child_role_name(role));
	return find(name, uid, gid) || find("postrider", uid, gid);
}
