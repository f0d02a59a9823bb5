/* Append, flags, copy, move, expunge. */
#include "storage/apply.h"
#include "storage/expunged.h"
#include "storage/flag_runs.h"
#include "storage/items.h"
#include "storage/members.h"
#include "storage/plan.h"
#include "storage/seen_set.h"
#include "storage/threads.h"
#include "storage/words.h"

enum { FLAGS_ALL = 31, ZONE_MAX = 24 * 60 };

/* The mailbox that messages are to go to. */
static enum store_outcome target(struct plan *plan, uint64_t mailbox,
				 struct mailbox_row **row)
{
	enum store_outcome outcome =
		plan_err(plan, work_mailbox(plan->work, mailbox, row));

	if (outcome == STORE_OK && (*row)->is_container)
		return STORE_CONFLICT;
	return outcome;
}

/* Are there UIDs and quota for so many more?  RFC 9051 §2.3.1.1: UIDs only grow. */
static enum store_outcome room_for(const struct plan *plan, const struct mailbox_row *row,
				   uint64_t messages, uint64_t bytes)
{
	const struct account_row *account = &plan->work->account.row;

	if (messages > UINT32_MAX - 1 - row->uid_next)
		return STORE_OVER_QUOTA;
	if (account->messages_max && account->messages + messages > account->messages_max)
		return STORE_OVER_QUOTA;
	if (account->bytes_max && account->bytes + bytes > account->bytes_max)
		return STORE_OVER_QUOTA;
	return STORE_OK;
}

static bool append_is_valid(const struct op_append *op)
{
	return op->trace.len <= TRACE_BYTES_MAX && op->digest.len <= DIGEST_BYTES_MAX &&
	       (op->flags & ~FLAGS_ALL) == 0 && op->received_zone >= -ZONE_MAX &&
	       op->received_zone <= ZONE_MAX;
}

/* A body that is shared brings its digest. */
static err_t find_thread(struct plan *plan, const struct op_append *op, uint64_t message,
			 uint64_t *thread)
{
	struct work *work = plan->work;
	struct str digest = op->digest;
	struct key key;
	err_t err = OK;

	if (digest.len == 0 && op->body.from_message != 0)
		err = kv_get(work->txn,
			     key_message(&key, op->body.from_account,
					 op->body.from_message, PART_DIGEST),
			     &digest);
	if (err != OK && err != ERR_ABSENT)
		return err;
	return thread_find(work, message, digest, op->received_at, thread);
}

/* Of an append. */
static enum store_outcome destination(struct plan *plan, const struct op_append *op,
				      uint64_t *mailbox, struct mailbox_row **row)
{
	enum store_outcome outcome;

	*mailbox = op->mailbox;
	if (*mailbox != MAILBOX_JUNK && *mailbox != MAILBOX_NAMED)
		return target(plan, *mailbox, row);
	outcome = *mailbox == MAILBOX_JUNK ? plan_find_role(plan, ROLE_JUNK, mailbox)
					   : plan_find_path(plan, op->path, mailbox);
	if (outcome == STORE_OK)
		outcome = target(plan, *mailbox, row);
	if (outcome != STORE_ABSENT && outcome != STORE_CONFLICT)
		return outcome;
	*mailbox = MAILBOX_INBOX;
	return target(plan, *mailbox, row);
}

/* CONFLICT: a script is to be asked first. */
static enum store_outcome no_script(struct plan *plan, const struct op_append *op)
{
	struct key key;
	struct str value;

	if (!op->unless_sieve)
		return STORE_OK;
	enum store_outcome outcome = plan_err(
		plan, kv_get(plan->work->txn,
			     key_kv(&key, plan->work->account.id, STR(STORE_KV_SIEVE)),
			     &value));

	if (outcome == STORE_OK)
		return STORE_CONFLICT;
	return outcome == STORE_ABSENT ? STORE_OK : outcome;
}

enum store_outcome plan_append(struct plan *plan, const struct op_append *op,
			       struct effect_append *e)
{
	struct work *work = plan->work;
	struct mailbox_row *mailbox;
	uint64_t into;

	if (!append_is_valid(op) || !words_write(plan->scratch, &op->keywords))
		return STORE_INVALID;
	enum store_outcome outcome = destination(plan, op, &into, &mailbox);

	if (outcome == STORE_OK)
		outcome = no_script(plan, op);
	if (outcome != STORE_OK)
		return outcome;
	uint64_t message = work_number(work), member = work_number(work);

	*e = (struct effect_append){.mailbox = into,
				    .message = message,
				    .member = member,
				    .uid = mailbox->uid_next,
				    .received_at = op->received_at,
				    .received_zone = op->received_zone,
				    .flags = op->flags,
				    .words = buf_str(plan->scratch),
				    .trace = op->trace,
				    .digest = op->digest};
	outcome = plan_body(plan, &op->body, e->message, &e->body);
	if (outcome == STORE_OK)
		outcome = plan_err(plan, find_thread(plan, op, message, &e->thread));
	if (outcome != STORE_OK)
		return outcome;
	return room_for(plan, mailbox, 1, e->trace.len + e->body.raw_size);
}

