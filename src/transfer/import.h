/* The sources that mail is brought in from.  Each reads only, and brings what the account
 * has not had from it before (transfer/intake.h); what cannot be brought is noted in the
 * report, and the rest goes on.  They block for as long as the disk takes, and suspend.
 */
#pragma once

#include "transfer/intake.h"

/* A Maildir with its subfolders, as ".Archive.2026" (Maildir++) or as folders in folders.
 * Names are modified UTF-7, or UTF-8.  Flags are those of the files' names, keywords
 * those of dovecot-keywords, dates those of the files, and the order that of
 * dovecot-uidlist. */
void import_maildir(struct intake *intake, const char *folder);

enum mbox_quoting {
	MBOX_RD, /* one ">" goes from each ">From ", ">>From " */
	MBOX_O,  /* only from ">From " */
};
/* A file is a mailbox, a folder the mailboxes in it; what is in Name or in Name.sbd
 * (Thunderbird) is below the mailbox Name.  A single file that is called as the account
 * is, inbox or mbox is INBOX. */
void import_mbox(struct intake *intake, const char *path, enum mbox_quoting quoting);

/* All files *.eml; folders are mailboxes, the outermost is INBOX. */
void import_eml(struct intake *intake, const char *folder);

enum imap_security {
	IMAP_TLS,      /* from the first octet; port 993 */
	IMAP_STARTTLS, /* RFC 9051 §6.2.1; port 143 */
};
struct tls_client;
struct imap_source {
	struct str host, port; /* a name or an address */
	enum imap_security security;
	bool may_be_plain;      /* goes on without TLS if the server has none */
	struct tls_client *tls; /* borrowed */
	struct str user, password;
	struct str master; /* logs in as this and acts as user (RFC 4616 §2); or "" */
};
/* All mailboxes of the user's own name space.  A connection that is lost is made anew. */
void import_imap(struct intake *intake, const struct imap_source *source);
