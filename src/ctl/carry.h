/* What import and export share: whose mail it is, and what came of it. */
#pragma once

#include "ctl/word.h"
#include "transfer/report.h"

/* One account's turn. */
struct carry {
	struct ctl *ctl;
	account_t account;
	struct str address;
	const char *path; /* what it is read from or written to; may be NULL */
	void *arg;
	struct report report;
};

typedef void carry_run(struct carry *carry);

/* Lets run() do it for the account of that name, and prints what came of it.  Where there
 * is no such account, that is what came of it.  May suspend. */
void carry_account(struct ctl *ctl, struct str name, const char *path, carry_run *run,
		   void *arg);
/* For each thing in the folder that is called as an account is, "ann@example.org", "ann",
 * or "example.org/ann". */
void carry_folder(struct ctl *ctl, const char *folder, carry_run *run, void *arg);
/* For every account, with the path folder/ADDRESS. */
void carry_all_accounts(struct ctl *ctl, const char *folder, carry_run *run, void *arg);
/* A word of the command line as a C string. */
const char *carry_word(struct ctl *ctl, size_t place);
/* Whether as many words were given as are needed, which --all makes one less. */
bool carry_words_fit(struct ctl *ctl, size_t wanted);
