/* What follows the commands of access control.  RFC 4314 §3, §7. */
#pragma once

#include "wire/imap/token.h"

enum { IMAP_IDENTIFIER_MAX = 512, IMAP_RIGHTS_MAX = 64 };

struct imap_acl {
	struct str mailbox;
	struct str identifier; /* SETACL, DELETEACL, LISTRIGHTS */
	char how;              /* SETACL: '+', '-', or 0 to replace */
	struct str rights;     /* SETACL: lower-case letters and digits */
};

/* mailbox SP identifier SP mod-rights */
bool imap_setacl(struct imap_in *in, struct imap_acl *acl);
/* mailbox SP identifier */
bool imap_identified(struct imap_in *in, struct imap_acl *acl);
