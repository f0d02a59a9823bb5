/* An IMAP URL of a message, or of a part of one, as CATENATE has them: relative to the
 * session, beginning at the root.  RFC 5092 §6, §7.1, §11; RFC 4469 §3. */
#pragma once

#include "wire/imap/fetch.h"

enum { IMAP_URL_BYTES_MAX = 8 * 1024 };

struct imap_url {
	struct str mailbox;    /* UTF-8 */
	uint32_t uid_validity; /* 0: not said */
	uint32_t uid;
	struct imap_section section; /* with its partial; BODY[] if none was said */
};

/* "/mailbox[;UIDVALIDITY=n]/;UID=n[/;SECTION=s][/;PARTIAL=n[.n]]" and nothing else: URLs
 * of other servers or with URLAUTH are refused.  Slices lie in the arena. */
bool imap_url(struct str text, struct arena *arena, struct imap_url *url);
