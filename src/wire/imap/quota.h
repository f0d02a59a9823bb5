/* What SETQUOTA says.  RFC 9208 §4.1.3, §7; RFC 2087 §4.1. */
#pragma once

#include "wire/imap/token.h"

enum { IMAP_QUOTA_LIMITS_MAX = 20 };

/* quota-root-name SP setquota-list.  Nobody sets limits over IMAP here, so that of the
 * list only its grammar matters. */
bool imap_setquota(struct imap_in *in, struct str *root);
