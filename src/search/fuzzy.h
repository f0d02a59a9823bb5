/* How well the words of a message fit those of somebody who is not sure how they are
 * written.  RFC 6203 leaves that to us; docs/decisions/0023-fuzzy-search.md says what we
 * make of it, and why.
 *
 * fuzzy_term() alone decides, for messages whose words are in the index and for those
 * that are looked at, so that both find the same.  What holds a text exactly holds it
 * fuzzily, too. */
#pragma once

#include "search/terms.h"

enum {
	FUZZY_WORDS_MAX = 16, /* of one text; the rest is not asked about */
	FUZZY_TEXT_MAX = 500, /* octets of a mapped text; the rest likewise */
	FUZZY_WEIGHT_MAX = 8,
};

/* A word as it is compared: without marks, cut to what a piece of a word surely holds. */
struct fuzzy_word {
	char bytes[TERM_PART_MAX];
	uint8_t len, letters_count;
	uint8_t edits_max;   /* typing errors that are forgiven, and */
	uint8_t missing_max; /* what these can take away of its letters */
	bool is_unspaced;    /* of a script without spaces: words stand inside of words */
	uint8_t weight;      /* 1 or more: what is rare counts more */
	uint32_t letters;    /* which octets are in it, by their low five bits */
};

struct fuzzy {
	struct fuzzy_word words[FUZZY_WORDS_MAX];
	size_t count;                    /* 0: a text without words */
	uint8_t percent[SEARCH_CLASSES]; /* what a word is worth there; 0: not asked about
					  */
};

/* How well each word is in a message: 0 not at all, 100 just so where it counts most. */
struct fuzzy_fit {
	uint8_t words[FUZZY_WORDS_MAX];
};

/* Of a mapped text (text/casemap.h) that is looked for in these classes (1 << class).
 * All words weigh the same. */
void fuzzy_make(struct fuzzy *fuzzy, struct str mapped, unsigned classes);
/* Raises the fit to what a term (search/terms.h) gives; false if it fits no word. */
bool fuzzy_term(const struct fuzzy *fuzzy, enum search_class class, struct str term,
		struct fuzzy_fit *fit);
/* Takes words off the front of a list, each of which a NUL follows, up to the next that
 * fits.  False if there is none. */
bool fuzzy_next(const struct fuzzy *fuzzy, enum search_class class, struct str *list,
		struct str *term, struct fuzzy_fit *fit);
/* The same with all terms of a mapped text. */
void fuzzy_text(const struct fuzzy *fuzzy, enum search_class class, struct str mapped,
		struct fuzzy_fit *fit);
/* So many of all messages have something that fits the word. */
void fuzzy_weigh(struct fuzzy_word *word, uint64_t having, uint64_t all);
/* From 1 to 100; 0 unless each word fits. */
unsigned fuzzy_score(const struct fuzzy *fuzzy, const struct fuzzy_fit *fit);
