#include <jansson.h>

#include "base/num.h"
#include "ctl/retention.h"
#include "ctl/script.h"
#include "ctl/sharing.h"
#include "ctl/word.h"
#include "rt/file.h"
#include "store/store.h"
#include "vault/vault.h"

enum { PEM_MAX = 64 * 1024 };

/* The address as a person would write it, for the sentences below. */
static struct str named(const struct ctl *ctl)
{
	return ctl->words[0];
}

static void set_password(struct ctl *ctl, account_t account, const char *kept)
{
	switch (vault_set_password(ctl->vault, account, buf_str(&ctl->password))) {
	case VAULT_OK:
		return;
	case VAULT_LATER:
		ctl_fail(ctl,
			 "The vault cannot keep a password now.\n%s\nTry \"postrider "
			 "account passwd %.*s\" in a minute.",
			 kept, STR_FMT(named(ctl)));
		return;
	case VAULT_REFUSED:
		ctl_fail(ctl,
			 "This cannot be a password: it is no UTF-8, or holds characters "
			 "that cannot be typed.\n%s\nChoose another one with \"postrider "
			 "account passwd %.*s\".",
			 kept, STR_FMT(named(ctl)));
		return;
	case VAULT_DENIED:
	case VAULT_BANNED: /* these two are for those who log in */
	case VAULT_CROWDED:
		break;
	}
	ctl_fail(ctl,
		 "The vault does not let this command set a password.\n%s\nRun "
		 "\"postrider account passwd %.*s\" as the user who owns the data "
		 "directory.",
		 kept, STR_FMT(named(ctl)));
}

/* False, and said, if it could not be. */
static bool make(struct ctl *ctl, enum directory_role role, account_t *account)
{
	struct str address = named(ctl);
	enum store_outcome outcome =
		directory_add_account(&ctl->directory, address, role, account);

	if (outcome == STORE_CONFLICT)
		ctl_fail(ctl,
			 "%.*s exists already.\nNothing was changed.\nTo give an "
			 "account a new password: postrider account passwd %.*s",
			 STR_FMT(address), STR_FMT(address));
	else if (outcome == STORE_ABSENT)
		ctl_fail(ctl,
			 "The domain of %.*s is not one of ours.\nNothing was "
			 "changed.\nAdd it first: postrider domain add DOMAIN",
			 STR_FMT(address));
	else if (outcome == STORE_INVALID)
		ctl_fail(ctl,
			 "\"%.*s\" cannot be an account's address.\nNothing was "
			 "changed.\nAn address looks like ann@example.com; \"+\" is "
			 "kept for tags.",
			 STR_FMT(address));
	else if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
	return outcome == STORE_OK;
}

static void add(struct ctl *ctl)
{
	struct str address = named(ctl);
	account_t account;

	if (!make(ctl, ctl->options & CTL_ADMIN ? DIRECTORY_ADMIN : DIRECTORY_PERSON,
		  &account))
		return;
	set_password(ctl, account, "The account was made, but has no password yet.");
	buf_printf(&ctl->out, "%.*s can now log in and get mail.\n", STR_FMT(address));
	if (ctl->status == 0)
		ctl->json = json_pack("{s:i}", "account", (int)account);
}

static void add_shared(struct ctl *ctl)
{
	struct str address = named(ctl);
	account_t account;

	if (!make(ctl, DIRECTORY_SHARED, &account))
		return;
	buf_printf(&ctl->out,
		   "%.*s gets mail, and nobody logs in to it.\nShare its mailboxes: "
		   "postrider account share %.*s \"*\" WHO write\n",
		   STR_FMT(address), STR_FMT(address));
	ctl->json = json_pack("{s:i}", "account", (int)account);
}

/* Finds the account to act on; says so if there is none. */
static bool find(struct ctl *ctl, account_t *account)
{
	enum directory_find found =
		directory_find_login(&ctl->directory, named(ctl), &ctl->arena, account);

	if (found == DIRECTORY_UNKNOWN)
		ctl_fail_store(ctl, STORE_UNAVAILABLE);
	else if (found != DIRECTORY_ACCOUNT)
		ctl_fail(ctl,
			 "There is no account %.*s.\nNothing was changed.\n"
			 "\"postrider account list\" shows those there are.",
			 STR_FMT(named(ctl)));
	return found == DIRECTORY_ACCOUNT;
}

