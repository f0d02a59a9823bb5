/* What cannot go back to the old format leaves as mail, into a folder:
 *
 *   mail/ADDRESS/     a Maildir as "postrider import maildir" takes it
 *   queue/N-M.eml     mail that was still to be delivered: its account and number
 *   LIST              what is there, a mail a line: file, account, mailbox, flags and
 *                     keywords; or file, "queue", sender, recipient; with tabs between
 *
 * Private to upgrade/. */
#pragma once

#include "storage/storage.h"
#include "upgrade/tail.h"

struct leaving {
	struct storage *storage; /* of the newer format */
	const struct tail *tail;
	const char *folder; /* exists */
	struct buf list;    /* LIST so far; not written here */
	uint64_t mails, queued, damaged;
};

/* Durable when OK. */
[[nodiscard]] err_t leave_as_mail(struct leaving *leaving);
