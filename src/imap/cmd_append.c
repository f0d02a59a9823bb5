/* APPEND: the client brings messages.  RFC 9051 §6.3.12, RFC 4315 §3; several at once are
 * RFC 3502, and are stored in one commit, all or none. */
#include "imap/arriving.h"
#include "imap/events.h"
#include "imap/recent.h"

static err_t store_all(struct arriving *a)
{
	struct session *s = a->s;
	struct store_op *ops = ARENA_ARRAY(&s->scratch, struct store_op, a->count + 1);
	struct store_commit commit = {
		.account = a->account, .ops = ops, .count = a->count};
	SCOPED(buf_fini) struct buf code = BUF(IMAP_OUT_MAX / 2);
	struct imap_set_writer writer = {.out = &code};
	struct store_result result;

	if (!ops)
		return reply_store(s, a->command, STORE_INVALID);
	for (size_t i = 0; i < a->count; i++) {
		ops[i].kind = OP_APPEND;
		ops[i].append = arriving_op(a, i);
	}
	bool takes_recent = recent_goes_along(s, a->account, a->mailbox, &ops[a->count]);

	commit.count += takes_recent;
	enum store_outcome outcome =
		store_commit(session_store(s), &commit, &s->scratch, &result);

	if (outcome != STORE_OK)
		return reply_store(s, a->command, outcome);
	events_own(s, a->account, result.change);
	if (takes_recent)
		recent_took(s, result.ops[a->count].uid,
			    result.ops[a->count - 1].uid + 1);
	arriving_seen(a, result.ops);
	for (size_t i = 0; i < a->count; i++)
		imap_set_add(&writer, result.ops[i].uid);
	imap_set_end(&writer);
	return reply_ok(s, a->command, "[APPENDUID %u %.*s] %s",
			result.ops[0].uid_validity, STR_FMT(buf_str(&code)),
			a->count == 1 ? "It is stored" : "They are stored");
}

err_t on_append(struct session *s, const struct imap_command *command)
{
	SCOPED(arriving_fini) struct arriving a = arriving_of(s, command);
	bool is_whole;

	TRY(arriving_take(&a, &is_whole));
	return is_whole ? store_all(&a) : OK;
}