/* Calls visit() for each message of the set in the mailbox, ascending; the row's slices
 * are good until it returns.  It must neither write nor move the work's cursor. */
static err_t each_member(struct work *work, uint64_t mailbox, const struct uid_set *uids,
			 err_t (*visit)(void *arg, uint32_t uid,
					const struct member_row *row),
			 void *arg)
{
	struct members members;
	err_t err;

	members_begin(&members, work, mailbox, *uids);
	while ((err = members_next(&members)) == OK)
		TRY(visit(arg, members.uid, &members.row));
	return err == ERR_ABSENT ? OK : err;
}

/* ---- flags ------------------------------------------------------------------------- */

struct flagging {
	struct work *work;
	const struct op_flags *op;
	struct str words;
	struct seen_set seen; /* by op->seen_by */
	struct flag_runs runs;
	bool is_too_many;
};

/* Do they change for the one whose \Seen is meant? */
static bool flags_differ(const struct flagging *f, uint32_t uid, uint8_t old)
{
	const struct op_flags *op = f->op;
	uint8_t was = seen_set_has(&f->seen, uid) ? FLAG_SEEN : 0;

	if (flags_combine(old, op->mode, op->flags, op->kept) != old)
		return true;
	return op->seen_by != 0 && flags_combine(was, op->mode, op->flags & FLAG_SEEN,
						 (uint8_t)~FLAG_SEEN) != was;
}

static err_t visit_flags(void *arg, uint32_t uid, const struct member_row *row)
{
	struct flagging *f = arg;

	/* RFC 7162 §3.1.3: those that changed since are left alone and named. */
	if (row->modseq > f->op->unchanged_since) {
		uid_ranges_add(&f->work->refused, uid);
		flag_runs_add(&f->runs, uid, row->flags, row->words);
		return OK;
	}
	buf_reset(&f->work->words);
	bool differs = !(f->op->kept & FLAGS_KEPT_WORDS) &&
		       words_combine(&f->work->words, row->words, f->op->mode, f->words);

	flag_runs_add(&f->runs, uid,
		      flags_combine(row->flags, f->op->mode, f->op->flags, f->op->kept),
		      differs ? buf_str(&f->work->words) : row->words);
	if (!differs && !flags_differ(f, uid, row->flags))
		return OK;
	if (words_count(buf_str(&f->work->words)) > KEYWORDS_MAX)
		f->is_too_many = true;
	uid_ranges_add(&f->work->changed, uid);
	return OK;
}

/* A visitor sees so much as a pair can say. */
static bool seen_fits(struct flagging *f)
{
	SCOPED(buf_fini) struct buf value = BUF(KV_VALUE_MAX + 64);
	bool is_operand = f->op->flags & FLAG_SEEN;
	bool is_added = f->op->mode != FLAGS_REMOVE && is_operand;

	if (f->op->seen_by == 0 || (f->op->mode != FLAGS_SET && !is_operand))
		return true;
	seen_set_change(&f->seen, ranges_set(&f->work->changed), is_added);
	return seen_set_write(&value, &f->seen);
}

enum store_outcome plan_flags(struct plan *plan, const struct op_flags *op,
			      struct effect_flags *e, struct op_result *result)
{
	struct work *work = plan->work;
	struct mailbox_row *mailbox;
	SCOPED(seen_set_fini) struct seen_set seen = {0};

	if (!uid_set_valid(&op->uids) || (op->flags & ~FLAGS_ALL) != 0 ||
	    !words_write(plan->scratch, &op->keywords))
		return STORE_INVALID;
	enum store_outcome outcome =
		plan_err(plan, work_mailbox(work, op->mailbox, &mailbox));

	if (outcome != STORE_OK)
		return outcome;
	if (op->seen_by != 0)
		outcome = plan_err(plan,
				   seen_set_load(work, op->mailbox, op->seen_by, &seen));
	if (outcome != STORE_OK)
		return outcome;
	struct flagging f = {.work = work,
			     .op = op,
			     .words = buf_str(plan->scratch),
			     .seen = seen,
			     .runs = {.is_wanted = op->wants_runs, .arena = plan->arena}};

	ranges_reset(&work->refused);
	outcome = plan_err(plan,
			   each_member(work, op->mailbox, &op->uids, visit_flags, &f));
	bool fits = outcome == STORE_OK && seen_fits(&f);

	seen = f.seen; /* what is to be freed */
	flag_runs_give(&f.runs, result);
	flag_runs_fini(&f.runs);
	if (outcome != STORE_OK)
		return outcome;
	if (f.is_too_many || !fits ||
	    !uid_ranges_copy(&work->changed, plan->arena, &result->uids) ||
	    !uid_ranges_copy(&work->refused, plan->arena, &result->refused))
		return STORE_INVALID;
	*e = (struct effect_flags){.mailbox = op->mailbox,
				   .uids = ranges_set(&work->changed),
				   .mode = op->mode,
				   .flags = op->flags,
				   .words = f.words,
				   .kept = op->kept,
				   .seen_by = op->seen_by};
	return STORE_OK;
}

