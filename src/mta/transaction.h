/* One mail to one server: MAIL, RCPT, DATA, and what came of each recipient.  RFC 5321
 * §3.3, §4.1.1; RFC 2920; RFC 3030; RFC 3461; RFC 2033. */
#pragma once

#include "mta/run.h"

/* May suspend.  Gives each entry of the mail a verdict, which is then in the hands of
 * settle.c; those that should be sent again at once stay in the mail.  False: this
 * session may name none of its domains, another one must. */
bool transaction_run(struct run *run, struct client *client, struct mail *mail);
/* The address as a path may hold it, without brackets: the domain in A-labels, the local
 * part quoted if it must be. */
void transaction_path_add(struct buf *out, struct str address);
