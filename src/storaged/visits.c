/* Visits: guests who are in somebody else's account with the rights of one of their own.
 *
 * The list of the mailbox is the truth, and it is looked at for each request, once the
 * index shows all that was acknowledged: who takes a right away need not tell anybody. */
#include "base/log.h"
#include "storaged/state.h"
#include "store/acl.h"

enum {
	PAIR_ARENA_BYTES = 64 * 1024,
	VISITS_MAX = 20000, /* of one guest */
	CATCH_UP_TRIES = 100,
};

/* ---- what the store knows ---------------------------------------------------------- */

static bool has_pair(struct storage *storage, account_t account, struct str name)
{
	struct arena arena;
	struct str value;

	arena_init(&arena, PAIR_ARENA_BYTES);
	enum store_outcome outcome =
		storage_kv_get(storage, account, name, &arena, &value);

	arena_fini(&arena);
	return outcome == STORE_OK;
}

uint32_t visit_rights(void *arg, account_t owner, account_t visitor, uint64_t mailbox)
{
	struct guest *guest = arg;
	struct pair_key name;
	struct arena arena;
	struct str value;
	uint32_t rights = 0;

	if (mailbox == 0 || mailbox >= MAILBOX_JUNK)
		return 0;
	arena_init(&arena, PAIR_ARENA_BYTES);
	if (storage_kv_get(guest->storaged->options.storage, owner,
			   pair_acl(&name, mailbox), &arena, &value) == STORE_OK)
		rights = acl_rights(value, visitor);
	arena_fini(&arena);
	return rights;
}

bool visit_sees(void *arg, account_t owner, const struct message_ref *ref)
{
	struct guest *guest = arg;
	struct message_row *rows;
	struct arena arena;
	size_t count;
	uint32_t next;
	bool is_there = false;

	if (ref->uid == 0)
		return false;
	arena_init(&arena, PAIR_ARENA_BYTES);
	if (storage_rows(guest->storaged->options.storage, owner, ref->mailbox,
			 (struct uid_range){ref->uid, ref->uid}, 0, &arena, &rows, &count,
			 &next) == STORE_OK)
		is_there = count == 1 && rows[0].message == ref->message;
	arena_fini(&arena);
	return is_there;
}

/* False if it cannot be told now: others change the account's pairs all the time. */
static bool catch_up(struct guest *guest, account_t account)
{
	for (int i = 0; i < CATCH_UP_TRIES; i++) {
		if (!storage_is_behind(guest->storaged->options.storage, account,
				       STORAGE_PAIRS))
			return true;
		writer_catch_up(guest->storaged->writer);
	}
	return false;
}

/* ---- begin ------------------------------------------------------------------------- */

enum store_outcome visit_begin(struct guest *guest, const struct store_request *request)
{
	struct storaged *storaged = guest->storaged;
	struct storage *storage = storaged->options.storage;
	account_t account = request->account, owner = request->visit.owner;
	struct pair_key name;

	if (owner == account || owner == ACCOUNT_SYSTEM ||
	    seat_find_visit(storaged, guest, request->visit.number))
		return STORE_INVALID;
	if (!catch_up(guest, account) || !catch_up(guest, ACCOUNT_SYSTEM))
		return STORE_UNAVAILABLE;
	if (!has_pair(storage, account, pair_from(&name, owner)) &&
	    !has_pair(storage, ACCOUNT_SYSTEM, pair_anyone(&name, owner)))
		return STORE_ABSENT;
	if (guest->visit_count >= VISITS_MAX)
		return STORE_UNAVAILABLE;
	/* It may have come a second time while this one waited. */
	if (!guest->ipc || seat_find_visit(storaged, guest, request->visit.number))
		return STORE_INVALID;
	(void)seat_open_visit(guest, account, owner, request->visit.number);
	return STORE_OK;
}

/* ---- requests ---------------------------------------------------------------------- */

static struct store_body *body_of(const struct store_op *op)
{
	/* The decoder made these operations for us alone. */
	struct store_op *ours = (struct store_op *)(uintptr_t)op;

	if (op->kind == OP_APPEND)
		return &ours->append.body;
	return op->kind == OP_QUEUE_ADD ? &ours->queue_add.body : NULL;
}

static bool enter_sources(struct guest *guest, const struct store_commit *commit)
{
	for (size_t i = 0; i < commit->count; i++) {
		struct store_body *body = body_of(&commit->ops[i]);

		if (!body || body->from_account < ACCOUNT_VISITS)
			continue;
		const struct seat *seat =
			seat_find_visit(guest->storaged, guest, body->from_account);

		if (!seat)
			return false;
		body->from_account = seat->account;
		body->from_visitor = seat->visitor;
	}
	return true;
}

/* A visitor's keys are his own: he neither learns of, nor takes, a key of the owner's,
 * such as that of a mail on its way. */
static bool enter_key(const struct seat *seat, struct store_commit *commit,
		      struct arena *arena)
{
	if (commit->key.len == 0)
		return true;
	struct buf key = BUF(COMMIT_KEY_MAX);

	buf_printf(&key, "v/%08x/", seat->visitor);
	buf_add(&key, commit->key);
	bool fits = buf_ok(&key) && arena_copy(arena, buf_str(&key), &commit->key);

	buf_fini(&key);
	return fits;
}

enum store_outcome visit_enter(struct guest *guest, struct store_request *request,
			       struct arena *arena)
{
	bool is_commit = request->call == CALL_COMMIT;

	if (is_commit && !enter_sources(guest, &request->commit))
		return STORE_DENIED;
	if (request->account < ACCOUNT_VISITS)
		return STORE_OK;
	const struct seat *seat =
		seat_find_visit(guest->storaged, guest, request->account);

	if (!seat)
		return STORE_DENIED;
	request->number = request->account;
	request->visitor = seat->visitor;
	request->account = seat->account;
	if (!is_commit)
		return STORE_OK;
	request->commit.account = seat->account;
	return enter_key(seat, &request->commit, arena) ? STORE_OK : STORE_INVALID;
}

bool visit_concerns(const struct store_request *request)
{
	if (request->visitor != 0)
		return true;
	for (size_t i = 0; request->call == CALL_COMMIT && i < request->commit.count;
	     i++) {
		const struct store_body *body = body_of(&request->commit.ops[i]);

		if (body && body->from_visitor != 0)
			return true;
	}
	return false;
}

bool visit_catch_up(struct guest *guest, const struct store_request *request)
{
	if (request->visitor != 0 && !catch_up(guest, request->account))
		return false;
	for (size_t i = 0; request->call == CALL_COMMIT && i < request->commit.count;
	     i++) {
		const struct store_body *body = body_of(&request->commit.ops[i]);

		if (body && body->from_visitor != 0 &&
		    !catch_up(guest, body->from_account))
			return false;
	}
	return true;
}
