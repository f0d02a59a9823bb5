#include "search/segment.h"

#include "base/codec.h"
#include "base/mem.h"
#include "search/block.h"

/* ---- one source, word by word ------------------------------------------------------ */

struct cursor {
	const struct segment_source *source;
	uint32_t number; /* of the next block */
	struct str text; /* words that are left in this one */
	struct dec postings;
	struct str term, docs; /* the word it is on */
	bool is_over;
};

static err_t next_block(struct cursor *c, enum search_class class)
{
	struct str bytes;
	struct block block;

	if (c->source->lists) {
		c->text = c->number++ == 0 ? str_skip(c->source->lists->text[class], 1)
					   : STR("");
		return c->text.len > 0 ? OK : ERR_ABSENT;
	}
	TRY(c->source->block(c->source->arg, class, c->number++, &bytes));
	if (!block_read(bytes, &block))
		return ERR_SYNTAX;
	c->text = str_skip(block.text, 1);
	c->postings = dec_over(block.postings);
	return OK;
}

static err_t step(struct cursor *c, enum search_class class)
{
	while (c->text.len == 0) {
		err_t err = next_block(c, class);

		c->is_over = err == ERR_ABSENT;
		if (err != OK)
			return c->is_over ? OK : err;
	}
	c->term = str_cut(&c->text, '\0');
	if (c->source->lists)
		return OK;
	c->docs = dec_str(&c->postings);
	return dec_ok(&c->postings) ? OK : ERR_SYNTAX;
}

/* ---- all of them, the least word first --------------------------------------------- */

struct heap {
	struct cursor cursors[SEGMENT_SOURCES_MAX];
	size_t order[SEGMENT_SOURCES_MAX], count;
};

/* Equal words: the source that comes first. */
static bool is_before(const struct heap *heap, size_t a, size_t b)
{
	int order = str_cmp(heap->cursors[a].term, heap->cursors[b].term);

	return order < 0 || (order == 0 && a < b);
}

static void sift_down(struct heap *heap, size_t at)
{
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
			if (child < heap->count &&
			    is_before(heap, heap->order[child], heap->order[least]))
				least = child;
		}
		if (least == at)
			return;
		size_t held = heap->order[at];

		heap->order[at] = heap->order[least];
		heap->order[least] = held;
		at = least;
	}
}

static err_t heap_fill(struct heap *heap, const struct segment_source *sources,
		       size_t count, enum search_class class)
{
	heap->count = 0;
	for (size_t i = 0; i < count; i++) {
		heap->cursors[i] = (struct cursor){.source = &sources[i]};
		TRY(step(&heap->cursors[i], class));
		if (!heap->cursors[i].is_over)
			heap->order[heap->count++] = i;
	}
	for (size_t i = heap->count; i-- > 0;)
		sift_down(heap, i);
	return OK;
}

static err_t heap_step(struct heap *heap, enum search_class class)
{
	struct cursor *least = &heap->cursors[heap->order[0]];

	TRY(step(least, class));
	if (least->is_over)
		heap->order[0] = heap->order[--heap->count];
	sift_down(heap, 0);
	return OK;
}

/* ---- merging ----------------------------------------------------------------------- */

static err_t add_docs(struct block_writer *writer, const struct cursor *c)
{
	const struct segment_source *source = c->source;
	struct block_docs docs = block_docs_over(c->docs);
	uint32_t doc = 0;

	if (source->lists) {
		block_writer_doc(writer, source->docs[0]);
		return OK;
	}
	while (block_docs_next(&docs, &doc)) {
		if (doc >= source->doc_count)
			return ERR_SYNTAX;
		block_writer_doc(writer, source->docs[doc]);
	}
	return docs.is_damaged ? ERR_SYNTAX : OK;
}

