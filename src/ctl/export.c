#include "transfer/export.h"
#include "ctl/carry.h"
#include "rt/file.h"

enum { FOLDER_MODE = 0700 };

typedef void exporter(const struct export_options *options);

struct exporting {
	exporter *run;
};

static void run_one(struct carry *carry)
{
	const struct exporting *exporting = carry->arg;
	const struct ctl *ctl = carry->ctl;
	struct export_options options = {
		.store = ctl->store,
		.account = carry->account,
		.folder = carry->path,
		.keeps_crlf = ctl->options & CTL_CRLF,
		.is_dry_run = ctl->options & CTL_DRY_RUN,
		.report = &carry->report,
	};

	exporting->run(&options);
}

static void run_export(struct ctl *ctl, exporter *run)
{
	struct exporting exporting = {run};

	if (!carry_words_fit(ctl, 2))
		return;
	const char *folder = carry_word(ctl, ctl->word_count - 1);

	if (!(ctl->options & CTL_ALL))
		carry_account(ctl, ctl->words[0], folder, run_one, &exporting);
	else if (ctl->options & CTL_DRY_RUN ||
		 file_make_folder(folder, FOLDER_MODE) == OK)
		carry_all_accounts(ctl, folder, run_one, &exporting);
	else
		ctl_fail(ctl, "The folder %s cannot be made.\nNothing was changed.",
			 folder);
}

static void maildir(struct ctl *ctl)
{
	run_export(ctl, export_maildir);
}

static void mbox(struct ctl *ctl)
{
	run_export(ctl, export_mbox);
}

enum { OPTIONS = CTL_ALL | CTL_DRY_RUN | CTL_CRLF };

static const struct ctl_verb verbs[] = {
	{"maildir", "ADDRESS|--all FOLDER",
	 "Write all mail as a Maildir; again, and it adds what is new.", 1, 2, OPTIONS,
	 CTL_NEEDS_SERVER, maildir},
	{"mbox", "ADDRESS|--all FOLDER", "Write a file of mail for each mailbox.", 1, 2,
	 OPTIONS, CTL_NEEDS_SERVER, mbox},
};

const struct ctl_word ctl_export = {
	.name = "export",
	.summary = "Mail that leaves for files, with its flags and dates.",
	.examples = "  postrider export maildir ann@example.com /backup/ann\n"
		    "  postrider export mbox --all /backup/mbox\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
