#include <unistd.h>

#include "base/log.h"
#include "control/users.h"
#include "daemon/supervisor_state.h"

/* Started as root, each role has a user of its own, or all share "postrider". */
void user_of(const struct supervisor_options *options, enum child_role role, uid_t *uid,
	     gid_t *gid)
{
	*uid = geteuid();
	*gid = getegid();
	if (*uid != 0 || options->is_dev)
		return;
	if (child_user(role, uid, gid))
		return;
	LOG(WARN, "no system user, process stays root",
	    KV("role", child_role_name(role)));
}
