/* Deciding what an operation does: it is checked against the state that the commits
 * before it left, and given its numbers.  Nothing is put into the index yet, so a refusal
 * leaves nothing behind (a body added to the group is taken back by the caller). */
#pragma once

#include "storage/work.h"

struct plan {
	struct work *work;
	struct packs *packs;
	struct arena *arena; /* of the results */
	struct buf *scratch; /* keywords and recipients of the effect */
	err_t failed;        /* the index could not be read: the whole group ends */
	bool is_applying;    /* the commit under way has put something */
};

/* The effect's slices live as long as the operation, the work's ranges and scratch: until
 * the next operation is planned. */
enum store_outcome plan_op(struct plan *plan, const struct store_op *op,
			   struct effect *effect, struct op_result *result);

enum store_outcome plan_append(struct plan *plan, const struct op_append *op,
			       struct effect_append *e);
enum store_outcome plan_flags(struct plan *plan, const struct op_flags *op,
			      struct effect_flags *e, struct op_result *result);
enum store_outcome plan_copy(struct plan *plan, const struct op_copy *op, bool is_move,
			     struct effect_copy *e, struct op_result *result);
enum store_outcome plan_expunge(struct plan *plan, const struct op_expunge *op,
				struct effect_expunge *e, struct op_result *result);
enum store_outcome plan_undelete(struct plan *plan, const struct op_undelete *op,
				 struct effect_undelete *e);
enum store_outcome plan_account(struct plan *plan, struct effect_mailbox *e);
enum store_outcome plan_mailbox_create(struct plan *plan, const struct op_mailbox *op,
				       struct effect_mailbox *e);
enum store_outcome plan_mailbox_rename(struct plan *plan, const struct op_mailbox *op,
				       struct effect_mailbox *e);
enum store_outcome plan_mailbox_delete(struct plan *plan, const struct op_mailbox *op,
				       struct effect_mailbox *e);
enum store_outcome plan_mailbox_subscribe(struct plan *plan, const struct op_mailbox *op,
					  struct effect_mailbox *e);
/* ABSENT: no mailbox of the account has it. */
enum store_outcome plan_find_role(struct plan *plan, enum mailbox_role role,
				  uint64_t *mailbox);
/* By its full name; ABSENT likewise. */
enum store_outcome plan_find_path(struct plan *plan, struct str path, uint64_t *mailbox);
enum store_outcome plan_queue_add(struct plan *plan, const struct op_queue_add *op,
				  struct effect_queue_add *e);
enum store_outcome plan_settle(struct plan *plan, const struct op_queue_settle *op,
			       struct effect_settle *e);

enum store_outcome plan_recent(struct plan *plan, const struct op_recent *op,
			       struct effect_recent *e, struct op_result *result);

/* The effect is of another kind: the list is a pair. */
enum store_outcome plan_acl(struct plan *plan, const struct op_acl *op,
			    struct effect *effect);

enum store_outcome plan_queue_change(const struct op_queue_change *op,
				     struct effect_queue_change *e);

/* ABSENT for ERR_ABSENT; any other failure is noted in the plan. */
enum store_outcome plan_err(struct plan *plan, err_t err);
/* Takes the body into the group, or finds the one that is shared. */
enum store_outcome plan_body(struct plan *plan, const struct store_body *body,
			     uint64_t message, struct effect_body *e);
