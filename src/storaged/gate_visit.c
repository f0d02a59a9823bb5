/* What a visitor may do: each call and operation by the right of RFC 4314 §4 in the
 * mailbox that it is about.  What is not named here is refused. */
#include "storaged/gate.h"
#include "store/acl.h"

/* One request of a visitor. */
struct visiting {
	const struct gate_view *view;
	account_t owner, visitor;
	uint64_t mailbox; /* whose rights are known: */
	uint32_t rights;
};

static uint32_t rights_in(struct visiting *v, uint64_t mailbox)
{
	if (mailbox != v->mailbox || mailbox == 0)
		v->rights = v->view->rights(v->view->arg, v->owner, v->visitor, mailbox);
	v->mailbox = mailbox;
	return v->rights;
}

/* All of these.  Who may not look it up does not learn that it is there, unless he may do
 * what he asks for.  RFC 4314 §6. */
static enum store_outcome needs(struct visiting *v, uint64_t mailbox, uint32_t rights)
{
	uint32_t has = rights_in(v, mailbox);

	if ((has & rights) == rights && has != 0)
		return STORE_OK;
	return has & ACL_LOOKUP ? STORE_DENIED : STORE_ABSENT;
}

static enum store_outcome may_see(struct visiting *v, const struct message_ref *ref)
{
	enum store_outcome outcome = needs(v, ref->mailbox, ACL_READ);

	if (outcome == STORE_OK && !v->view->sees(v->view->arg, v->owner, ref))
		outcome = STORE_ABSENT;
	return outcome;
}

static enum store_outcome may_see_all(struct visiting *v, const struct message_ref *refs,
				      size_t count)
{
	enum store_outcome outcome = count > 0 ? STORE_OK : STORE_DENIED;

	for (size_t i = 0; i < count && outcome == STORE_OK; i++)
		outcome = may_see(v, &refs[i]);
	return outcome;
}

/* "meta/MAILBOX/s/..." is everybody's, "meta/MAILBOX/p/ACCOUNT/..." is one's own.  RFC
 * 5464 §3.3: l, and one of those that have to do with messages; what all see is changed
 * by those only who may change messages. */
static enum store_outcome annotation(struct visiting *v, struct str key, bool is_change)
{
	enum {
		ANY_OF = ACL_READ | ACL_SEEN | ACL_WRITE | ACL_INSERT | ACL_POST,
		CHANGES = ACL_WRITE | ACL_ADMIN
	};
	struct pair_key front, own;
	uint64_t mailbox = pair_mailbox(key);
	struct str head = pair_metadata(&front, mailbox);
	struct str rest = str_skip(key, head.len);

	if (mailbox == 0 || !str_starts(key, head))
		return STORE_DENIED;
	enum store_outcome outcome = needs(v, mailbox, ACL_LOOKUP);

	if (outcome == STORE_OK && !(v->rights & ANY_OF))
		outcome = STORE_DENIED;
	if (outcome != STORE_OK || str_starts(rest, pair_private(&own, v->visitor)))
		return outcome;
	if (!str_starts(rest, STR("s/")))
		return STORE_DENIED;
	return !is_change || (v->rights & CHANGES) ? STORE_OK : STORE_DENIED;
}

/* ---- operations -------------------------------------------------------------------- */

/* The flags that who has these rights may change in the row; \Seen is no part of it. */
static uint8_t flags_of(uint32_t rights)
{
	uint8_t flags = 0;

	if (rights & ACL_WRITE)
		flags |= FLAG_ANSWERED | FLAG_FLAGGED | FLAG_DRAFT;
	if (rights & ACL_TRASH)
		flags |= FLAG_DELETED;
	return flags;
}

