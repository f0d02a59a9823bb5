/* The blocks of a segment; search/segment.h describes them.  For that folder alone. */
#pragma once

#include "base/codec.h"
#include "search/fuzzy.h"
#include "search/segment.h"

struct block {
	struct str text, samples, postings;
};
[[nodiscard]] bool block_read(struct str bytes, struct block *block);

/* A walk over the documents of a word. */
struct block_docs {
	struct dec dec;
	uint32_t next, left; /* without a gap */
	bool is_damaged;
};
struct block_docs block_docs_over(struct str docs);
bool block_docs_next(struct block_docs *docs, uint32_t *doc);

struct block_writer {
	segment_put *put;
	void *arg;
	enum search_class class;
	uint32_t number; /* of the block */
	struct buf text, samples, postings, docs, block;
	size_t terms; /* in the block */
	/* Documents of the word: the run that is open. */
	uint32_t first, last, next;
	bool has_run;
};
void block_writer_init(struct block_writer *writer, segment_put *put, void *arg);
void block_writer_fini(struct block_writer *writer);
void block_writer_class(struct block_writer *writer, enum search_class class);
/* A word: its documents, ascending (SEGMENT_NO_DOC is passed over), then what it is. */
void block_writer_term(struct block_writer *writer);
void block_writer_doc(struct block_writer *writer, uint32_t doc);
[[nodiscard]] err_t block_writer_end(struct block_writer *writer, struct str term);
[[nodiscard]] err_t block_writer_flush(struct block_writer *writer);

/* Sets the bits of the documents of all words that have the pattern. */
[[nodiscard]] err_t block_search_all(segment_block *block, void *arg,
				     enum search_class class, struct str pattern,
				     size_t doc_count, uint64_t *bits);
/* Raises fits, of which a document has one octet for each word of the question, to what
 * the words that they have are worth. */
[[nodiscard]] err_t block_fuzzy_all(segment_block *block, void *arg,
				    enum search_class class, const struct fuzzy *fuzzy,
				    size_t doc_count, uint8_t *fits);
