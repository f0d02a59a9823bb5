/* Does a message match the keys of a SEARCH?  RFC 9051 §6.4.4.
 *
 * Cheap keys decide first: sets and flags from the row, dates and sizes from the row,
 * header fields from the digest; the body is opened only when nothing else could tell,
 * and not where the search index can (imap/narrow.h). */
#pragma once

#include "imap/documents.h"
#include "imap/message.h"
#include "imap/narrow.h"
#include "imap/walk.h"
#include "search/text.h"

struct match {
	struct session *s;
	struct arena *arena;
	bool is_lasting; /* UIDs that do not exist yet are among those of "5:*" */
	const struct imap_search_key *key;
	struct str charset; /* that its texts came in; "" is UTF-8 */
	unsigned columns;   /* of the rows that match_row() needs */
	struct narrow narrow;
	struct fuzzy *fuzzies; /* of FUZZY texts: key->flag - 1 is the place of each */
	size_t fuzzy_count, fuzzy_room;
	bool is_scored; /* every FUZZY text that can say how relevant a message is does */
	unsigned score; /* of the last message that matches, from 1 to 100 */
	/* Messages of which the index does not tell all texts: their rows are read once
	 * more, with what it takes to look at them. */
	struct uids open;
	unsigned open_columns;
	struct arena page;
	struct walk walk;
	struct imap_range alone; /* what it walks over otherwise */
	bool is_alone;           /* that it does */
	uint32_t walked;         /* the UID that the walk has come to */
	uint32_t asked;          /* the one that it was last asked for */
	uint64_t looked;         /* messages that were looked at, of match_looks() */
	struct search_text texts;
	struct message message;
	struct documents documents;
	struct ahead *ahead;     /* NULL: most messages are decided without their body */
	struct buf text, mapped; /* scratch while it is made ready */
	enum store_outcome outcome; /* the worst of what was read */
};

/* What is to be matched, and whether it takes to know how relevant messages are. */
struct match_for {
	struct imap_search_key *key;
	struct str charset; /* find_charset() */
	bool is_scored;
};
/* Makes the tree ready: texts in the form they are compared in, numbers as UIDs, cheap
 * keys first.  The tree is changed and borrowed.  On failure *reason says why, for BAD,
 * or is empty if the store could not be read. */
bool match_init(struct match *match, struct session *s, struct match_for what,
		const char **reason);
/* The same for one that outlives the command: what it keeps is in the arena. */
bool match_init_lasting(struct match *match, struct session *s, struct arena *arena,
			struct match_for what, const char **reason);
/* Gives back what is of use only while messages are looked at. */
void match_rest(struct match *match);
void match_fini(struct match *match);
/* The UIDs that can match at all, from sets at the top of the tree and what the index
 * tells; some that cannot are among them where that costs less. */
void match_bounds(struct match *match, struct uids *uids);
/* How many messages are to be looked at, of those. */
uint64_t match_looks(const struct match *match, const struct uids *bounds);
/* May suspend.  page is the row and those that come next, of which bodies may be fetched
 * ahead. */
bool match_row(struct match *match, const struct message_row *page, size_t count);
