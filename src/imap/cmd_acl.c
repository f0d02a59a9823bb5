/* Access control lists: GETACL, SETACL, DELETEACL, LISTRIGHTS, MYRIGHTS.  RFC 4314 §3.
 *
 * Identifiers are addresses of accounts here, "anyone", and either with "-" in front for
 * rights that are taken away.  The owner has all rights, whatever the list says. */
#include "directory/directory.h"
#include "imap/mailboxes.h"

/* Whose account the mailbox is in, by number. */
static account_t owner_of(const struct session *s, const struct mailbox *mailbox)
{
	return mailbox->account < ACCOUNT_VISITS ? s->login.account : mailbox->owner;
}

/* Whom the identifier means; other than OK, the command was answered. */
static enum store_outcome identify(struct session *s, const struct imap_command *command,
				   struct acl_who *who, err_t *err)
{
	struct str name = command->acl.identifier;
	enum directory_find found;

	*who = (struct acl_who){.kind = ACL_ANYONE,
				.is_negative = str_starts(name, STR("-"))};
	if (who->is_negative)
		name = str_skip(name, 1);
	if (str_same(name, STR("anyone")))
		return STORE_OK;
	who->kind = ACL_ACCOUNT;
	found = directory_find_login(s->service->login.directory, name, &s->scratch,
				     &who->account);
	if (found == DIRECTORY_ACCOUNT)
		return STORE_OK;
	*err = found == DIRECTORY_UNKNOWN
		       ? reply_store(s, command, STORE_UNAVAILABLE)
		       : reply_no(s, command,
				  "[CANNOT] Nobody here has that name; give an address "
				  "of this server, or \"anyone\"");
	return STORE_ABSENT;
}

/* The mailbox, for whom all these rights are needed; other than OK, it was answered. */
static enum store_outcome need(struct session *s, const struct imap_command *command,
			       struct str name, uint32_t rights, struct mailbox **mailbox,
			       err_t *err)
{
	enum store_outcome outcome = mailbox_find(s, name, mailbox);
	uint32_t has = outcome == STORE_OK ? (*mailbox)->row.rights : 0;

	/* RFC 4314 §6: what may not be looked up is not there. */
	if (outcome == STORE_OK && (has & rights) != rights)
		outcome = has & ACL_LOOKUP ? STORE_DENIED : STORE_ABSENT;
	if (outcome != STORE_OK)
		*err = reply_store(s, command, outcome);
	return outcome;
}

/* ---- changing ---------------------------------------------------------------------- */

static err_t change_acl(struct session *s, const struct imap_command *command,
			enum acl_change change, uint32_t rights)
{
	struct store_op op = {.kind = OP_ACL};
	struct store_commit commit = {.ops = &op, .count = 1};
	struct mailbox *mailbox;
	struct acl_who who;
	err_t err = OK;

	if (need(s, command, command->acl.mailbox, ACL_ADMIN, &mailbox, &err) !=
		    STORE_OK ||
	    identify(s, command, &who, &err) != STORE_OK)
		return err;
	if (who.kind == ACL_ACCOUNT && who.account == owner_of(s, mailbox))
		return reply_no(s, command,
				"[CANNOT] Whose mailbox it is has all rights in it; they "
				"cannot be changed");
	op.acl = (struct op_acl){mailbox->row.id, change, {who, rights}};
	commit.account = mailbox->account;
	enum store_outcome outcome =
		store_commit(session_store(s), &commit, &s->scratch, NULL);

	if (outcome == STORE_INVALID)
		return reply_no(s, command,
				"[LIMIT] That mailbox is shared with too many; take the "
				"rights of some away");
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_ok(s, command, "Noted");
}

err_t on_setacl(struct session *s, const struct imap_command *command)
{
	char how = command->acl.how;
	uint32_t rights;

	if (!acl_letters(command->acl.rights, &rights)) /* RFC 4314 §3.1 */
		return reply_bad(s, command, "one of these letters is no right");
	return change_acl(s, command,
			  how == '+'   ? ACL_ADD
			  : how == '-' ? ACL_REMOVE
				       : ACL_SET,
			  rights);
}

err_t on_deleteacl(struct session *s, const struct imap_command *command)
{
	return change_acl(s, command, ACL_SET, 0);
}