/* ---- copy, move, expunge ----------------------------------------------------------- */

struct gathering {
	struct work *work;
	uint64_t bytes;
	bool only_deleted, wants_bytes;
};

static err_t visit_gather(void *arg, uint32_t uid, const struct member_row *row)
{
	struct gathering *g = arg;
	struct item_row item;

	if (g->only_deleted && !(row->flags & FLAG_DELETED))
		return OK;
	uid_ranges_add(&g->work->changed, uid);
	if (!g->wants_bytes)
		return OK;
	TRY(work_item(g->work, g->work->account.id, row->message, &item));
	g->bytes += item_size(&item);
	return OK;
}

static uint64_t numbers_take(struct work *work, uint64_t count)
{
	uint64_t first = work->account.row.next;

	if (count > 0)
		work_number_used(work, first + count - 1);
	return first;
}

enum store_outcome plan_copy(struct plan *plan, const struct op_copy *op, bool is_move,
			     struct effect_copy *e, struct op_result *result)
{
	struct work *work = plan->work;
	struct mailbox_row *from, *to;

	if (!uid_set_valid(&op->uids))
		return STORE_INVALID;
	enum store_outcome outcome =
		plan_err(plan, work_mailbox(work, op->mailbox, &from));

	if (outcome == STORE_OK)
		outcome = target(plan, op->to_mailbox, &to);
	if (outcome != STORE_OK)
		return outcome;
	const struct account_row *account = &work->account.row;
	struct gathering g = {.work = work,
			      .wants_bytes = !is_move && account->bytes_max != 0};

	outcome = plan_err(plan,
			   each_member(work, op->mailbox, &op->uids, visit_gather, &g));
	if (outcome != STORE_OK)
		return outcome;
	uint64_t count = work->changed.uids;

	if (is_move && count > UINT32_MAX - 1 - to->uid_next)
		return STORE_OVER_QUOTA;
	if (!is_move)
		outcome = room_for(plan, to, count, g.bytes);
	if (outcome != STORE_OK)
		return outcome;
	if (!uid_ranges_copy(&work->changed, plan->arena, &result->uids))
		return STORE_INVALID;
	*e = (struct effect_copy){.mailbox = op->mailbox,
				  .to_mailbox = op->to_mailbox,
				  .uids = ranges_set(&work->changed),
				  .to_uid = to->uid_next,
				  .to_member = numbers_take(work, count)};
	*result = (struct op_result){.mailbox = op->to_mailbox,
				     .uid_validity = to->uid_validity,
				     .uids = result->uids};
	if (count == 0)
		return STORE_OK;
	struct uid_range *dest = ARENA_NEW(plan->arena, struct uid_range);

	if (!dest)
		return STORE_INVALID;
	*dest = (struct uid_range){e->to_uid, e->to_uid + (uint32_t)count - 1};
	result->to_uids = (struct uid_set){dest, 1};
	return STORE_OK;
}

enum store_outcome plan_expunge(struct plan *plan, const struct op_expunge *op,
				struct effect_expunge *e, struct op_result *result)
{
	static const struct uid_range all = {1, UINT32_MAX};
	struct work *work = plan->work;
	struct mailbox_row *mailbox;
	struct uid_set uids = op->uids.count > 0 ? op->uids : (struct uid_set){&all, 1};

	if (!uid_set_valid(&uids))
		return STORE_INVALID;
	enum store_outcome outcome =
		plan_err(plan, work_mailbox(work, op->mailbox, &mailbox));

	if (outcome != STORE_OK)
		return outcome;
	struct gathering g = {.work = work, .only_deleted = op->only_deleted};

	outcome = plan_err(plan, each_member(work, op->mailbox, &uids, visit_gather, &g));
	if (outcome != STORE_OK)
		return outcome;
	if (!uid_ranges_copy(&work->changed, plan->arena, &result->uids))
		return STORE_INVALID;
	*e = (struct effect_expunge){op->mailbox, ranges_set(&work->changed)};
	return STORE_OK;
}

enum store_outcome plan_undelete(struct plan *plan, const struct op_undelete *op,
				 struct effect_undelete *e)
{
	struct work *work = plan->work;
	struct mailbox_row *mailbox;
	struct expunged_row row;
	struct item_row item;
	enum store_outcome outcome =
		plan_err(plan, expunged_get(work, work->account.id, op->member, &row));

	if (outcome == STORE_OK)
		outcome = plan_err(plan,
				   work_item(work, work->account.id, row.message, &item));
	/* Its body may be gone, even where housekeeping has not come by yet. */
	if (outcome == STORE_OK && row.until <= work->now)
		outcome = STORE_ABSENT;
	if (outcome != STORE_OK)
		return outcome;
	uint64_t size = item_size(&item);

	outcome = target(plan, op->mailbox, &mailbox);
	if (outcome != STORE_OK)
		return outcome;
	*e = (struct effect_undelete){.member = op->member,
				      .mailbox = op->mailbox,
				      .to_uid = mailbox->uid_next,
				      .to_member = work_number(work)};
	return room_for(plan, mailbox, 1, size);
}
