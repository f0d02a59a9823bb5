/* The mailboxes of an account by their full names, and the names that others have for
 * them. */
#pragma once

#include "base/buf.h"
#include "store/store.h"

struct box {
	struct mailbox_row row;
	struct str path; /* UTF-8, levels joined by "/" */
};

struct boxes {
	struct store *store;
	account_t account;
	struct arena arena;
	struct box *list; /* parents before children */
	size_t count;
};

/* May suspend.  boxes_fini() in any case. */
enum store_outcome boxes_load(struct boxes *boxes, struct store *store,
			      account_t account);
void boxes_fini(struct boxes *boxes);
/* By its name, or by its role; NULL if there is none. */
const struct box *boxes_find(const struct boxes *boxes, struct str path);
const struct box *boxes_with(const struct boxes *boxes, enum mailbox_role role);
/* Finds it, or makes it with the levels above it.  May suspend. */
enum store_outcome boxes_make(struct boxes *boxes, struct str path,
			      enum mailbox_role role, uint64_t *mailbox);

/* Builds the name of a mailbox of ours from levels of any octets, which are made such as
 * can be: UTF-8 without "/" and control characters, not too long, not too deep.  INBOX at
 * the top is ours in any case. */
struct box_path {
	struct buf text; /* zeroed at the start, freed by the caller */
	size_t depth;
};
void box_path_add(struct box_path *path, struct str level);
/* The same for a level in modified UTF-7 (RFC 3501 §5.1.3), or else in UTF-8. */
void box_path_add_utf7(struct box_path *path, struct str level);

/* Where mail of another's mailbox of that name and role (ROLE_NONE if not told) goes: the
 * mailbox of ours with the same role, or, if its top level has a usual name ("Sent
 * Items"), that with what is below it; else the name itself.  Lives in arena, or borrows
 * the name. */
struct str boxes_map(const struct boxes *boxes, struct str path, enum mailbox_role role,
		     struct arena *arena);