/* ---- telling ----------------------------------------------------------------------- */

/* " ann@example.org lrs"; nothing for who is gone. */
static void write_entry(struct session *s, const struct acl_entry *entry)
{
	struct directory_account record = {.address = STR("anyone")};
	SCOPED(buf_fini) struct buf name = BUF(IMAP_IDENTIFIER_MAX);

	if (entry->who.kind == ACL_ACCOUNT &&
	    directory_account(s->service->login.directory, entry->who.account,
			      &s->scratch, &record) != DIRECTORY_ACCOUNT)
		return;
	if (entry->who.is_negative)
		buf_add_byte(&name, '-');
	buf_add(&name, record.address);
	buf_add_byte(&s->out, ' ');
	imap_write_astring(&s->out, buf_str(&name));
	buf_add_byte(&s->out, ' ');
	acl_add_letters(&s->out, entry->rights);
}

err_t on_getacl(struct session *s, const struct imap_command *command)
{
	struct mailbox *mailbox;
	struct acl acl = {0};
	struct pair_key key;
	struct str value;
	err_t err = OK;

	if (need(s, command, command->mailbox, ACL_ADMIN, &mailbox, &err) != STORE_OK)
		return err;
	enum store_outcome outcome =
		store_kv_get(session_store(s), mailbox->account,
			     pair_acl(&key, mailbox->row.id), &s->scratch, &value);

	if (outcome == STORE_OK && !acl_read(value, &s->scratch, &acl))
		outcome = STORE_DAMAGED;
	if (outcome != STORE_OK && outcome != STORE_ABSENT)
		return reply_store(s, command, outcome);
	struct acl_entry owner = {{ACL_ACCOUNT, false, owner_of(s, mailbox)}, ACL_RIGHTS};

	buf_add_c(&s->out, "* ACL ");
	imap_write_mailbox(&s->out, mailbox->path, session_is_utf8(s));
	write_entry(s, &owner);
	for (size_t i = 0; i < acl.count; i++)
		write_entry(s, &acl.entries[i]);
	buf_add_c(&s->out, "\r\n");
	return reply_ok(s, command, "That is all");
}

err_t on_listrights(struct session *s, const struct imap_command *command)
{
	struct mailbox *mailbox;
	struct acl_who who;
	err_t err = OK;

	if (need(s, command, command->acl.mailbox, ACL_ADMIN, &mailbox, &err) !=
		    STORE_OK ||
	    identify(s, command, &who, &err) != STORE_OK)
		return err;
	bool is_owner = who.kind == ACL_ACCOUNT && who.account == owner_of(s, mailbox);

	buf_add_c(&s->out, "* LISTRIGHTS ");
	imap_write_mailbox(&s->out, mailbox->path, session_is_utf8(s));
	buf_add_byte(&s->out, ' ');
	imap_write_astring(&s->out, command->acl.identifier);
	/* What is always there, and what may be given besides, each by itself. */
	buf_add_c(&s->out, is_owner ? " lrswipkxteacd\r\n"
				    : " \"\" l r s w i p k x t e a c d\r\n");
	return reply_ok(s, command, "That is all");
}

void mailbox_write_rights(struct session *s, const struct mailbox *mailbox)
{
	buf_add_c(&s->out, "* MYRIGHTS ");
	imap_write_mailbox(&s->out, mailbox->path, session_is_utf8(s));
	buf_add_byte(&s->out, ' ');
	if (mailbox->row.rights == 0)
		buf_add_c(&s->out, "\"\"");
	acl_add_letters(&s->out, mailbox->row.rights);
	buf_add_c(&s->out, "\r\n");
}

err_t on_myrights(struct session *s, const struct imap_command *command)
{
	enum {
		ANY_OF = ACL_LOOKUP | ACL_READ | ACL_INSERT | ACL_CREATE | ACL_DELETE |
			 ACL_ADMIN
	};
	struct mailbox *mailbox;
	err_t err = OK;

	if (need(s, command, command->mailbox, 0, &mailbox, &err) != STORE_OK)
		return err;
	if (!(mailbox->row.rights & ANY_OF)) /* RFC 4314 §4 */
		return reply_store(s, command, STORE_ABSENT);
	mailbox_write_rights(s, mailbox);
	return reply_ok(s, command, "That is all");
}
