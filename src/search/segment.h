/* Segments of the search index: which words (search/terms.h) stand in which of a run of
 * messages, called documents here and numbered from 0.
 *
 * The words of a class are sorted, in blocks:
 *
 *   block   = u32 octets of text, u32 number of samples, text, samples, postings
 *   text    = NUL, then each word followed by NUL
 *   sample  = of each 64th word: u32 where it begins in text, u32 its postings
 *   postings = of each word: var octets that follow, then the documents in order: var
 *             2 x (documents passed over since the one before) + 1 if more follow it
 *             without a gap, and then var their number less 1
 *
 * The words stand together so that finding all that have a text in them is one run over
 * the block at the speed of memory.  Nothing here allocates without a bound, and readers
 * take any octets. */
#pragma once

#include "search/fuzzy.h"

enum {
	SEGMENT_BLOCK_MAX = 62 * 1024,
	SEGMENT_DOCS_MAX = 50000,
	SEGMENT_SOURCES_MAX = 80,
	NEEDLE_PATTERNS_MAX = 8,
};
#define SEGMENT_NO_DOC UINT32_MAX

/* Where the blocks of one class are; ERR_ABSENT behind the last.  The octets stay good
 * while it is read. */
typedef err_t segment_block(void *arg, enum search_class class, uint32_t number,
			    struct str *block);

/* What is merged: a segment, of which block() gives the blocks; or one document, of which
 * terms_read() gave the lists. */
struct segment_source {
	segment_block *block;
	void *arg;
	const struct term_lists *lists;
	/* What its documents become; SEGMENT_NO_DOC: left out.  Ascending, and above
	 * those of the source before. */
	const uint32_t *docs;
	size_t doc_count;
};
/* Takes a finished block. */
typedef err_t segment_put(void *arg, enum search_class class, uint32_t number,
			  struct str block);
/* Makes one segment of several.  ERR_SYNTAX if one is damaged. */
[[nodiscard]] err_t segment_merge(const struct segment_source *sources, size_t count,
				  segment_put *put, void *arg);

/* What of the words tells whether a text is there: each pattern must be in some word,
 * with the NULs around it. */
struct needle {
	struct str patterns[NEEDLE_PATTERNS_MAX];
	size_t count; /* 0: nothing tells */
	/* Where the patterns are, the text is: nothing needs to be looked at. */
	bool is_exact;
	char bytes[NEEDLE_PATTERNS_MAX * (TERM_PART_MAX + 2)];
};
/* Of a mapped text. */
void needle_make(struct needle *needle, struct str mapped);

/* Sets the bit of each document that can have the needle in one of these classes (1 <<
 * class), and no others; bits has SEGMENT_WORDS(doc_count) words.  ERR_SYNTAX: damaged.
 */
#define SEGMENT_WORDS(docs) (((docs) + 63) / 64)
[[nodiscard]] err_t segment_search(segment_block *block, void *arg,
				   const struct needle *needle, unsigned classes,
				   size_t doc_count, uint64_t *bits);
static inline bool segment_has(const uint64_t *bits, size_t doc)
{
	return bits[doc / 64] >> (doc % 64) & 1;
}

/* How well each document fits: fits has for each so many octets as the question has
 * words, which are 0 at first.  As above. */
[[nodiscard]] err_t segment_fuzzy(segment_block *block, void *arg,
				  const struct fuzzy *fuzzy, size_t doc_count,
				  uint8_t *fits);
