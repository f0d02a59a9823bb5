#include "search/terms.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/mem.h"
#include "wire/mail/header.h"
#include "wire/mail/mime.h"

enum { SLOTS = 32768, TERMS_MAX = SLOTS / 2, ARENA_BYTES = 8 << 20 };

struct term {
	uint32_t at;
	uint8_t len, class;
};

struct terms {
	struct search_text scratch;
	struct buf bytes; /* of all terms */
	struct term *list;
	size_t count;
	uint16_t *slots; /* number of the term, and 1 */
	bool is_too_much;
	bool in_body; /* of a message that is being added */
	struct mime_part *root;
	struct arena arena;
};

enum search_class search_class_of(struct str field)
{
	if (str_same_nocase(field, STR("subject")))
		return SEARCH_SUBJECT;
	if (str_same_nocase(field, STR("from")))
		return SEARCH_FROM;
	if (str_same_nocase(field, STR("to")))
		return SEARCH_TO;
	if (str_same_nocase(field, STR("cc")))
		return SEARCH_CC;
	return SEARCH_FIELDS;
}

bool term_next(struct str *text, struct str *word)
{
	size_t at = 0, end;

	while (at < text->len && !term_has((unsigned char)text->ptr[at]))
		at++;
	for (end = at; end < text->len && term_has((unsigned char)text->ptr[end]);)
		end++;
	*word = str_first(str_skip(*text, at), end - at);
	*text = str_skip(*text, end);
	return word->len > 0;
}

/* It looks no further than a term goes: a word that does not end is taken in its length.
 */
bool term_take(struct str *text, struct str *term)
{
	size_t at = 0, len = 0;

	while (at < text->len && !term_has((unsigned char)text->ptr[at]))
		at++;
	struct str rest = str_skip(*text, at);

	while (len < rest.len && len <= TERM_BYTES_MAX &&
	       term_has((unsigned char)rest.ptr[len]))
		len++;
	*term = str_first(rest, len < TERM_BYTES_MAX ? len : TERM_BYTES_MAX);
	/* Of a longer word the next one begins within it. */
	*text = str_skip(rest, len > TERM_BYTES_MAX ? TERM_PART_MAX : len);
	return len > 0;
}

struct terms *terms_new(void)
{
	struct terms *terms = NEW(struct terms);

	search_text_init(&terms->scratch);
	terms->bytes = BUF(TERMS_BYTES_MAX);
	terms->list = NEW_ARRAY(struct term, TERMS_MAX);
	terms->slots = NEW_ARRAY(uint16_t, SLOTS);
	arena_init(&terms->arena, ARENA_BYTES);
	return terms;
}

void terms_free(struct terms **terms_ptr)
{
	struct terms *terms = *terms_ptr;

	*terms_ptr = NULL;
	if (!terms)
		return;
	search_text_fini(&terms->scratch);
	buf_fini(&terms->bytes);
	mem_free(terms->list);
	mem_free(terms->slots);
	arena_fini(&terms->arena);
	mem_free(terms);
}

void terms_reset(struct terms *terms)
{
	memset(terms->slots, 0, SLOTS * sizeof *terms->slots);
	buf_reset(&terms->bytes);
	terms->count = 0;
	terms->is_too_much = false;
	terms->in_body = false;
	terms->root = NULL;
}

static struct str text_of(const struct terms *terms, const struct term *term)
{
	return (struct str){terms->bytes.ptr + term->at, term->len};
}

static void add_term(struct terms *terms, enum search_class class, struct str text)
{
	size_t slot = (hash64(text) + class) & (SLOTS - 1);

	for (; terms->slots[slot] != 0; slot = (slot + 1) & (SLOTS - 1)) {
		const struct term *term = &terms->list[terms->slots[slot] - 1];

		if (term->class == class && str_same(text_of(terms, term), text))
			return;
	}
	if (terms->count == TERMS_MAX) {
		terms->is_too_much = true;
		return;
	}
	terms->list[terms->count++] = (struct term){(uint32_t)terms->bytes.len,
						    (uint8_t)text.len, (uint8_t) class};
	terms->slots[slot] = (uint16_t)terms->count;
	buf_add(&terms->bytes, text);
	terms->is_too_much |= terms->bytes.failed;
}

void terms_add(struct terms *terms, enum search_class class, struct str mapped)
{
	struct str word;

	while (!terms->is_too_much && term_take(&mapped, &word))
		add_term(terms, class, word);
}

static bool take(void *arg, struct str field, struct str mapped)
{
	struct terms *terms = arg;

	terms_add(terms, terms->in_body ? SEARCH_BODY : search_class_of(field), mapped);
	return terms->is_too_much;
}

bool terms_add_message(struct terms *terms, struct str trace, struct str body)
{
	struct mail_fields walk = mail_fields_over(body);
	struct mail_field field;

	while (mail_fields_next(&walk, &field))
		;
	if (walk.at > TERMS_HEADER_MAX)
		return false;
	arena_reset(&terms->arena);
	struct mime mime = mime_parse(&terms->arena, body);

	if (!mime.root || mime.is_cut)
		return false;
	terms->root = mime.root;
	body = str_first(body, SEARCH_BODY_MAX);
	struct str header = str_first(body, walk.at);

	terms->in_body = false;
	if (search_fields(&terms->scratch, trace, STR(""), take, terms) ||
	    search_fields(&terms->scratch, header, STR(""), take, terms))
		return false;
	terms->in_body = true;
	return !search_body(&terms->scratch, body, mime.root, take, terms);
}

enum attached terms_add_attached(struct terms *terms, struct extract *extract,
				 struct str body, deadline_t deadline)
{
	return attached_texts(&terms->scratch, extract, body, terms->root, deadline, take,
			      terms);
}

struct terms_size terms_size(const struct terms *terms)
{
	return (struct terms_size){terms->count, terms->bytes.len, terms->is_too_much};
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct term *one = a, *other = b;

	if (one->class != other->class)
		return one->class - other->class;
	return str_cmp(text_of(arg, one), text_of(arg, other));
}

bool terms_write(struct terms *terms, struct buf *out)
{
	size_t at = 0;

	if (terms->is_too_much)
		return false;
	qsort_r(terms->list, terms->count, sizeof *terms->list, compare, terms);
	for (unsigned class = 0; class < SEARCH_CLASSES; class ++) {
		size_t end = at, len = 0;

		for (; end < terms->count && terms->list[end].class == class; end++)
			len += 1u + terms->list[end].len;
		enc_var(out, len > 0 ? len + 1 : 0);
		for (; at < end; at++) {
			buf_add_byte(out, '\0');
			buf_add(out, text_of(terms, &terms->list[at]));
		}
		if (len > 0)
			buf_add_byte(out, '\0');
	}
	return buf_ok(out);
}

/* Words in order, each behind a NUL. */
static bool is_list(struct str text)
{
	struct str before = STR("");

	if (text.len == 0)
		return true;
	if (text.ptr[0] != '\0' || text.ptr[text.len - 1] != '\0')
		return false;
	text = str_skip(text, 1);
	while (text.len > 0) {
		struct str term = str_cut(&text, '\0');

		if (term.len == 0 || term.len > TERM_BYTES_MAX ||
		    (before.len > 0 && str_cmp(before, term) >= 0))
			return false;
		before = term;
	}
	return true;
}

bool terms_read(struct str bytes, struct term_lists *lists)
{
	struct dec dec = dec_over(bytes);

	for (unsigned class = 0; class < SEARCH_CLASSES; class ++) {
		lists->text[class] = dec_str(&dec);
		if (!is_list(lists->text[class]))
			return false;
	}
	return dec_done(&dec);
}
