#include "extractd/pdf.h"

#include <stdlib.h>

#include "base/mem.h"
#include "extractd/pdf_file.h"

enum { ARENA_BYTES = 64 << 20, PARENTS_MAX = 64, KNOWN_MAX = 256 };

/* ---- the file ---------------------------------------------------------------------- */

qpdf_oh pdf_key(struct pdf_file *file, qpdf_oh object, const char *key)
{
	return qpdf_oh_get_key_if_dict(file->qpdf, object, key);
}

qpdf_oh pdf_key_of(struct pdf_file *file, qpdf_oh object, const char *key)
{
	qpdf_oh value = pdf_key(file, object, key);

	qpdf_oh_release(file->qpdf, object);
	return value;
}

double pdf_item(struct pdf_file *file, qpdf_oh array, int at, double otherwise)
{
	qpdf_oh item = qpdf_oh_get_array_item(file->qpdf, array, at);

	if (qpdf_oh_is_number(file->qpdf, item))
		otherwise = qpdf_oh_get_numeric_value(file->qpdf, item);
	qpdf_oh_release(file->qpdf, item);
	return otherwise;
}

double pdf_number(struct pdf_file *file, qpdf_oh object, const char *key,
		  double otherwise)
{
	qpdf_oh value = pdf_key(file, object, key);

	if (qpdf_oh_is_number(file->qpdf, value))
		otherwise = qpdf_oh_get_numeric_value(file->qpdf, value);
	qpdf_oh_release(file->qpdf, value);
	return otherwise;
}

struct str pdf_name(struct pdf_file *file, qpdf_oh object)
{
	if (!qpdf_oh_is_name(file->qpdf, object))
		return STR("");
	return str_skip(str_c(qpdf_oh_get_name(file->qpdf, object)), 1);
}

static bool take_octets(struct pdf_file *file, unsigned char *octets, size_t len,
			bool is_good, struct buf *out)
{
	is_good &= len <= file->content_left;
	if (is_good)
		buf_add(out, (struct str){(const char *)octets, len});
	file->content_left -= is_good ? len : 0;
	free(octets); /* NULL is fine */
	return is_good && buf_ok(out);
}

bool pdf_stream(struct pdf_file *file, qpdf_oh object, struct buf *out)
{
	unsigned char *octets = NULL;
	size_t len = 0;
	QPDF_BOOL is_plain = QPDF_FALSE;

	if (!qpdf_oh_is_stream(file->qpdf, object) || file->content_left == 0)
		return false;
	QPDF_ERROR_CODE error = qpdf_oh_get_stream_data(
		file->qpdf, object, qpdf_dl_generalized, &is_plain, &octets, &len);

	return take_octets(file, octets, len, !(error & QPDF_ERRORS) && is_plain, out);
}

static bool add_content(struct pdf_file *file, qpdf_oh page, struct buf *out)
{
	unsigned char *octets = NULL;
	size_t len = 0;
	QPDF_ERROR_CODE error =
		qpdf_oh_get_page_content_data(file->qpdf, page, &octets, &len);

	return take_octets(file, octets, len, !(error & QPDF_ERRORS), out);
}

/* ---- what content asks for --------------------------------------------------------- */

/* Where names lead: to the resources of the page, or of the form that is shown. */
struct place {
	struct pdf_file *file;
	struct place *outer;
	qpdf_oh resources;
	struct {
		char name[PDF_NAME_MAX];
		const struct pdf_font *font;
	} known[KNOWN_MAX];
	size_t known_count;
};

/* "/NAME" for the library; false if that is no name that a file can have. */
static bool key_of(struct str name, char key[PDF_NAME_MAX])
{
	key[0] = '/';
	return name.len > 0 && str_to_c(name, key + 1, PDF_NAME_MAX - 1);
}

/* In one of the resources' dictionaries. */
static qpdf_oh resource(struct place *place, const char *kind, const char *key)
{
	return pdf_key_of(place->file, pdf_key(place->file, place->resources, kind), key);
}

static const struct pdf_font *find_font(void *arg, struct str name)
{
	struct place *place = *(struct place **)arg;
	char key[PDF_NAME_MAX];

	if (!key_of(name, key))
		return NULL;
	for (size_t i = 0; i < place->known_count; i++)
		if (strcmp(place->known[i].name, key) == 0)
			return place->known[i].font;
	if (place->known_count == KNOWN_MAX)
		return NULL;
	qpdf_oh object = resource(place, "/Font", key);
	const struct pdf_font *font = pdf_font_load(place->file, object);

	qpdf_oh_release(place->file->qpdf, object);
	memcpy(place->known[place->known_count].name, key, sizeof key);
	place->known[place->known_count++].font = font;
	return font;
}

