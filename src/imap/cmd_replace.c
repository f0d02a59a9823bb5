/* REPLACE: a message in place of another, in one commit: either the new one is there and
 * the old one is gone, or nothing has changed.  RFC 8508. */
#include "imap/arriving.h"
#include "imap/events.h"
#include "imap/walk.h"

/* The UID of the message to be replaced; "", or why there is none. */
static struct str find_old(struct session *s, const struct imap_command *command,
			   uint32_t *uid, enum arriving_refusal *how)
{
	enum { TAKES = ACL_TRASH | ACL_EXPUNGE }; /* RFC 4314 §4, as STORE and EXPUNGE */
	struct imap_range *list;
	const char *reason = "";
	size_t count;

	*how = ARRIVING_NO;
	if (s->box.is_read_only)
		return STR("[READ-ONLY] The mailbox is open for reading only; SELECT it "
			   "to change it");
	if ((s->box.rights & TAKES) != TAKES)
		return STR("[NOPERM] You may not remove messages from this mailbox; ask "
			   "who shares it");
	switch (selected_uids(s, &command->append.replaced,
			      command->is_uid ? BY_UID : BY_NUMBER, &list, &count,
			      &reason)) {
	case SELECTED_OK:
		break;
	case SELECTED_BAD:
		*how = ARRIVING_BAD;
		return str_c(reason);
	case SELECTED_LOST:
		return STR("[UNAVAILABLE] The mailbox cannot be read now; try again in "
			   "a minute");
	}
	struct walk walk = walk_over(s, list, count, 0);
	const struct message_row *row = walk_next(&walk);

	if (walk.outcome != STORE_OK)
		return STR("[UNAVAILABLE] The mail store does not answer; try again in "
			   "a minute");
	if (!row)
		return STR("[EXPUNGEISSUED] That message is gone; store the new one "
			   "with APPEND"); /* RFC 5530 §3 */
	*uid = row->uid;
	return STR("");
}

/* RFC 8508 §4.3: APPENDUID goes ahead of what happens to the mailbox. */
static err_t replaced(struct session *s, const struct imap_command *command,
		      const struct op_result *append)
{
	buf_printf(&s->out, "* OK [APPENDUID %u %u] The new one is stored\r\n",
		   append->uid_validity, append->uid);
	TRY(selected_tell(s, events_selected(s, MOMENT_REMOVED)));
	if (s->is_done)
		return OK;
	if (s->is_qresync) /* RFC 7162 §3.2.7 */
		return reply_only_ok(s, command, "[HIGHESTMODSEQ %llu] It is replaced",
				     (unsigned long long)s->box.told);
	return reply_only_ok(s, command, "It is replaced");
}

/* The old one goes first, so that only what is added counts for the quota (RFC 8508
 * §3.4).  Should somebody else have expunged it meanwhile, the new one is stored all the
 * same: two who replace one draft both keep theirs. */
static err_t replace(struct arriving *a, uint32_t uid)
{
	struct session *s = a->s;
	const struct uid_range old = {uid, uid};
	struct store_op ops[] = {{.kind = OP_EXPUNGE}, {.kind = OP_APPEND}};
	struct store_commit commit = {
		.account = s->box.account, .ops = ops, .count = COUNT_OF(ops)};
	struct store_result result;

	ops[0].expunge =
		(struct op_expunge){.mailbox = s->box.mailbox, .uids = {&old, 1}};
	ops[1].append = arriving_op(a, 0);
	enum store_outcome outcome =
		store_commit(session_store(s), &commit, &s->scratch, &result);

	if (outcome != STORE_OK)
		return reply_store(s, a->command, outcome);
	events_own(s, a->account, result.change);
	arriving_seen(a, &result.ops[1]);
	return replaced(s, a->command, &result.ops[1]);
}

err_t on_replace(struct session *s, const struct imap_command *command)
{
	SCOPED(arriving_fini) struct arriving a = arriving_of(s, command);
	enum arriving_refusal how;
	uint32_t uid = 0;
	bool is_whole;
	struct str why = find_old(s, command, &uid, &how);

	if (why.len > 0)
		return arriving_refuse(&a, how, why);
	TRY(arriving_take(&a, &is_whole));
	if (!is_whole)
		return OK;
	if (a.count > 1) /* RFC 8508 §4.7 */
		return reply_bad(s, command, "one message is replaced by one");
	return replace(&a, uid);
}