static void change_password(struct ctl *ctl)
{
	struct directory_account record;
	account_t account;

	if (!find(ctl, &account))
		return;
	if (directory_account(&ctl->directory, account, &ctl->arena, &record) ==
		    DIRECTORY_ACCOUNT &&
	    record.is_shared) {
		ctl_fail(ctl,
			 "%.*s is an account that nobody logs in to.\nNothing was "
			 "changed.\nGive people rights in its mailboxes instead, with "
			 "\"postrider account share\".",
			 STR_FMT(named(ctl)));
		return;
	}
	set_password(ctl, account, "The old password is still good.");
	buf_printf(&ctl->out, "%.*s has a new password.\n", STR_FMT(named(ctl)));
}

static void remove_one(struct ctl *ctl)
{
	account_t account;
	enum store_outcome outcome;

	if (!find(ctl, &account))
		return;
	/* The secrets go first: an account cut off by half can be removed again, one that
	 * is gone from the directory but can log in could not. */
	if (vault_forget(ctl->vault, account) != VAULT_OK) {
		ctl_fail(ctl, "The vault cannot forget the account's password now.\n"
			      "Nothing was changed.\nTry again in a minute.");
		return;
	}
	outcome = directory_remove_account(&ctl->directory, named(ctl));
	if (outcome != STORE_OK) {
		ctl_fail_store(ctl, outcome);
		return;
	}
	buf_printf(&ctl->out,
		   "%.*s is removed: it gets no more mail and nobody can log in.\n"
		   "The mail it had stays in the store, as account %u.\n",
		   STR_FMT(named(ctl)), account);
}

/* A limit as a person gives it: "none", or a number; octets may be in KiB, MiB, GiB. */
static bool read_limit(struct str word, bool is_octets, uint64_t *limit)
{
	static const struct {
		struct str name;
		unsigned shift;
	} units[] = {{{"KiB", 3}, 10}, {{"MiB", 3}, 20}, {{"GiB", 3}, 30}};
	unsigned shift = 0;

	*limit = 0;
	if (str_same(word, STR("none")))
		return true;
	for (size_t i = 0; is_octets && i < COUNT_OF(units); i++)
		if (str_ends(word, units[i].name)) {
			word = str_first(word, word.len - units[i].name.len);
			shift = units[i].shift;
			break;
		}
	if (!num_parse(word, INT64_MAX >> shift, limit) || *limit == 0)
		return false;
	*limit <<= shift;
	return true;
}

static enum store_outcome put_quota(struct ctl *ctl, account_t account, uint64_t messages,
				    uint64_t octets)
{
	struct store_op op = {.kind = OP_KV_PUT};
	struct store_commit commit = {.account = account, .ops = &op, .count = 1};

	op.kv = (struct op_kv){.key = STR(STORE_KV_QUOTA),
			       .value = arena_printf(&ctl->arena, "%llu %llu",
						     (unsigned long long)messages,
						     (unsigned long long)octets)};
	return store_commit(ctl->store, &commit, &ctl->arena, NULL);
}

static void say_use(struct ctl *ctl, const char *what, uint64_t used, uint64_t limit)
{
	buf_printf(&ctl->out, "%16llu  %s", (unsigned long long)used, what);
	if (limit > 0)
		buf_printf(&ctl->out, " of %llu\n", (unsigned long long)limit);
	else
		buf_printf(&ctl->out, ", no limit\n");
}

/* Without limits it shows what there is. */
static void quota(struct ctl *ctl)
{
	account_t account;
	uint64_t messages, octets;
	struct account_summary summary;
	enum store_outcome outcome = STORE_OK;

	if (ctl->word_count == 2 ||
	    (ctl->word_count == 3 && (!read_limit(ctl->words[1], false, &messages) ||
				      !read_limit(ctl->words[2], true, &octets)))) {
		ctl_fail(ctl, "Limits are two: most messages and most octets, each a "
			      "number or \"none\".\nNothing was changed.\nFor "
			      "example: postrider account quota ann@example.com none "
			      "10GiB");
		return;
	}
	if (!find(ctl, &account))
		return;
	if (ctl->word_count == 3)
		outcome = put_quota(ctl, account, messages, octets);
	if (outcome == STORE_OK)
		outcome = store_summary(ctl->store, account, &summary);
	if (outcome != STORE_OK) {
		ctl_fail_store(ctl, outcome);
		return;
	}
	say_use(ctl, "messages", summary.messages, summary.messages_max);
	say_use(ctl, "octets", summary.bytes, summary.bytes_max);
	ctl->json = json_pack(
		"{s:I,s:I,s:I,s:I}", "messages", (json_int_t)summary.messages,
		"messages_max", (json_int_t)summary.messages_max, "bytes",
		(json_int_t)summary.bytes, "bytes_max", (json_int_t)summary.bytes_max);
}