static err_t merge_class(struct heap *heap, struct block_writer *writer,
			 enum search_class class)
{
	while (heap->count > 0) {
		char room[TERM_BYTES_MAX];
		struct str term = heap->cursors[heap->order[0]].term;

		if (term.len == 0 || term.len > sizeof room)
			return ERR_SYNTAX;
		memcpy(room, term.ptr, term.len);
		term.ptr = room;
		block_writer_term(writer);
		do {
			TRY(add_docs(writer, &heap->cursors[heap->order[0]]));
			TRY(heap_step(heap, class));
		} while (heap->count > 0 &&
			 str_same(heap->cursors[heap->order[0]].term, term));
		TRY(block_writer_end(writer, term));
	}
	return block_writer_flush(writer);
}

err_t segment_merge(const struct segment_source *sources, size_t count, segment_put *put,
		    void *arg)
{
	struct heap *heap = NEW(struct heap);
	struct block_writer writer;
	err_t err = OK;

	ASSERT(count <= SEGMENT_SOURCES_MAX);
	block_writer_init(&writer, put, arg);
	for (unsigned i = 0; i < SEARCH_CLASSES && err == OK; i++) {
		enum search_class class = (enum search_class)i;

		block_writer_class(&writer, class);
		err = heap_fill(heap, sources, count, class);
		if (err == OK)
			err = merge_class(heap, &writer, class);
	}
	block_writer_fini(&writer);
	mem_free(heap);
	return err;
}

/* ---- searching --------------------------------------------------------------------- */

/* One run of letters of the needle: NULs where it is a whole word's end. */
static void add_pattern(struct needle *needle, struct str word, bool has_start,
			bool has_end)
{
	char *to = needle->bytes + needle->count * (TERM_PART_MAX + 2);
	struct str *pattern = &needle->patterns[needle->count++];
	size_t len = 0;

	has_end &= word.len <= TERM_PART_MAX;
	word = str_first(word, TERM_PART_MAX);
	if (has_start)
		to[len++] = '\0';
	memcpy(to + len, word.ptr, word.len);
	len += word.len;
	if (has_end)
		to[len++] = '\0';
	*pattern = (struct str){to, len};
}

void needle_make(struct needle *needle, struct str mapped)
{
	struct str rest = mapped, word;
	const char *end = mapped.ptr + mapped.len;

	*needle = (struct needle){0};
	while (needle->count < NEEDLE_PATTERNS_MAX && term_next(&rest, &word))
		add_pattern(needle, word, word.ptr != mapped.ptr,
			    word.ptr + word.len != end);
	rest = mapped;
	needle->is_exact = term_next(&rest, &word) && word.len == mapped.len &&
			   word.len <= TERM_PART_MAX;
}

err_t segment_search(segment_block *block, void *arg, const struct needle *needle,
		     unsigned classes, size_t doc_count, uint64_t *bits)
{
	size_t words = SEGMENT_WORDS(doc_count);
	uint64_t *found = NEW_ARRAY(uint64_t, words);
	err_t err = OK;

	memset(bits, 0xff, words * sizeof *bits);
	for (size_t i = 0; i < needle->count && err == OK; i++) {
		memset(found, 0, words * sizeof *found);
		for (unsigned class = 0; class < SEARCH_CLASSES && err == OK; class ++) {
			if (classes & 1u << class)
				err = block_search_all(
					block, arg, (enum search_class) class,
					needle->patterns[i], doc_count, found);
		}
		for (size_t at = 0; at < words; at++)
			bits[at] &= found[at];
	}
	mem_free(found);
	return err;
}

err_t segment_fuzzy(segment_block *block, void *arg, const struct fuzzy *fuzzy,
		    size_t doc_count, uint8_t *fits)
{
	for (unsigned class = 0; class < SEARCH_CLASSES; class ++) {
		if (fuzzy->percent[class] > 0)
			TRY(block_fuzzy_all(block, arg, (enum search_class) class, fuzzy,
					    doc_count, fits));
	}
	return OK;
}
