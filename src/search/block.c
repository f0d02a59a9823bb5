#include "search/block.h"

enum {
	HEAD_BYTES = 8,
	SAMPLE_BYTES = 8,
	SAMPLED = 64, /* each so manieth word has a sample */
	BLOCK_TEXT = 24 * 1024,
	/* A word may have all documents of a segment, each by itself. */
	DOCS_BYTES_MAX = SEGMENT_DOCS_MAX + 16,
};

bool block_read(struct str bytes, struct block *block)
{
	struct dec dec = dec_over(bytes);
	uint32_t text_len = dec_u32(&dec), samples = dec_u32(&dec);

	block->text = dec_bytes(&dec, text_len);
	block->samples = dec_bytes(&dec, (size_t)samples * SAMPLE_BYTES);
	block->postings = dec.rest;
	return dec_ok(&dec) && samples > 0 && text_len > 2 &&
	       block->text.ptr[0] == '\0' && block->text.ptr[text_len - 1] == '\0';
}

/* ---- documents --------------------------------------------------------------------- */

struct block_docs block_docs_over(struct str docs)
{
	return (struct block_docs){.dec = dec_over(docs)};
}

bool block_docs_next(struct block_docs *docs, uint32_t *doc)
{
	if (docs->left > 0) {
		docs->left--;
		*doc = docs->next++;
		return true;
	}
	if (docs->dec.rest.len == 0)
		return false;
	uint64_t gap = dec_var_max(&docs->dec, 2 * SEGMENT_DOCS_MAX);

	if (gap & 1)
		docs->left = 1 + (uint32_t)dec_var_max(&docs->dec, SEGMENT_DOCS_MAX);
	*doc = docs->next + (uint32_t)(gap / 2);
	docs->next = *doc + 1;
	docs->is_damaged |=
		!dec_ok(&docs->dec) || docs->next + docs->left > SEGMENT_DOCS_MAX;
	return !docs->is_damaged;
}

/* ---- writing ----------------------------------------------------------------------- */

void block_writer_init(struct block_writer *writer, segment_put *put, void *arg)
{
	*writer = (struct block_writer){.put = put,
					.arg = arg,
					.text = BUF(SEGMENT_BLOCK_MAX),
					.samples = BUF(SEGMENT_BLOCK_MAX),
					.postings = BUF(2 * SEGMENT_BLOCK_MAX),
					.docs = BUF(DOCS_BYTES_MAX),
					.block = BUF(2 * SEGMENT_BLOCK_MAX)};
}

void block_writer_fini(struct block_writer *writer)
{
	buf_fini(&writer->text);
	buf_fini(&writer->samples);
	buf_fini(&writer->postings);
	buf_fini(&writer->docs);
	buf_fini(&writer->block);
}

void block_writer_class(struct block_writer *writer, enum search_class class)
{
	writer->class = class;
	writer->number = 0;
}

void block_writer_term(struct block_writer *writer)
{
	buf_reset(&writer->docs);
	writer->next = 0;
	writer->has_run = false;
}

static void run_end(struct block_writer *writer)
{
	uint32_t more = writer->last - writer->first;

	if (!writer->has_run)
		return;
	enc_var(&writer->docs, 2ull * (writer->first - writer->next) + (more > 0));
	if (more > 0)
		enc_var(&writer->docs, more - 1);
	writer->next = writer->last + 1;
	writer->has_run = false;
}

void block_writer_doc(struct block_writer *writer, uint32_t doc)
{
	if (doc == SEGMENT_NO_DOC)
		return;
	if (writer->has_run && doc == writer->last + 1) {
		writer->last = doc;
		return;
	}
	run_end(writer);
	writer->first = writer->last = doc;
	writer->has_run = true;
}

err_t block_writer_flush(struct block_writer *writer)
{
	if (writer->terms == 0)
		return OK;
	buf_reset(&writer->block);
	enc_u32(&writer->block, (uint32_t)writer->text.len);
	enc_u32(&writer->block, (uint32_t)(writer->samples.len / SAMPLE_BYTES));
	buf_add(&writer->block, buf_str(&writer->text));
	buf_add(&writer->block, buf_str(&writer->samples));
	buf_add(&writer->block, buf_str(&writer->postings));
	ASSERT(buf_ok(&writer->block) && writer->block.len <= SEGMENT_BLOCK_MAX);
	writer->terms = 0;
	buf_reset(&writer->text);
	buf_reset(&writer->samples);
	buf_reset(&writer->postings);
	return writer->put(writer->arg, writer->class, writer->number++,
			   buf_str(&writer->block));
}

/* How long the block would be with this word. */
static size_t size_with(const struct block_writer *writer, struct str term)
{
	return HEAD_BYTES + writer->text.len + 1 + term.len + 1 + writer->samples.len +
	       SAMPLE_BYTES + writer->postings.len + 3 + writer->docs.len;
}

err_t block_writer_end(struct block_writer *writer, struct str term)
{
	run_end(writer);
	if (writer->docs.len == 0) /* all were left out */
		return OK;
	ASSERT(buf_ok(&writer->docs));
	if (writer->text.len > BLOCK_TEXT || size_with(writer, term) > SEGMENT_BLOCK_MAX)
		TRY(block_writer_flush(writer));
	if (writer->terms == 0)
		buf_add_byte(&writer->text, '\0');
	if (writer->terms++ % SAMPLED == 0) {
		enc_u32(&writer->samples, (uint32_t)writer->text.len);
		enc_u32(&writer->samples, (uint32_t)writer->postings.len);
	}
	buf_add(&writer->text, term);
	buf_add_byte(&writer->text, '\0');
	enc_str(&writer->postings, buf_str(&writer->docs));
	return OK;
}

