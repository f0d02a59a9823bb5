#include "transfer/import.h"
#include "ctl/carry.h"
#include "ctl/password.h"
#include "net/tls.h"
#include "rt/file.h"
#include "transfer/folder.h"

enum { LIST_BYTES_MAX = 64 << 20, CA_BYTES_MAX = 8 << 20 };

typedef void importer(struct intake *intake, const struct carry *carry);

/* What is the same for all accounts of a command. */
struct importing {
	const char *source;
	importer *run;
	struct imap_source imap;
};

static void run_one(struct carry *carry)
{
	const struct importing *importing = carry->arg;
	const struct ctl *ctl = carry->ctl;
	struct intake_options options = {
		.store = ctl->store,
		.account = carry->account,
		.address = carry->address,
		.source = importing->source,
		.message_bytes_max = ctl->conf.message_bytes_max,
		.is_dry_run = ctl->options & CTL_DRY_RUN,
		.keeps_names = ctl->options & CTL_KEEP_NAMES,
		.report = &carry->report,
	};
	struct intake *intake = intake_open(&options);

	if (intake)
		importing->run(intake, carry);
	intake_close(&intake);
}

/* ---- files ------------------------------------------------------------------------- */

static void run_maildir(struct intake *intake, const struct carry *carry)
{
	struct ctl *ctl = carry->ctl;
	const char *inside = folder_join(&ctl->arena, carry->path, STR("Maildir"));

	/* homes hold it there */
	import_maildir(intake, inside && folder_is(inside) ? inside : carry->path);
}

static void run_mbox(struct intake *intake, const struct carry *carry)
{
	import_mbox(intake, carry->path,
		    carry->ctl->options & CTL_MBOXO ? MBOX_O : MBOX_RD);
}

static void run_eml(struct intake *intake, const struct carry *carry)
{
	import_eml(intake, carry->path);
}

static void run_files(struct ctl *ctl, const char *source, importer *run)
{
	struct importing importing = {.source = source, .run = run};

	if (!carry_words_fit(ctl, 2))
		return;
	const char *path = carry_word(ctl, ctl->word_count - 1);

	if (ctl->options & CTL_ALL)
		carry_folder(ctl, path, run_one, &importing);
	else
		carry_account(ctl, ctl->words[0], path, run_one, &importing);
}

static void maildir(struct ctl *ctl)
{
	run_files(ctl, "maildir", run_maildir);
}

static void mbox(struct ctl *ctl)
{
	run_files(ctl, "mbox", run_mbox);
}

static void eml(struct ctl *ctl)
{
	run_files(ctl, "eml", run_eml);
}

/* ---- another server ---------------------------------------------------------------- */

static void run_imap(struct intake *intake, const struct carry *carry)
{
	const struct importing *importing = carry->arg;

	import_imap(intake, &importing->imap);
}

/* "host", "host:port", "[2001:db8::1]:port" */
static void read_place(struct ctl *ctl, struct str place, struct imap_source *imap)
{
	size_t colon = str_rfind_byte(place, ':');

	imap->security = ctl->options & CTL_STARTTLS ? IMAP_STARTTLS : IMAP_TLS;
	imap->port = imap->security == IMAP_TLS ? STR("993") : STR("143");
	if (colon < place.len && (str_find_byte(place, ':') == colon ||
				  place.ptr[colon - (colon > 0)] == ']')) {
		imap->port = str_skip(place, colon + 1);
		place = str_first(place, colon);
	}
	if (str_starts(place, STR("[")) && str_ends(place, STR("]")))
		place = str_first(str_skip(place, 1), place.len - 2);
	imap->host = place;
}

static bool read_tls(struct ctl *ctl, struct imap_source *imap)
{
	SCOPED(buf_fini) struct buf roots = BUF(CA_BYTES_MAX);
	const char *path = ctl_value(ctl, CTL_CA);
	bool is_insecure = ctl->options & CTL_INSECURE;

	if (path && file_read(path, &roots) != OK) {
		ctl_fail(ctl, "The file %s cannot be read.\nNothing was changed.", path);
		return false;
	}
	imap->may_be_plain = is_insecure;
	imap->tls = tls_client_new(is_insecure ? TLS_VERIFY_NOTHING : TLS_VERIFY_NAME,
				   buf_str(&roots));
	if (!imap->tls)
		ctl_fail(ctl,
			 "There are no certificates to trust%s%s.\nNothing was "
			 "changed.\n--ca names a file with some.",
			 path ? " in " : "", path ? path : "");
	return imap->tls;
}