/* RFC 4314 §4: what he has no right for stays as it is, and the rest is done. */
static enum store_outcome may_flag(struct visiting *v, struct op_flags *op)
{
	enum store_outcome outcome = needs(v, op->mailbox, 0);
	uint32_t rights = outcome == STORE_OK ? v->rights : 0;
	bool has_words = op->keywords.count > 0 || op->mode == FLAGS_SET;
	uint8_t asked = op->mode == FLAGS_SET ? 31 : op->flags;
	uint8_t may = flags_of(rights);

	if (outcome != STORE_OK)
		return outcome;
	op->kept = (uint8_t)~may & 31;
	if (!(rights & ACL_WRITE))
		op->kept |= FLAGS_KEPT_WORDS;
	op->seen_by = rights & ACL_SEEN ? v->visitor : 0;
	op->wants_runs = false; /* \Seen there is the owner's */
	bool does_any = (asked & may) != 0 ||
			((asked & FLAG_SEEN) && (rights & ACL_SEEN)) ||
			(has_words && (rights & ACL_WRITE)) || (asked == 0 && !has_words);

	return does_any && (rights & ACL_READ) ? STORE_OK : STORE_DENIED;
}

static enum store_outcome may_append(struct visiting *v, struct op_append *op)
{
	enum store_outcome outcome = needs(v, op->mailbox, ACL_INSERT);

	op->flags &= flags_of(v->rights);
	if (!(v->rights & ACL_WRITE))
		op->keywords.count = 0;
	return outcome;
}

static enum store_outcome may_rename(struct visiting *v, const struct op_mailbox *op)
{
	enum store_outcome outcome = needs(v, op->mailbox, ACL_DELETE);

	if (outcome == STORE_OK && op->parent == 0)
		outcome = STORE_DENIED;
	return outcome == STORE_OK ? needs(v, op->parent, ACL_CREATE) : outcome;
}

static enum store_outcome may_create(struct visiting *v, const struct op_mailbox *op)
{
	if (op->role != ROLE_NONE || op->parent == 0 || op->is_subscribed)
		return STORE_DENIED;
	return needs(v, op->parent, ACL_CREATE);
}

/* The operation is the decoder's, made for this request alone. */
static enum store_outcome may_do(struct visiting *v, struct store_op *op)
{
	switch (op->kind) {
	case OP_APPEND:
		return may_append(v, &op->append);
	case OP_FLAGS:
		return may_flag(v, &op->flags);
	case OP_EXPUNGE:
		/* A move away is \Deleted and EXPUNGE in one (RFC 6851 §4.4). */
		return needs(v, op->expunge.mailbox,
			     op->expunge.only_deleted ? ACL_EXPUNGE
						      : ACL_EXPUNGE | ACL_TRASH);
	case OP_MAILBOX_CREATE:
		return may_create(v, &op->mailbox);
	case OP_MAILBOX_RENAME:
		return may_rename(v, &op->mailbox);
	case OP_MAILBOX_DELETE:
		return needs(v, op->mailbox.mailbox, ACL_DELETE);
	case OP_KV_PUT:
	case OP_KV_DELETE:
		return annotation(v, op->kv.key, true);
	case OP_ACL:
		return needs(v, op->acl.mailbox, ACL_ADMIN);
	case OP_ACCOUNT_CREATE:
	case OP_COPY: /* it would take the owner's \Seen along: it is an append */
	case OP_MOVE:
	case OP_MAILBOX_SUBSCRIBE: /* he subscribes in his own account */
	case OP_QUEUE_ADD:
	case OP_QUEUE_SETTLE:
	case OP_UNDELETE:
	case OP_QUEUE_CHANGE:
	case OP_RECENT: /* for the owner they are recent still */
	case OP_KEY_FORGET:
		break;
	}
	return STORE_DENIED;
}

static enum store_outcome may_commit(struct visiting *v,
				     const struct store_commit *commit)
{
	struct store_op *ops = (struct store_op *)(uintptr_t)commit->ops;
	enum store_outcome outcome = STORE_OK;

	for (size_t i = 0; i < commit->count && outcome == STORE_OK; i++) {
		if (ops[i].kind == OP_APPEND &&
		    !gate_source_allowed(v->view, &ops[i].append.body))
			return STORE_DENIED;
		outcome = may_do(v, &ops[i]);
	}
	return outcome;
}

