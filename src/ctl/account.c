#include <jansson.h>

#include "base/num.h"
#include "ctl/word.h"
#include "store/store.h"
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
	 CTL_ADMIN | CTL_PASSWORD_STDIN, CTL_NEEDS_SERVER | CTL_NEEDS_PASSWORD, add},
	{"remove", "ADDRESS", "Remove an account; its mail stays in the store.", 1, 1, 0,
	 CTL_NEEDS_SERVER, remove_one},
	{"list", "", "Print addresses, account numbers, and who is an admin.", 0, 0, 0,
	 CTL_NEEDS_SERVER, list},
	{"passwd", "ADDRESS", "Ask for a new password; the old one stops working.", 1, 1,
	 CTL_PASSWORD_STDIN, CTL_NEEDS_SERVER | CTL_NEEDS_PASSWORD, change_password},
	{"quota", "ADDRESS [MESSAGES OCTETS]",
	 "Print what an account uses; or limit it, with \"none\" for no limit.", 1, 3, 0,
	 CTL_NEEDS_SERVER, quota},
};

const struct ctl_word ctl_account = {
	.name = "account",
	.summary = "The people who have a mailbox here.",
	.examples = "  postrider account add ann@example.com\n"
		    "  postrider account add --admin --password-stdin "
		    "root@example.com < secret\n"
		    "  postrider account passwd ann@example.com\n"
		    "  postrider account quota ann@example.com none 10GiB\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
