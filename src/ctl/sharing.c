#include "ctl/sharing.h"

#include <jansson.h>

#include "store/acl.h"
#include "store/store.h"
#include "transfer/boxes.h"

/* Words for what people usually mean. */
static const struct {
	struct str word;
	uint32_t rights;
} usual[] = {
	{STR("read"), ACL_LOOKUP | ACL_READ | ACL_SEEN},
	{STR("write"), ACL_LOOKUP | ACL_READ | ACL_SEEN | ACL_WRITE | ACL_INSERT |
			       ACL_TRASH | ACL_EXPUNGE},
	{STR("all"), ACL_RIGHTS},
};

static bool rights_of(struct ctl *ctl, struct str word, uint32_t *rights)
{
	for (size_t i = 0; i < COUNT_OF(usual); i++)
		if (str_same(word, usual[i].word)) {
			*rights = usual[i].rights;
			return true;
		}
	if (word.len > 0 && acl_letters(word, rights))
		return true;
	ctl_fail(ctl,
		 "\"%.*s\" are no rights.\nNothing was changed.\nSay \"read\", \"write\" "
		 "or \"all\", or the letters of RFC 4314, such as lrs.",
		 STR_FMT(word));
	return false;
}

static bool who_of(struct ctl *ctl, account_t owner, struct str word, struct acl_who *who)
{
	*who = (struct acl_who){.kind = ACL_ANYONE};
	if (str_same(word, STR("anyone")))
		return true;
	who->kind = ACL_ACCOUNT;
	enum directory_find found =
		directory_find_login(&ctl->directory, word, &ctl->arena, &who->account);

	if (found == DIRECTORY_UNKNOWN) {
		ctl_fail_store(ctl, STORE_UNAVAILABLE);
		return false;
	}
	if (found == DIRECTORY_ACCOUNT && who->account != owner)
		return true;
	ctl_fail(ctl,
		 "%.*s cannot be given rights there: it is no account of this server, or "
		 "the owner, who has all.\nNothing was changed.\n\"postrider account "
		 "list\" shows the accounts; \"anyone\" means all of them.",
		 STR_FMT(word));
	return false;
}

/* Words: the owner, the mailbox or "*", who, and what is given. */
static void change(struct ctl *ctl, account_t owner, uint32_t rights)
{
	SCOPED(boxes_fini) struct boxes boxes = {0};
	bool is_all = str_same(ctl->words[1], STR("*"));
	struct store_op op = {.kind = OP_ACL};
	struct store_commit commit = {.account = owner, .ops = &op, .count = 1};
	enum store_outcome outcome = boxes_load(&boxes, ctl->store, owner);
	size_t count = 0;

	op.acl.entry.rights = rights;
	if (outcome == STORE_OK && !who_of(ctl, owner, ctl->words[2], &op.acl.entry.who))
		return;
	for (size_t i = 0; outcome == STORE_OK && i < boxes.count; i++) {
		if (!is_all && !str_same(boxes.list[i].path, ctl->words[1]))
			continue;
		op.acl.mailbox = boxes.list[i].row.id;
		outcome = store_commit(ctl->store, &commit, &ctl->arena, NULL);
		count++;
	}
	if (outcome == STORE_INVALID)
		ctl_fail(ctl,
			 "A mailbox is shared with %d accounts at most.\nIt was not "
			 "shared with one more.\nTake the rights of others away, or "
			 "share it with \"anyone\".",
			 ACL_ENTRIES_MAX);
	else if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
	else if (count == 0)
		ctl_fail(ctl,
			 "There is no mailbox %.*s.\nNothing was changed.\n\"postrider "
			 "account retention %.*s\" shows those there are.",
			 STR_FMT(ctl->words[1]), STR_FMT(ctl->words[0]));
}

void sharing_give(struct ctl *ctl, account_t owner)
{
	uint32_t rights;

	if (!rights_of(ctl, ctl->words[3], &rights))
		return;
	change(ctl, owner, rights);
	if (ctl->status == 0)
		sharing_show(ctl, owner);
}

void sharing_take(struct ctl *ctl, account_t owner)
{
	change(ctl, owner, 0);
	if (ctl->status == 0)
		sharing_show(ctl, owner);
}

/* ---- showing ----------------------------------------------------------------------- */

static void show_entry(struct ctl *ctl, struct str path, const struct acl_entry *entry,
		       json_t *list)
{
	SCOPED(buf_fini) struct buf letters = BUF(100);
	struct directory_account record = {.address = STR("anyone")};

	if (entry->who.kind == ACL_ACCOUNT &&
	    directory_account(&ctl->directory, entry->who.account, &ctl->arena,
			      &record) != DIRECTORY_ACCOUNT)
		record.address =
			arena_printf(&ctl->arena, "account %u", entry->who.account);
	acl_add_letters(&letters, entry->rights);
	buf_printf(&ctl->out, "%-24.*s %s%-32.*s %.*s\n", STR_FMT(path),
		   entry->who.is_negative ? "-" : " ", STR_FMT(record.address),
		   STR_FMT(buf_str(&letters)));
	(void)json_array_append_new(list, json_pack("{s:o,s:o,s:b,s:o}", "mailbox",
						    ctl_json(path), "who",
						    ctl_json(record.address), "negative",
						    (int)entry->who.is_negative, "rights",
						    ctl_json(buf_str(&letters))));
}

static enum store_outcome show_box(struct ctl *ctl, account_t owner,
				   const struct box *box, json_t *list)
{
	struct pair_key key;
	struct str value;
	struct acl acl;
	enum store_outcome outcome = store_kv_get(
		ctl->store, owner, pair_acl(&key, box->row.id), &ctl->arena, &value);

	if (outcome != STORE_OK)
		return outcome == STORE_ABSENT ? STORE_OK : outcome;
	if (!acl_read(value, &ctl->arena, &acl))
		return STORE_DAMAGED;
	for (size_t i = 0; i < acl.count; i++)
		show_entry(ctl, box->path, &acl.entries[i], list);
	return STORE_OK;
}

void sharing_show(struct ctl *ctl, account_t owner)
{
	SCOPED(boxes_fini) struct boxes boxes = {0};
	json_t *list = json_array();
	enum store_outcome outcome = boxes_load(&boxes, ctl->store, owner);

	ctl->json = json_pack("{s:o}", "shares", list);
	for (size_t i = 0; outcome == STORE_OK && i < boxes.count; i++)
		outcome = show_box(ctl, owner, &boxes.list[i], list);
	if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
	else if (json_array_size(list) == 0)
		buf_printf(&ctl->out, "%.*s shares nothing.\n", STR_FMT(ctl->words[0]));
}
