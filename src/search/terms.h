/* The words of a message, for the search index.
 *
 * A word is a longest run of letters and digits, and of all octets beyond ASCII, in a
 * mapped text (search/text.h).  A text that has none but such octets is part of another
 * text if, and only if, it is part of one of its words: so a list of words answers for
 * parts of words as exactly as the text itself.  A long run stands there as pieces of
 * TERM_BYTES_MAX octets that overlap by half, so that all up to half as long is part of
 * one of them.
 *
 * Classes tell where a word stands, so that FROM and SUBJECT are as exact. */
#pragma once

#include "search/attached.h"

enum search_class {
	SEARCH_SUBJECT,
	SEARCH_FROM,
	SEARCH_TO,
	SEARCH_CC,
	SEARCH_FIELDS, /* values of other fields, and the names of all */
	SEARCH_BODY,
};
enum { SEARCH_CLASSES = SEARCH_BODY + 1 };

enum {
	TERM_BYTES_MAX = 64,
	TERM_PART_MAX = TERM_BYTES_MAX / 2, /* parts of words up to here are exact */
	/* Of one message, encoded.  One with more is not in the index, and looked
	 * through by everyone who searches. */
	TERMS_BYTES_MAX = 256 * 1024,
	TERMS_HEADER_MAX = 1 << 20, /* likewise one with more header */
};

/* The class of a field's value. */
enum search_class search_class_of(struct str field);
static inline bool term_has(unsigned char octet)
{
	return octet >= 0x80 || is_ascii_digit(octet) || is_ascii_upper(octet) ||
	       (octet >= 'a' && octet <= 'z');
}
/* Takes the next word off the front of *text; false if there is none. */
bool term_next(struct str *text, struct str *word);
/* The same with words as they stand in the index: long ones in pieces. */
bool term_take(struct str *text, struct str *term);

/* Words without their doubles, gathered from the texts of one message. */
struct terms;
struct terms *terms_new(void);
void terms_free(struct terms **terms);
void terms_reset(struct terms *terms);
void terms_add(struct terms *terms, enum search_class class, struct str mapped);
/* All texts of a message but those of attached documents: its trace, and the body record,
 * of which what is beyond SEARCH_BODY_MAX may be missing.  False if it is not one for the
 * index. */
bool terms_add_message(struct terms *terms, struct str trace, struct str body);
/* Then those too.  May suspend until the deadline.  LATER: it lacks some of them. */
enum attached terms_add_attached(struct terms *terms, struct extract *extract,
				 struct str body, deadline_t deadline);
struct terms_size {
	size_t count, bytes;
	bool is_too_much;
};
struct terms_size terms_size(const struct terms *terms);
/* Appends for each class a string of its words in the order of their octets, each behind
 * a NUL, and one at the end: "\0ANN\0BOB\0"; "" if it has none.  False if they are too
 * many, or buf is full. */
bool terms_write(struct terms *terms, struct buf *out);

/* What terms_write() wrote.  False if it is not that. */
struct term_lists {
	struct str text[SEARCH_CLASSES];
};
[[nodiscard]] bool terms_read(struct str bytes, struct term_lists *lists);
