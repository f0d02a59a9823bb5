#include <jansson.h>

#include "ctl/word.h"
#include "vault/vault.h"

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
	case VAULT_DENIED:
		break;
	}
	ctl_fail(ctl,
		 "The vault does not let this command set a password.\n%s\nRun "
		 "\"postrider account passwd %.*s\" as the user who owns the data "
		 "directory.",
		 kept, STR_FMT(named(ctl)));
}

static void add(struct ctl *ctl)
{
	struct str address = named(ctl);
	account_t account;
	enum store_outcome outcome = directory_add_account(
		&ctl->directory, address, ctl->options & CTL_ADMIN, &account);

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
	if (outcome != STORE_OK)
		return;
	set_password(ctl, account, "The account was made, but has no password yet.");
	buf_printf(&ctl->out, "%.*s can now log in and get mail.\n", STR_FMT(address));
	if (ctl->status == 0)
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
	account_t account;

	if (!find(ctl, &account))
		return;
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

static void list_page(struct ctl *ctl, const struct directory_item *items, size_t count,
		      json_t *accounts)
{
	for (size_t i = 0; i < count; i++) {
		const struct directory_item *item = &items[i];

		buf_printf(&ctl->out, "%-40.*s %8u%s\n", STR_FMT(item->name),
			   item->entry.account, item->is_admin ? "  admin" : "");
		(void)json_array_append_new(accounts,
					    json_pack("{s:s%,s:i,s:b}", "address",
						      item->name.ptr, item->name.len,
						      "account", (int)item->entry.account,
						      "admin", (int)item->is_admin));
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
	 CTL_ADMIN | CTL_PASSWORD_STDIN, true, true, add},
	{"remove", "ADDRESS", "Remove an account; its mail stays in the store.", 1, 1, 0,
	 true, false, remove_one},
	{"list", "", "Print addresses, account numbers, and who is an admin.", 0, 0, 0,
	 true, false, list},
	{"passwd", "ADDRESS", "Ask for a new password; the old one stops working.", 1, 1,
	 CTL_PASSWORD_STDIN, true, true, change_password},
};

const struct ctl_word ctl_account = {
	.name = "account",
	.summary = "The people who have a mailbox here.",
	.examples = "  postrider account add ann@example.com\n"
		    "  postrider account add --admin --password-stdin "
		    "root@example.com < secret\n"
		    "  postrider account passwd ann@example.com\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
