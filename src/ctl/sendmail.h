/* sendmail(1): how programs on this machine hand in mail. */
#pragma once

#include <sysexits.h>

#include "conf/conf.h"

/* One run of it. */
struct sendmail {
	const char *config_path;
	struct arena arena;
	struct conf conf;
	char data_directory[4096];
	struct str user;      /* the name of who runs it */
	struct str sender;    /* reverse-path; "" is <> */
	struct str full_name; /* for From */
	struct str notify, ret, envid;
	bool reads_recipients, dots_count;
};

/* Leaves the message for the server: an exit status of sysexits.h, and a sentence on
 * standard error if it is not EX_OK.  Text is the message with CRLF lines, complete. */
int sendmail_drop(struct sendmail *sm, struct str sender, const struct str *recipients,
		  size_t count, struct str text);
/* -bs: an SMTP dialogue on standard input and output. */
int sendmail_smtp(struct sendmail *sm);