static bool read_password(struct ctl *ctl)
{
	const char *why;

	if (password_for_another(ctl->options & CTL_PASSWORD_STDIN,
				 ctl_value(ctl, CTL_PASSWORD_FILE), &ctl->password, &why))
		return true;
	ctl_fail(ctl, "%s", why);
	return false;
}

static void imap_one(struct ctl *ctl, struct importing *importing)
{
	const char *user = ctl_value(ctl, CTL_USER);

	if (!read_password(ctl))
		return;
	importing->imap.user = user ? str_c(user) : ctl->words[0];
	importing->imap.password = buf_str(&ctl->password);
	carry_account(ctl, ctl->words[0], NULL, run_one, importing);
}

/* "USER:PASSWORD", or "ADDRESS USER:PASSWORD" where the address here is another; with a
 * master log-in without the password. */
static void imap_line(struct ctl *ctl, struct importing *importing, struct str line)
{
	struct imap_source *imap = &importing->imap;
	struct str address, name;

	if (line.len == 0 || line.ptr[0] == '#')
		return;
	if (imap->master.len > 0)
		name = line;
	else
		name = str_cut(&line, ':');
	address = str_cut(&name, ' ');
	imap->user = name.len > 0 ? str_trim(name) : address;
	imap->password = imap->master.len > 0 ? buf_str(&ctl->password) : line;
	carry_account(ctl, address, NULL, run_one, importing);
}

static void imap_all(struct ctl *ctl, struct importing *importing)
{
	SCOPED(buf_fini) struct buf list = BUF(LIST_BYTES_MAX);
	const char *path = carry_word(ctl, 1);

	if (importing->imap.master.len > 0 && !read_password(ctl))
		return;
	if (file_read(path, &list) != OK) {
		ctl_fail(ctl, "The list %s cannot be read.\nNothing was changed.", path);
		return;
	}
	for (struct str rest = buf_str(&list); rest.len > 0;) {
		struct str line = str_cut(&rest, '\n');

		if (str_ends(line, STR("\r")))
			line.len--;
		imap_line(ctl, importing, line);
	}
	if (list.ptr)
		explicit_bzero(list.ptr, list.room);
}

static void imap(struct ctl *ctl)
{
	struct importing importing = {.source = "imap", .run = run_imap};
	const char *master = ctl_value(ctl, CTL_MASTER);
	bool is_all = ctl->options & CTL_ALL;

	if (ctl->word_count != 2) {
		ctl_fail(ctl, "It is: import imap ADDRESS HOST, or: import imap --all "
			      "HOST LIST.\nNothing was changed.");
		return;
	}
	importing.imap.master = str_c(master);
	read_place(ctl, ctl->words[is_all ? 0 : 1], &importing.imap);
	if (!read_tls(ctl, &importing.imap))
		return;
	if (is_all)
		imap_all(ctl, &importing);
	else
		imap_one(ctl, &importing);
	tls_client_free(&importing.imap.tls);
}

enum {
	FILES = CTL_ALL | CTL_DRY_RUN | CTL_KEEP_NAMES,
	SERVER = FILES | CTL_STARTTLS | CTL_INSECURE | CTL_USER | CTL_PASSWORD_FILE |
		 CTL_PASSWORD_STDIN | CTL_CA | CTL_MASTER,
};

static const struct ctl_verb verbs[] = {
	{"maildir", "ADDRESS|--all FOLDER", "Bring in a Maildir with its subfolders.", 1,
	 2, FILES, CTL_NEEDS_SERVER, maildir},
	{"mbox", "ADDRESS|--all PATH", "Bring in an mbox file, or a folder of them.", 1,
	 2, FILES | CTL_MBOXO, CTL_NEEDS_SERVER, mbox},
	{"eml", "ADDRESS|--all FOLDER", "Bring in a folder of .eml files.", 1, 2, FILES,
	 CTL_NEEDS_SERVER, eml},
	{"imap", "ADDRESS HOST[:PORT] | --all HOST[:PORT] LIST",
	 "Bring in what another server has.", 2, 2, SERVER, CTL_NEEDS_SERVER, imap},
};

const struct ctl_word ctl_import = {
	.name = "import",
	.summary = "Mail that comes in from elsewhere, with its flags and dates.\n"
		   "Again, and it brings what is new; nothing comes twice.",
	.examples =
		"  postrider import maildir ann@example.com /home/ann/Maildir\n"
		"  postrider import maildir --all /var/vmail\n"
		"  postrider import mbox ann@example.com ~ann/mail --dry-run\n"
		"  postrider import imap ann@example.com imap.example.net --user ann\n"
		"  postrider import imap --all imap.example.net list --master admin\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