static struct pdf_matrix matrix_of(struct pdf_file *file, qpdf_oh dict)
{
	qpdf_oh array = pdf_key(file, dict, "/Matrix");
	double m[6] = {1, 0, 0, 1, 0, 0};

	for (int i = 0; i < 6; i++)
		m[i] = pdf_item(file, array, i, m[i]);
	qpdf_oh_release(file->qpdf, array);
	return (struct pdf_matrix){m[0], m[1], m[2], m[3], m[4], m[5]};
}

/* §8.10.1: a form without resources of its own has the page's. */
static void show_stream(struct place **current, struct pdf_text *text, qpdf_oh form)
{
	struct place *outer = *current;
	struct pdf_file *file = outer->file;
	qpdf_oh dict = qpdf_oh_get_dict(file->qpdf, form);
	qpdf_oh own = pdf_key(file, dict, "/Resources");
	bool has_own = qpdf_oh_is_dictionary(file->qpdf, own);
	struct pdf_matrix matrix = matrix_of(file, dict);
	SCOPED(buf_fini) struct buf content = BUF(PDF_CONTENT_MAX);
	struct place *inner = NEW(struct place);

	inner->file = file;
	inner->outer = outer;
	inner->resources = has_own ? own : outer->resources;
	if (pdf_stream(file, form, &content)) {
		*current = inner;
		pdf_text_form(text, &matrix, buf_str(&content));
		*current = outer;
	}
	mem_free(inner);
	qpdf_oh_release(file->qpdf, dict);
	qpdf_oh_release(file->qpdf, own);
}

static void show_form(void *arg, struct pdf_text *text, struct str name)
{
	struct place **current = arg;
	struct pdf_file *file = (*current)->file;
	char key[PDF_NAME_MAX];

	if (!key_of(name, key))
		return;
	qpdf_oh form = resource(*current, "/XObject", key);

	if (qpdf_oh_is_stream(file->qpdf, form)) {
		qpdf_oh type =
			pdf_key_of(file, qpdf_oh_get_dict(file->qpdf, form), "/Subtype");

		if (str_same(pdf_name(file, type), STR("Form")))
			show_stream(current, text, form);
	}
	qpdf_oh_release(file->qpdf, form);
}

/* ---- pages ------------------------------------------------------------------------- */

/* §7.7.3.4: inherited from the nodes above. */
static qpdf_oh resources_of(struct pdf_file *file, qpdf_oh page)
{
	qpdf_oh node = qpdf_oh_new_object(file->qpdf, page), found = 0;

	for (unsigned i = 0; i < PARENTS_MAX; i++) {
		found = pdf_key(file, node, "/Resources");
		if (qpdf_oh_is_dictionary(file->qpdf, found))
			break;
		node = pdf_key_of(file, node, "/Parent");
	}
	return found;
}

static void add_page(struct pdf_file *file, struct pdf_text *text, struct place *place,
		     qpdf_oh page)
{
	SCOPED(buf_fini) struct buf content = BUF(PDF_CONTENT_MAX);

	place->resources = resources_of(file, page);
	place->known_count = 0;
	if (add_content(file, page, &content))
		pdf_text_page(text, buf_str(&content));
	qpdf_oh_release_all(file->qpdf);
}

static void add_pages(struct pdf_file *file, struct buf *out)
{
	struct place *place = NEW(struct place), *current = place;
	int count = qpdf_get_num_pages(file->qpdf);
	struct pdf_text text;

	place->file = file;
	pdf_text_init(&text, out, find_font, show_form, &current);
	for (int i = 0; i < count && i < PDF_PAGES_MAX && buf_ok(out); i++)
		add_page(file, &text, place, qpdf_get_page_n(file->qpdf, (size_t)i));
	pdf_text_fini(&text);
	mem_free(place);
}

enum extract_outcome pdf_add_text(struct str document, struct buf *text)
{
	struct pdf_file *file = NEW(struct pdf_file);
	enum extract_outcome outcome = EXTRACT_NONE;

	file->content_left = PDF_CONTENT_MAX;
	file->items_left = PDF_ITEMS_MAX;
	arena_init(&file->arena, ARENA_BYTES);
	file->qpdf = qpdf_init();
	qpdf_silence_errors(file->qpdf);
	qpdf_set_suppress_warnings(file->qpdf, QPDF_TRUE);
	if (!(qpdf_read_memory(file->qpdf, "document", document.ptr, document.len, "") &
	      QPDF_ERRORS)) {
		add_pages(file, text);
		outcome = EXTRACT_TEXT;
	}
	if (qpdf_has_error(file->qpdf)) /* taken notice of: it says nothing then */
		(void)qpdf_get_error(file->qpdf);
	qpdf_cleanup(&file->qpdf);
	arena_fini(&file->arena);
	mem_free(file);
	return outcome;
}
