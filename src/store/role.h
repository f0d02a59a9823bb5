/* The names that IMAP has for the roles of mailboxes.  RFC 6154, RFC 8457. */
#pragma once

#include "store/types.h"

/* "\Sent"; "" if the role has none. */
struct str role_use(enum mailbox_role role);
/* The role for such a name, in any case; ROLE_NONE if we know none. */
enum mailbox_role role_of_use(struct str use);
