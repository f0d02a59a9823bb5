/* GETQUOTA, GETQUOTAROOT and SETQUOTA.  RFC 9208, and RFC 2087 before it.
 *
 * An account that has limits has one quota root for all of its mailboxes; who runs the
 * server sets them.  The root's name is an atom, since some programs ("" of imaplib)
 * forget to quote it.  One without limits has no root: the grammar (RFC 9208 §7) has no
 * empty list, though §4.2.1 tells what it would mean, and Thunderbird loses count of what
 * it has asked for when anything else comes behind one. */
#include "imap/shares.h"

#define ROOT "account"
enum { UNIT = 1024 }; /* of STORAGE, RFC 9208 §5.1 */

static void write_resource(struct buf *out, const char *name, uint64_t usage,
			   uint64_t max)
{
	if (max == 0) /* RFC 9208 §4.2.1: what is not named is not limited */
		return;
	if (out->ptr[out->len - 1] != '(')
		buf_add_byte(out, ' ');
	buf_printf(out, "%s %llu %llu", name, (unsigned long long)usage,
		   (unsigned long long)max);
}

static bool has_root(const struct account_summary *sum)
{
	return sum->bytes_max > 0 || sum->messages_max > 0;
}

/* "* QUOTA account (STORAGE 104 10923847 MESSAGE 42 1000)".  Both figures of STORAGE are
 * rounded in the same direction, so that usage never seems to be beyond the limit. */
static void write_quota(struct buf *out, const struct account_summary *sum)
{
	buf_add_c(out, "* QUOTA " ROOT " (");
	write_resource(out, "STORAGE", (sum->bytes + UNIT - 1) / UNIT,
		       (sum->bytes_max + UNIT - 1) / UNIT);
	write_resource(out, "MESSAGE", sum->messages, sum->messages_max);
	buf_add_c(out, ")\r\n");
}

err_t on_getquota(struct session *s, const struct imap_command *command)
{
	struct account_summary sum;
	enum store_outcome outcome =
		store_summary(session_store(s), s->login.account, &sum);

	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	if (!has_root(&sum) || !str_same(command->quota_root, STR(ROOT)))
		return reply_no(s, command,
				"[NONEXISTENT] There is no such quota root; GETQUOTAROOT "
				"says which there are");
	write_quota(&s->out, &sum);
	return reply_ok(s, command, "That is all");
}

/* Whether a mailbox of that name is, or would be, somebody else's: how full his account
 * is, is no affair of those with whom he shares one of its mailboxes. */
static bool is_others(struct session *s, struct str path)
{
	struct mailbox *mailbox;

	return shares_name(path) && (mailbox_find(s, path, &mailbox) != STORE_OK ||
				     mailbox->account != s->login.account);
}

/* The mailbox need not be there: it says what would apply to it (RFC 9208 §4.1.2). */
err_t on_getquotaroot(struct session *s, const struct imap_command *command)
{
	if (is_others(s, command->mailbox))
		return reply_no(s, command,
				"[NOPERM] Only its owner is told how full somebody "
				"else's account is");
	struct account_summary sum;
	enum store_outcome outcome =
		store_summary(session_store(s), s->login.account, &sum);

	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	buf_add_c(&s->out, "* QUOTAROOT ");
	imap_write_mailbox(&s->out, command->mailbox, session_is_utf8(s));
	buf_add_c(&s->out, has_root(&sum) ? " " ROOT "\r\n" : "\r\n");
	if (has_root(&sum))
		write_quota(&s->out, &sum);
	return reply_ok(s, command, "That is all");
}

/* QUOTASET is not offered, but programs of the time of RFC 2087 may try. */
err_t on_setquota(struct session *s, const struct imap_command *command)
{
	return reply_no(s, command,
			"[NOPERM] Who runs this server sets the limits; ask there");
}
