/* A walk over the rows of a mailbox, a page at a time. */
#pragma once

#include "store/rows_ahead.h"
#include "wire/imap/sequence_set.h"

struct session;

struct walk {
	struct session *s;
	struct arena *arena; /* of the page */
	/* The selected one, unless changed before it begins. */
	account_t account;
	uint64_t mailbox;
	const struct imap_range *list; /* UIDs, ascending; borrowed */
	size_t count;                  /* ranges that are left */
	unsigned columns;
	uint32_t next; /* where to go on in the first of them; 0: not begun */
	struct message_row *rows;
	size_t row_count, row_at;
	enum store_outcome outcome; /* OK, or why it ended early */
	bool is_through;            /* goes to the end, mostly */
	struct rows_ahead *ahead;   /* all that follows; NULL: nothing */
};

struct walk walk_over(struct session *s, const struct imap_range *list, size_t count,
		      unsigned columns);
/* The same for who goes to the end, mostly: the next pages are read while one is looked
 * at.  Needs walk_fini(). */
struct walk walk_through(struct session *s, const struct imap_range *list, size_t count,
			 unsigned columns);
void walk_fini(struct walk *walk);
/* The same as walk_over() in an arena of one's own, beside another walk. */
struct walk walk_beside(struct session *s, struct arena *arena,
			const struct imap_range *list, size_t count, unsigned columns);
/* The next row, or NULL at the end.  May suspend.  It is good until the next call: the
 * page arena holds it. */
const struct message_row *walk_next(struct walk *walk);
/* The row last given and those that follow it on its page. */
const struct message_row *walk_page(const struct walk *walk, size_t *count);
/* Those of the page after it, if they are there already; NULL if not.  They are good
 * until the next call. */
const struct message_row *walk_page_after(const struct walk *walk, size_t *count);
