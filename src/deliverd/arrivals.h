/* Reports that come by mail to the address that is set for them: looked at after their
 * sender has the answer, one at a time, and kept (report/kept.h).  The mail itself is in
 * the mailbox already: what is not kept, because too many come or the process dies, is
 * there, for `postrider report keep`. */
#pragma once

#include "base/str.h"

struct arrivals;
struct deliver_mail;
struct directory;

enum {
	ARRIVALS_MAX = 32, /* that wait */
	ARRIVALS_BYTES_MAX = 64 * 1024 * 1024,
	ARRIVAL_BYTES_MAX = 20 * 1024 * 1024, /* 10 MiB, as base64 */
};

/* NULL if address is "".  Both live as long as the loop. */
struct arrivals *arrivals_open(const struct directory *directory, struct str address);
/* After the last task has ended. */
void arrivals_close(struct arrivals **arrivals);
/* A stranger's mail that was committed.  Copies it, if it is for that address; does not
 * suspend.  NULL does nothing. */
void arrivals_offer(struct arrivals *arrivals, const struct deliver_mail *mail);