/* Without days it shows what holds. */
static void keep(struct ctl *ctl)
{
	account_t account;

	if (ctl->word_count == 2)
		ctl_fail(ctl, "A mailbox needs a number of days, or \"forever\".\n"
			      "Nothing was changed.\nFor example: postrider account "
			      "retention ann@example.com Trash 30");
	else if (find(ctl, &account))
		retention(ctl, account);
}

/* Without a file it shows the one there is. */
static void sieve(struct ctl *ctl)
{
	account_t account;

	if (find(ctl, &account))
		script(ctl, account);
}

static void share(struct ctl *ctl)
{
	account_t account;

	if (find(ctl, &account))
		sharing_give(ctl, account);
}

static void unshare(struct ctl *ctl)
{
	account_t account;

	if (find(ctl, &account))
		sharing_take(ctl, account);
}

static void shares(struct ctl *ctl)
{
	account_t account;

	if (find(ctl, &account))
		sharing_show(ctl, account);
}

/* ---- certificates ------------------------------------------------------------------ */

static void show_certificates(struct ctl *ctl, account_t account)
{
	SCOPED(buf_fini) struct buf all = BUF(100 * VAULT_FINGERPRINT_BYTES);
	json_t *shown = json_array();

	ctl->json = json_pack("{s:o}", "certificates", shown);
	if (vault_list_certificates(ctl->vault, account, &all) != VAULT_OK)
		ctl_fail(ctl, "The vault does not answer now.\nNothing was changed.\n"
			      "Try again in a minute.");
	for (size_t at = 0; at < all.len; at += VAULT_FINGERPRINT_BYTES) {
		SCOPED(buf_fini) struct buf text = BUF(3 * VAULT_FINGERPRINT_BYTES);

		for (size_t i = 0; i < VAULT_FINGERPRINT_BYTES; i++)
			buf_printf(&text, "%s%02X", i > 0 ? ":" : "",
				   (unsigned char)all.ptr[at + i]);
		buf_printf(&ctl->out, "%.*s\n", STR_FMT(buf_str(&text)));
		(void)json_array_append_new(shown, json_stringn(text.ptr, text.len));
	}
}

/* The account is there; so is the certificate. */
static void change_certificate(struct ctl *ctl, account_t account, struct str pem,
			       bool is_added)
{
	enum vault_outcome outcome =
		is_added ? vault_add_certificate(ctl->vault, account, pem)
			 : vault_remove_certificate(ctl->vault, account, pem);

	if (outcome == VAULT_REFUSED)
		ctl_fail(ctl,
			 "%.*s holds no certificate that can be %s for %.*s.\nNothing "
			 "was changed.\nIt must be in PEM, and %s.",
			 STR_FMT(ctl->words[2]), is_added ? "registered" : "removed",
			 STR_FMT(named(ctl)),
			 is_added ? "not be registered for another account; an account "
				    "has at most 100"
				  : "have been registered for this account");
	else if (outcome != VAULT_OK)
		ctl_fail(ctl, "The vault cannot keep this now.\nNothing was changed.\n"
			      "Try again in a minute.");
	else if (is_added)
		buf_printf(&ctl->out,
			   "Who shows this certificate and has its key can log in as "
			   "%.*s.\n",
			   STR_FMT(named(ctl)));
	else
		buf_printf(&ctl->out, "This certificate logs nobody in any more.\n");
}

static void certificate(struct ctl *ctl)
{
	SCOPED(buf_fini) struct buf pem = BUF(PEM_MAX);
	struct str what = ctl->words[1];
	bool is_added = str_same(what, STR("add"));
	bool is_list = str_same(what, STR("list"));
	char path[4096];
	account_t account;

	if ((!is_added && !is_list && !str_same(what, STR("remove"))) ||
	    is_list != (ctl->word_count == 2))
		ctl_fail(ctl, "A certificate is added or removed by its file, or they "
			      "are listed.\nNothing was changed.\n\"postrider account "
			      "certificate ADDRESS add FILE\" is how to say it.");
	else if (!is_list && (!str_to_c(ctl->words[2], path, sizeof path) ||
			      file_read(path, &pem) != OK))
		ctl_fail(ctl,
			 "%.*s cannot be read.\nNothing was changed.\nIt should be a "
			 "certificate in PEM.",
			 STR_FMT(ctl->words[2]));
	else if (find(ctl, &account) && is_list)
		show_certificates(ctl, account);
	else if (ctl->status == 0)
		change_certificate(ctl, account, buf_str(&pem), is_added);
}

