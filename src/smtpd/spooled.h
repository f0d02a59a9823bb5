/* Mail that a program on this machine handed to "postrider sendmail": a file of the drop
 * folder (its form: ctl/drop.h), given to us by the supervisor.  It is spoken, line by
 * line, to a session of its own, so that it meets what all mail meets; what that refuses
 * goes back to the sender as a report. */
#pragma once

#include "smtpd/smtpd.h"

struct spooled {
	const struct smtpd_service *service; /* of SMTPD_LOCAL */
	int fd;        /* the file, open to be read; stays the caller's */
	struct str id; /* its name, and the mail's queue id: said twice, it is one mail */
	uint32_t uid;  /* who wrote it */
};

/* True: the mail is ours or has gone back, and the file may go; false: to be tried again.
 * May suspend. */
bool smtpd_spooled(const struct spooled *spooled);
