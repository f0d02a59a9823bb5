/* What the search index tells about the texts of a SEARCH: which messages have one,
 * which have it not, and which have to be looked at. */
#pragma once

#include "imap/scores.h"
#include "imap/session.h"
#include "search/fuzzy.h"

enum { NARROW_MAX = 16 }; /* texts of one command that are asked about */

struct narrowed {
	struct uids sure, perhaps;
	struct scores scores; /* of those that are sure, if it is FUZZY */
};

struct narrow {
	struct narrowed texts[NARROW_MAX];
	size_t count;
	uint32_t below; /* of messages with higher UIDs nothing is known */
};

enum narrow_answer {
	NARROW_NO,
	NARROW_YES,
	NARROW_OPEN, /* look */
};

void narrow_fini(struct narrow *narrow);
/* Where the text of a HEADER, BODY or TEXT is looked for: 1 << enum search_class. */
unsigned narrow_classes(const struct imap_search_key *key);
/* Asks about the key's text, which is mapped already: of HEADER, BODY or TEXT.  May
 * suspend.  key->number becomes what narrow_tells() goes by: 0 if nothing is known.
 * fuzzy is made of the text of a FUZZY key, NULL otherwise; it gets the weights of its
 * words. */
void narrow_ask(struct narrow *narrow, struct session *s, struct imap_search_key *key,
		struct fuzzy *fuzzy);
/* Asks for the weights only. */
void narrow_weigh(struct session *s, const struct imap_search_key *key,
		  struct fuzzy *fuzzy);
enum narrow_answer narrow_tells(const struct narrow *narrow,
				const struct imap_search_key *key, uint32_t uid);
/* Of one of which it tells YES, how well it has a FUZZY text: from 1 to 100. */
unsigned narrow_score(const struct narrow *narrow, const struct imap_search_key *key,
		      uint32_t uid);
/* Whether it is known for all messages. */
bool narrow_is_whole(const struct narrow *narrow, const struct imap_search_key *key);
/* Leaves those that can have the key's text; false if nothing is known of it. */
bool narrow_leave(const struct narrow *narrow, const struct imap_search_key *key,
		  struct uids *uids);
/* Adds those that some text has to be looked for in. */
void narrow_open(const struct narrow *narrow, struct uids *uids);
