/* Which flags there are in the selected mailbox, and which of them may be set.  RFC 9051
 * §7.3.1, RFC 4314 §5.1.1. */
#pragma once

#include "imap/session.h"

/* "* FLAGS (...)" */
void permanent_write_flags(struct session *s);
/* "* OK [PERMANENTFLAGS (...)]": by the rights. */
void permanent_write(struct session *s);
/* Whether SELECT says READ-ONLY. */
bool permanent_is_read_only(const struct session *s);
/* Other rights hold now: tells what is different for that. */
void permanent_change(struct session *s, uint32_t rights);