/* ---- searching --------------------------------------------------------------------- */

/* A place in a block that only goes forward. */
struct place {
	const struct block *block;
	size_t term;   /* where the word begins in the text */
	size_t sample; /* the last one that was passed */
	struct dec postings;
	struct str docs; /* the word's */
};

static void sample_read(const struct block *block, size_t number, size_t *term,
			size_t *postings)
{
	struct dec dec = dec_over(str_skip(block->samples, number * SAMPLE_BYTES));

	*term = dec_u32(&dec);
	*postings = dec_u32(&dec);
}

/* To the last sample that is not behind the place in the text. */
static void jump(struct place *place, size_t at)
{
	size_t count = place->block->samples.len / SAMPLE_BYTES, low = place->sample,
	       high = count, term, postings;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		sample_read(place->block, middle, &term, &postings);
		if (term <= at)
			low = middle;
		else
			high = middle;
	}
	if (low == place->sample)
		return;
	place->sample = low;
	sample_read(place->block, low, &place->term, &postings);
	place->postings = dec_over(str_skip(place->block->postings, postings));
	place->docs = dec_str(&place->postings);
}

/* To the word that has the octet at that place. */
static bool go(struct place *place, size_t at)
{
	struct str text = place->block->text;

	jump(place, at);
	for (;;) {
		struct str rest = str_skip(text, place->term);
		size_t end = place->term + str_find_byte(rest, '\0');

		if (at < end)
			return dec_ok(&place->postings) && at >= place->term;
		if (end + 1 >= text.len)
			return false;
		place->term = end + 1;
		place->docs = dec_str(&place->postings);
	}
}

static bool set_docs(struct str list, size_t doc_count, uint64_t *bits)
{
	struct block_docs docs = block_docs_over(list);
	uint32_t doc = 0;

	while (block_docs_next(&docs, &doc)) {
		if (doc >= doc_count)
			return false;
		bits[doc / 64] |= (uint64_t)1 << (doc % 64);
	}
	return !docs.is_damaged;
}

static err_t block_search(struct str bytes, struct str pattern, size_t doc_count,
			  uint64_t *bits)
{
	struct block block;
	size_t at = 0;

	if (!block_read(bytes, &block))
		return ERR_SYNTAX;
	struct place place = {
		.block = &block, .term = 1, .postings = dec_over(block.postings)};

	place.docs = dec_str(&place.postings);
	while (at + pattern.len <= block.text.len) {
		size_t found = str_find(str_skip(block.text, at), pattern);

		if (at + found >= block.text.len)
			return OK;
		at += found + (pattern.ptr[0] == '\0');
		if (!go(&place, at) || !set_docs(place.docs, doc_count, bits))
			return ERR_SYNTAX;
		/* Behind the word, on its NUL. */
		at = place.term + str_find_byte(str_skip(block.text, place.term), '\0');
	}
	return OK;
}

err_t block_search_all(segment_block *block, void *arg, enum search_class class,
		       struct str pattern, size_t doc_count, uint64_t *bits)
{
	for (uint32_t number = 0;; number++) {
		struct str bytes;
		err_t err = block(arg, class, number, &bytes);

		if (err == ERR_ABSENT)
			return OK;
		TRY(err);
		TRY(block_search(bytes, pattern, doc_count, bits));
	}
}

/* ---- searching, not quite sure ----------------------------------------------------- */

static bool raise_docs(struct str list, const struct fuzzy_fit *fit, size_t words,
		       size_t doc_count, uint8_t *fits)
{
	struct block_docs docs = block_docs_over(list);
	uint32_t doc = 0;

	while (block_docs_next(&docs, &doc)) {
		if (doc >= doc_count)
			return false;
		uint8_t *of_doc = fits + doc * words;

		for (size_t i = 0; i < words; i++) {
			if (fit->words[i] > of_doc[i])
				of_doc[i] = fit->words[i];
		}
	}
	return !docs.is_damaged;
}

static err_t block_fuzzy(struct str bytes, enum search_class class,
			 const struct fuzzy *fuzzy, size_t doc_count, uint8_t *fits)
{
	struct block block;

	if (!block_read(bytes, &block))
		return ERR_SYNTAX;
	struct str rest = str_skip(block.text, 1);
	struct place place = {
		.block = &block, .term = 1, .postings = dec_over(block.postings)};

	place.docs = dec_str(&place.postings);
	struct fuzzy_fit fit;
	struct str term;

	while (fuzzy_next(fuzzy, class, &rest, &term, &fit)) {
		if (!go(&place, (size_t)(term.ptr - block.text.ptr)) ||
		    !raise_docs(place.docs, &fit, fuzzy->count, doc_count, fits))
			return ERR_SYNTAX;
	}
	return OK;
}

err_t block_fuzzy_all(segment_block *block, void *arg, enum search_class class,
		      const struct fuzzy *fuzzy, size_t doc_count, uint8_t *fits)
{
	for (uint32_t number = 0;; number++) {
		struct str bytes;
		err_t err = block(arg, class, number, &bytes);

		if (err == ERR_ABSENT)
			return OK;
		TRY(err);
		TRY(block_fuzzy(bytes, class, fuzzy, doc_count, fits));
	}
}
