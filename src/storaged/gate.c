#include "storaged/gate.h"

#include "store/acl.h"

enum rule {
	NEVER, /* 0: what a table forgets is refused */
	ALWAYS,
	READ,      /* the account is granted here, to read */
	WRITE,     /* ... to change */
	SETTINGS,  /* WRITE, but not of what limits the account */
	SEND,      /* the account is granted here, to send mail as */
	STRANGERS, /* SEND, or the system account, which owns what strangers send, or a
		      report along with the settling of a row under lease here */
	DIRECTORY, /* the directory's keys in the system account */
	LOOK_UP,   /* READ or DIRECTORY */
	POLICIES,  /* the keys of TLS policies and their reports, likewise */
	POLICY_OR_DIRECTORY,
	KEYS_OR_COUNTS, /* the directory's lists of keys for DKIM and SRS, or COUNTS */
	COUNTS,     /* the keys of what is counted for reports of DMARC, and of reports
		       that came from others */
	DELIVERING, /* COUNTS or DIRECTORY, or anybody's script */
	COUNTS_OR_DIRECTORY,
	LOCAL,  /* the queue of local mail */
	REMOTE, /* the queue of mail that leads out */
	PEOPLE, /* anybody's mailboxes, as delivery names them */
	LEASED, /* the row or message is under lease here */
	REPORT, /* along with the settling of a row that is under lease here, or with the
		   counts of TLS that it tells of */
	ANYONE, /* READ, or the list of those who share with everybody */
	BY_OP,  /* a commit: each operation by its own rule */
};

