/* Giving and taking rights: the list is the owner's, and he who gets rights finds it by
 * a hint in his own account (store/acl.h).
 *
 * Commits are of one account each, so a hint is put before the list, and taken away after
 * it: whatever dies in between, there is never a right without its hint.  One at a time:
 * nobody takes a hint away that another is about to need. */
#include "base/log.h"
#include "rt/offload.h"
#include "storaged/acls.h"
#include "storaged/state.h"
#include "store/acl.h"

static struct str hint_name(const struct acl_who *who, account_t owner,
			    struct pair_key *name)
{
	return who->kind == ACL_ANYONE ? pair_anyone(name, owner)
				       : pair_from(name, owner);
}

static enum store_outcome hint(struct storaged *storaged, const struct acl_who *who,
			       account_t owner, enum store_op_kind kind)
{
	struct pair_key name;
	struct store_op op = {.kind = kind};
	struct store_commit commit = {.ops = &op, .count = 1};
	struct arena arena;
	struct storage_commit done = {.commit = &commit, .arena = &arena};

	commit.account = who->kind == ACL_ANYONE ? ACCOUNT_SYSTEM : who->account;
	op.kv.key = hint_name(who, owner, &name);
	op.kv.only_if_absent = kind == OP_KV_PUT; /* one that is there is no news */
	arena_init(&arena, 64 * 1024);
	writer_commit(storaged->writer, &done);
	arena_fini(&arena);
	if (done.outcome == STORE_OK)
		events_commit(storaged, &commit);
	return done.outcome == STORE_CONFLICT ? STORE_OK : done.outcome;
}

struct looking {
	struct storage *storage;
	const struct acl_who *who;
	account_t owner;
	bool is_found, is_sure;
};

static bool look_at(void *arg, uint64_t mailbox, struct str list)
{
	struct looking *l = arg;

	(void)mailbox; /* any one will do */
	l->is_found = acl_gives(list, l->who);
	return !l->is_found;
}

/* Does any list of the owner's give anything to him? */
static void look(void *arg)
{
	struct looking *l = arg;

	l->is_sure = acls_each(l->storage, l->owner, look_at, l) == STORE_OK;
}

static void tidy(struct storaged *storaged, const struct acl_who *who, account_t owner)
{
	struct looking l = {
		.storage = storaged->options.storage, .who = who, .owner = owner};

	writer_catch_up(storaged->writer);
	offload(look, &l);
	if (l.is_sure && !l.is_found)
		(void)hint(storaged, who, owner, OP_KV_DELETE); /* one too many does no
								   harm */
}

void share_commit(struct guest *guest, struct storage_commit *commit)
{
	struct storaged *storaged = guest->storaged;
	const struct op_acl *op = &commit->commit->ops[0].acl;
	account_t owner = commit->commit->account;
	struct acl_who who = op->entry.who;
	bool gives = op->change != ACL_REMOVE && op->entry.rights != 0;

	if (commit->commit->count != 1) {
		commit->outcome = STORE_INVALID;
		return;
	}
	while (storaged->is_sharing)
		if (wait_on(&storaged->shared, NEVER) != OK) {
			commit->outcome = STORE_UNAVAILABLE;
			return;
		}
	storaged->is_sharing = true;
	commit->outcome = STORE_OK;
	if (gives && !who.is_negative)
		commit->outcome = hint(storaged, &who, owner, OP_KV_PUT);
	if (commit->outcome == STORE_OK)
		writer_commit(storaged->writer, commit);
	if (commit->outcome == STORE_OK && !gives && !who.is_negative)
		tidy(storaged, &who, owner);
	storaged->is_sharing = false;
	wake_all(&storaged->shared);
}