static void list_page(struct ctl *ctl, const struct directory_item *items, size_t count,
		      json_t *accounts)
{
	for (size_t i = 0; i < count; i++) {
		const struct directory_item *item = &items[i];

		buf_printf(&ctl->out, "%-40.*s %8u%s\n", STR_FMT(item->name),
			   item->entry.account,
			   item->is_admin    ? "  admin"
			   : item->is_shared ? "  shared"
					     : "");
		(void)json_array_append_new(accounts,
					    json_pack("{s:s%,s:i,s:b,s:b}", "address",
						      item->name.ptr, item->name.len,
						      "account", (int)item->entry.account,
						      "admin", (int)item->is_admin,
						      "shared", (int)item->is_shared));
	}
}

static void list(struct ctl *ctl)
{
	json_t *accounts = json_array();
	struct str after = STR("");
	struct directory_item *items;
	size_t count;
	enum store_outcome outcome;

	ctl->json = json_pack("{s:o}", "accounts", accounts);
	while ((outcome = directory_list(&ctl->directory, DIRECTORY_ACCOUNTS, after,
					 CTL_PAGE, &ctl->arena, &items, &count)) ==
		       STORE_OK &&
	       count > 0) {
		list_page(ctl, items, count, accounts);
		after = items[count - 1].name;
	}
	if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
}

static const struct ctl_verb verbs[] = {
	{"add", "ADDRESS", "Make an account and ask for its password.", 1, 1,
	 CTL_ADMIN | CTL_PASSWORD_STDIN, CTL_NEEDS_SERVER | CTL_NEEDS_PASSWORD, add},
	{"add-shared", "ADDRESS",
	 "Make an account that nobody logs in to, whose mailboxes are shared.", 1, 1, 0,
	 CTL_NEEDS_SERVER, add_shared},
	{"remove", "ADDRESS", "Remove an account; its mail stays in the store.", 1, 1, 0,
	 CTL_NEEDS_SERVER, remove_one},
	{"list", "", "Print addresses, account numbers, and who is an admin.", 0, 0, 0,
	 CTL_NEEDS_SERVER, list},
	{"passwd", "ADDRESS", "Ask for a new password; the old one stops working.", 1, 1,
	 CTL_PASSWORD_STDIN, CTL_NEEDS_SERVER | CTL_NEEDS_PASSWORD, change_password},
	{"quota", "ADDRESS [MESSAGES OCTETS]",
	 "Print what an account uses; or limit it, with \"none\" for no limit.", 1, 3, 0,
	 CTL_NEEDS_SERVER, quota},
	{"retention", "ADDRESS [MAILBOX DAYS]",
	 "Print for how long mailboxes keep messages; or set it, in days, \"forever\" or "
	 "\"default\".",
	 1, 3, 0, CTL_NEEDS_SERVER, keep},
	{"sieve", "ADDRESS [FILE]",
	 "Print the Sieve script that says what becomes of mail for an account; or set "
	 "it from a file, with \"none\" for no script.",
	 1, 2, 0, CTL_NEEDS_SERVER, sieve},
	{"share", "ADDRESS MAILBOX WHO RIGHTS",
	 "Give WHO, an address or \"anyone\", rights in a mailbox, or in all (\"*\"): "
	 "\"read\", \"write\", \"all\" or letters of RFC 4314.",
	 4, 4, 0, CTL_NEEDS_SERVER, share},
	{"unshare", "ADDRESS MAILBOX WHO", "Take all rights from WHO there; at once.", 3,
	 3, 0, CTL_NEEDS_SERVER, unshare},
	{"shares", "ADDRESS", "Print who has which rights in the account's mailboxes.", 1,
	 1, 0, CTL_NEEDS_SERVER, shares},
	{"certificate", "ADDRESS add|remove FILE | ADDRESS list",
	 "Certificates by which a person logs in without a password (tls.client-ca).", 2,
	 3, 0, CTL_NEEDS_SERVER, certificate},
};

const struct ctl_word ctl_account = {
	.name = "account",
	.summary = "The people who have a mailbox here.",
	.examples =
		"  postrider account add ann@example.com\n"
		"  postrider account add --admin --password-stdin "
		"root@example.com < secret\n"
		"  postrider account passwd ann@example.com\n"
		"  postrider account quota ann@example.com none 10GiB\n"
		"  postrider account retention ann@example.com Trash 30\n"
		"  postrider account sieve ann@example.com ann.sieve\n"
		"  postrider account share ann@example.com Work bob@example.com read\n"
		"  postrider account certificate ann@example.com add ann.pem\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
