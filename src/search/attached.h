/* The texts of the documents that are attached to a message: PDF, and those of office
 * programs.  Whoever looks for a text in a message, and whoever makes the search index,
 * takes them from here, as they take the other texts from search/text.h. */
#pragma once

#include "extract/extract.h"
#include "search/text.h"

enum {
	ATTACHED_DOCUMENTS_MAX = 32,   /* of one message; others are not searched */
	ATTACHED_PROCESSOR_MS = 10000, /* when these are over, the rest is not either */
	ATTACHED_TEXT_MAX = 4 << 20,   /* of all of them, */
	ATTACHED_WORDS_MAX = 10000,    /* different ones, so that the index can */
	ATTACHED_WORD_BYTES = 128 * 1024, /* take the message */
};

enum attached {
	ATTACHED_DONE,
	ATTACHED_ENOUGH, /* take() had enough */
	ATTACHED_LATER,  /* some text cannot be told now */
};

/* Whether the part may be such a document, by what its header says: its type, or, since
 * that often lies, the end of its name. */
bool attached_may_be(const struct mime_part *part);
/* Gives take() the text of each.  body is the body record's octets, or the first
 * SEARCH_BODY_MAX of them, and root its structure.  A document that is not whole there is
 * passed over.  extract may be NULL: then nothing is searched.  May suspend until the
 * deadline. */
enum attached attached_texts(struct search_text *scratch, struct extract *extract,
			     struct str body, struct mime_part *root, deadline_t deadline,
			     search_take *take, void *arg);
