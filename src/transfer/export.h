/* Mail that leaves for files: whole accounts, flags, keywords and dates with it.  What is
 * written appears under its name only when it is whole and on the disk.  They block for
 * as long as the disk takes, and suspend. */
#pragma once

#include "transfer/report.h"

struct store;

struct export_options {
	struct store *store;
	account_t account;
	const char *folder; /* made if absent, but not those above it */
	bool keeps_crlf;    /* files have CRLF as the mail has it, not LF */
	bool is_dry_run;    /* only counts */
	struct report *report;
};

/* A Maildir with subfolders as Maildir++ has them, keywords in dovecot-keywords, UIDs in
 * dovecot-uidlist, if there is none yet.  Again into the same folder, it adds what has
 * come since. */
void export_maildir(const struct export_options *options);
/* A file a mailbox, in the form mboxrd; what is below the mailbox Name is in Name.sbd. */
void export_mbox(const struct export_options *options);