static const enum rule call_rules[CALL_COUNT_][GATE_ROLES] = {
	/* door, smtpd, ctl, vault, mta, deliverd, indexd */
	[CALL_ENTER] = {ALWAYS, ALWAYS, NEVER, NEVER, NEVER,
			ALWAYS}, /* the grant proves itself */
	[CALL_LEAVE] = {ALWAYS, ALWAYS, NEVER, NEVER, NEVER, ALWAYS},
	[CALL_COMMIT] = {BY_OP, NEVER, BY_OP, NEVER, BY_OP, BY_OP},
	[CALL_SUMMARY] = {READ, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_MAILBOXES] = {READ, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_MAILBOX] = {READ, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_ROWS] = {READ, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_CHANGES] = {READ, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_BODY] = {READ, NEVER, ALWAYS, NEVER, LEASED, LEASED, LEASED},
	[CALL_BODIES] = {READ, NEVER, ALWAYS, NEVER, LEASED, NEVER, LEASED},
	[CALL_KV_GET] = {LOOK_UP, DIRECTORY, ALWAYS, DIRECTORY, POLICY_OR_DIRECTORY,
			 DELIVERING},
	[CALL_KV_SCAN] = {ANYONE, DIRECTORY, ALWAYS, NEVER, POLICIES,
			  COUNTS_OR_DIRECTORY},
	[CALL_QUEUE_LEASE] = {NEVER, NEVER, ALWAYS, NEVER, REMOTE, LOCAL},
	[CALL_QUEUE_LIST] = {NEVER, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_LOCK] = {WRITE, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_UNLOCK] = {ALWAYS, NEVER, ALWAYS, NEVER, NEVER, NEVER}, /* only its own */
	[CALL_WATCH] = {READ, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_UNWATCH] = {ALWAYS, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_WATCH_QUEUE] = {NEVER, NEVER, ALWAYS, NEVER, REMOTE, LOCAL},
	[CALL_UNWATCH_QUEUE] = {NEVER, NEVER, ALWAYS, NEVER, ALWAYS, ALWAYS},
	[CALL_STAGE] = {ALWAYS, NEVER, ALWAYS, NEVER, ALWAYS,
			ALWAYS}, /* its commit is judged */
	[CALL_STAGE_DROP] = {ALWAYS, NEVER, ALWAYS, NEVER, ALWAYS, ALWAYS},
	[CALL_REST] = {ALWAYS, ALWAYS, ALWAYS, NEVER, ALWAYS, ALWAYS,
		       ALWAYS}, /* of its own replies */
	[CALL_EXPUNGED] = {READ, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_STATS] = {NEVER, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_BACKUP_BEGIN] = {NEVER, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_VISIT] = {READ, NEVER, NEVER, NEVER, NEVER, NEVER}, /* looks for itself */
	[CALL_VISIT_END] = {ALWAYS, NEVER, NEVER, NEVER, NEVER, NEVER},
	[CALL_QUEUE_COUNTS] = {NEVER, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_BACKUP_END] = {NEVER, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_SEARCH] = {READ, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_INDEX_TAKE] = {NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, ALWAYS},
	[CALL_INDEX_PUT] = {NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, ALWAYS},
	[CALL_INDEX_STATE] = {NEVER, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[CALL_INDEX_RENEW] = {NEVER, NEVER, ALWAYS, NEVER, NEVER, NEVER},
};

static const enum rule op_rules[OP_KEY_FORGET + 1][GATE_ROLES] = {
	[OP_ACCOUNT_CREATE] = {NEVER, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[OP_APPEND] = {WRITE, NEVER, ALWAYS, NEVER, NEVER, PEOPLE},
	[OP_FLAGS] = {WRITE, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[OP_COPY] = {WRITE, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[OP_MOVE] = {WRITE, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[OP_EXPUNGE] = {WRITE, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[OP_MAILBOX_CREATE] = {WRITE, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[OP_MAILBOX_RENAME] = {WRITE, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[OP_MAILBOX_DELETE] = {WRITE, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[OP_MAILBOX_SUBSCRIBE] = {WRITE, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[OP_KV_PUT] = {SETTINGS, NEVER, ALWAYS, NEVER, POLICIES, KEYS_OR_COUNTS},
	[OP_KV_DELETE] = {SETTINGS, NEVER, ALWAYS, NEVER, POLICIES, COUNTS},
	[OP_QUEUE_ADD] = {SEND, NEVER, ALWAYS, NEVER, REPORT, STRANGERS},
	[OP_QUEUE_SETTLE] = {NEVER, NEVER, ALWAYS, NEVER, LEASED, LEASED},
	[OP_UNDELETE] = {WRITE, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[OP_QUEUE_CHANGE] = {NEVER, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[OP_ACL] = {WRITE, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[OP_RECENT] = {WRITE, NEVER, ALWAYS, NEVER, NEVER, NEVER},
	[OP_KEY_FORGET] = {WRITE, NEVER, ALWAYS, NEVER, NEVER, ALWAYS},
};

/* A new message that shares the body of another would let its reader read that one. */
static const enum rule source_rules[GATE_ROLES] = {READ,   NEVER,  NEVER, NEVER,
						   LEASED, LEASED, NEVER};

static bool is_directory_key(account_t account, struct str key)
{
	return account == ACCOUNT_SYSTEM && str_starts(key, STR("d/"));
}

/* What deliverd sees to (deliverd/upkeep.h). */
static bool is_key_list(account_t account, struct str key)
{
	return account == ACCOUNT_SYSTEM &&
	       (str_starts(key, STR("d/dkm/")) || str_same(key, STR("d/srs")));
}

static bool is_policy_key(account_t account, struct str key)
{
	return account == ACCOUNT_SYSTEM && str_starts(key, STR("t/"));
}

static bool is_count_key(account_t account, struct str key)
{
	return account == ACCOUNT_SYSTEM &&
	       (str_starts(key, STR("r/dmarc/")) || str_starts(key, STR("r/kept/")));
}

bool gate_source_allowed(const struct gate_view *view, const struct store_body *body)
{
	account_t account = body->from_account;

	if (body->from_message == 0)
		return true;
	if (body->from_visitor != 0)
		return gate_visit_source(view, body);
	switch (source_rules[view->role]) {
	case READ:
		return view->is_granted(view->arg, account, GRANT_READ);
	case LEASED:
		return view->is_leased_message(view->arg, account, body->from_message);
	case NEVER:
	case ALWAYS:
	case WRITE:
	case SETTINGS:
	case SEND:
	case STRANGERS:
	case DIRECTORY:
	case LOOK_UP:
	case POLICIES:
	case POLICY_OR_DIRECTORY:
	case KEYS_OR_COUNTS:
	case COUNTS:
	case DELIVERING:
	case COUNTS_OR_DIRECTORY:
	case LOCAL:
	case REMOTE:
	case PEOPLE:
	case REPORT:
	case ANYONE:
	case BY_OP:
		break;
	}
	return false;
}

/* What a carrier queues is a report of a row that it settles in the same commit. */
static bool settles_leased(const struct gate_view *view,
			   const struct store_commit *commit)
{
	for (size_t i = 0; i < commit->count; i++)
		if (commit->ops[i].kind == OP_QUEUE_SETTLE &&
		    view->is_leased_row(view->arg, commit->account,
					commit->ops[i].settle.row))
			return true;
	return false;
}

static bool is_tls_report(const struct op_queue_add *add)
{
	return add->sender.len == 0 && (add->body_kind & QUEUE_TLS_OPTIONAL) &&
	       add->count <= GATE_REPORT_RCPTS_MAX && add->body.from_message == 0 &&
	       add->body.raw_size <= GATE_REPORT_BYTES_MAX;
}

/* RFC 8460: what is queued are small mails from <>, and the counts that they tell of are
 * deleted, so that they are told once. */
static bool tells_counts(const struct store_commit *commit)
{
	size_t mails = 0, counts = 0;

	if (commit->account != ACCOUNT_SYSTEM || commit->key.len == 0)
		return false;
	for (size_t i = 0; i < commit->count; i++) {
		const struct store_op *op = &commit->ops[i];

		if (op->kind == OP_KV_DELETE && str_starts(op->kv.key, STR("t/rpt/")))
			counts++;
		else if (op->kind == OP_QUEUE_ADD && is_tls_report(&op->queue_add))
			mails++;
		else
			return false;
	}
	return counts == 1 && mails <= GATE_REPORTS_MAX;
}

static bool op_allowed(const struct gate_view *view, const struct store_commit *commit,
		       const struct store_op *op)
{
	account_t account = commit->account;
	bool may_send = view->is_granted(view->arg, account, GRANT_SEND);

	if (op->kind == OP_APPEND && !gate_source_allowed(view, &op->append.body))
		return false;
	if (op->kind == OP_QUEUE_ADD && !gate_source_allowed(view, &op->queue_add.body))
		return false;
	switch (op_rules[op->kind][view->role]) {
	case ALWAYS:
		return true;
	case WRITE:
		return view->is_granted(view->arg, account, GRANT_WRITE);
	case SETTINGS:
		return view->is_granted(view->arg, account, GRANT_WRITE) &&
		       !str_same(op->kv.key, STR(STORE_KV_QUOTA)) &&
		       !str_same(op->kv.key, STR(STORE_KV_UNDELETE)) &&
		       !pair_is_kept(op->kv.key) &&
		       !str_starts(op->kv.key, STR(STORE_KV_RETENTION));
	case SEND:
		return may_send;
	case STRANGERS:
		return account == ACCOUNT_SYSTEM || may_send ||
		       settles_leased(view, commit);
	case PEOPLE:
		return account != ACCOUNT_SYSTEM &&
		       (op->append.mailbox == MAILBOX_INBOX ||
			op->append.mailbox == MAILBOX_JUNK ||
			op->append.mailbox == MAILBOX_NAMED);
	case LEASED:
		return view->is_leased_row(view->arg, account, op->settle.row);
	case REPORT:
		return settles_leased(view, commit) || tells_counts(commit);
	case POLICIES:
		return is_policy_key(account, op->kv.key);
	case KEYS_OR_COUNTS:
		return is_key_list(account, op->kv.key) ||
		       is_count_key(account, op->kv.key);
	case COUNTS:
		return is_count_key(account, op->kv.key);
	case NEVER:
	case READ:
	case DIRECTORY:
	case LOOK_UP:
	case POLICY_OR_DIRECTORY:
	case DELIVERING:
	case COUNTS_OR_DIRECTORY:
	case LOCAL:
	case REMOTE:
	case ANYONE:
	case BY_OP:
		break;
	}
	return false;
}

static bool ops_allowed(const struct gate_view *view, const struct store_commit *commit)
{
	for (size_t i = 0; i < commit->count; i++)
		if (!op_allowed(view, commit, &commit->ops[i]))
			return false;
	return true;
}

/* The key that a directory rule looks at. */
static struct str key_of(const struct store_request *request)
{
	return request->call == CALL_KV_GET ? request->key : request->scan.prefix;
}

static enum queue_kind queue_of(const struct store_request *request)
{
	return request->call == CALL_QUEUE_LEASE ? request->lease.kind : request->queue;
}

/* All bodies that are asked for. */
static bool bodies_leased(const struct gate_view *view,
			  const struct store_request *request)
{
	account_t account = request->account;

	if (request->call == CALL_BODY)
		return view->is_leased_message(view->arg, account,
					       request->body.ref.message);
	for (size_t i = 0; i < request->bodies.count; i++)
		if (!view->is_leased_message(view->arg, account,
					     request->bodies.refs[i].message))
			return false;
	return request->bodies.count > 0;
}

static bool gate_allows(const struct gate_view *view, const struct store_request *request)
{
	account_t account = request->account;

	switch (call_rules[request->call][view->role]) {
	case ALWAYS:
		return true;
	case READ:
		return view->is_granted(view->arg, account, GRANT_READ);
	case WRITE:
		return view->is_granted(view->arg, account, GRANT_WRITE);
	case DIRECTORY:
		return is_directory_key(account, key_of(request));
	case LOOK_UP:
		return is_directory_key(account, key_of(request)) ||
		       view->is_granted(view->arg, account, GRANT_READ);
	case ANYONE:
		return (account == ACCOUNT_SYSTEM &&
			str_same(request->scan.prefix, PAIR_ANYONE)) ||
		       view->is_granted(view->arg, account, GRANT_READ);
	case POLICIES:
		return is_policy_key(account, key_of(request));
	case POLICY_OR_DIRECTORY:
		return is_policy_key(account, key_of(request)) ||
		       is_directory_key(account, key_of(request));
	case DELIVERING:
		return str_same(key_of(request), STR(STORE_KV_SIEVE)) ||
		       is_count_key(account, key_of(request)) ||
		       is_directory_key(account, key_of(request));
	case COUNTS_OR_DIRECTORY:
		return is_count_key(account, key_of(request)) ||
		       is_directory_key(account, key_of(request));
	case LOCAL:
		return queue_of(request) == QUEUE_LOCAL;
	case REMOTE:
		return queue_of(request) == QUEUE_REMOTE;
	case LEASED:
		return bodies_leased(view, request);
	case BY_OP:
		return ops_allowed(view, &request->commit);
	case NEVER:
	case SETTINGS:
	case SEND:
	case STRANGERS:
	case PEOPLE:
	case KEYS_OR_COUNTS:
	case REPORT:
	case COUNTS:
		break;
	}
	return false;
}

enum store_outcome gate_judge(const struct gate_view *view,
			      const struct store_request *request)
{
	if (request->visitor != 0)
		return gate_visit(view, request);
	return gate_allows(view, request) ? STORE_OK : STORE_DENIED;
}