/* ---- calls ------------------------------------------------------------------------- */

static enum store_outcome may_get(struct visiting *v, struct str key)
{
	struct pair_key name;
	uint64_t mailbox = pair_mailbox(key);

	if (mailbox != 0 && str_same(key, pair_acl(&name, mailbox)))
		return needs(v, mailbox, ACL_ADMIN);
	return annotation(v, key, false);
}

static enum store_outcome may_call(struct visiting *v,
				   const struct store_request *request)
{
	switch (request->call) {
	case CALL_COMMIT:
		return may_commit(v, &request->commit);
	case CALL_MAILBOXES: /* only those of which he may know */
	case CALL_SUMMARY:   /* only how far the change log is */
		return STORE_OK;
	case CALL_MAILBOX:
		return needs(v, request->mailbox, 0);
	case CALL_ROWS:
		return needs(v, request->rows.mailbox, ACL_READ);
	case CALL_CHANGES:
		/* Of all mailboxes: what visit_changes() leaves. */
		return request->changes.mailbox == 0
			       ? STORE_OK
			       : needs(v, request->changes.mailbox, ACL_READ);
	case CALL_BODY:
		return may_see(v, &request->body.ref);
	case CALL_BODIES:
		return may_see_all(v, request->bodies.refs, request->bodies.count);
	case CALL_SEARCH:
		return needs(v, request->find.mailbox, ACL_READ);
	case CALL_KV_GET:
		return may_get(v, request->key);
	case CALL_KV_SCAN:
		return annotation(v, request->scan.prefix, false);
	case CALL_WATCH: /* that something happens is all it tells */
	case CALL_UNWATCH:
		return STORE_OK;
	case CALL_ENTER:
	case CALL_LEAVE:
	case CALL_QUEUE_LEASE:
	case CALL_QUEUE_LIST:
	case CALL_LOCK:
	case CALL_UNLOCK:
	case CALL_WATCH_QUEUE:
	case CALL_UNWATCH_QUEUE:
	case CALL_STAGE:
	case CALL_STAGE_DROP:
	case CALL_REST:
	case CALL_STATS:
	case CALL_BACKUP_BEGIN:
	case CALL_BACKUP_END:
	case CALL_EXPUNGED:
	case CALL_QUEUE_COUNTS:
	case CALL_VISIT:
	case CALL_VISIT_END:
	case CALL_INDEX_TAKE:
	case CALL_INDEX_PUT:
	case CALL_INDEX_STATE:
	case CALL_INDEX_RENEW:
	case CALL_COUNT_:
	case EVENT_CHANGED:
	case EVENT_ENDED:
	case REPLY_WHOLE:
	case REPLY_PART:
		break;
	}
	return STORE_DENIED;
}

enum store_outcome gate_visit(const struct gate_view *view,
			      const struct store_request *request)
{
	struct visiting v = {
		.view = view, .owner = request->account, .visitor = request->visitor};
	enum grant_right right = request->call == CALL_COMMIT ? GRANT_WRITE : GRANT_READ;

	if (view->role != GATE_DOOR ||
	    !view->is_granted(view->arg, request->visitor, right))
		return STORE_DENIED;
	return may_call(&v, request);
}

bool gate_visit_source(const struct gate_view *view, const struct store_body *body)
{
	struct visiting v = {
		.view = view, .owner = body->from_account, .visitor = body->from_visitor};
	struct message_ref ref = {body->from_message, body->from_mailbox, body->from_uid};

	return view->role == GATE_DOOR &&
	       view->is_granted(view->arg, body->from_visitor, GRANT_READ) &&
	       may_see(&v, &ref) == STORE_OK;
}
