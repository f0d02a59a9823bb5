/* Which flags there are in the selected mailbox, and which of them may be set.  RFC 9051
 * §7.3.1, RFC 4314 §5.1.1. */
#pragma once

#include "imap/session.h"
#include "store/types.h"

/* "* FLAGS (...)" */
void permanent_write_flags(struct session *s);
/* "* OK [PERMANENTFLAGS (...)]": by the rights. */
void permanent_write(struct session *s);
/* Whether SELECT says READ-ONLY. */
bool permanent_is_read_only(const struct session *s);
/* The client is about to see these keywords in a response: of those that FLAGS has not
 * had so far it is told first, by FLAGS and PERMANENTFLAGS.  Of 200 in a mailbox; any
 * others it meets without. */
void permanent_meet(struct session *s, const struct keywords *keywords);
/* Other rights hold now: tells what is different for that. */
void permanent_change(struct session *s, uint32_t rights);
