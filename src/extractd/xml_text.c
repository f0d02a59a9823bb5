#include "extractd/xml_text.h"

#include <libxml/parser.h>

#include "base/mem.h"

enum { DEPTH_MAX = 256 };

struct xml_text {
	enum xml_text_kind kind;
	struct buf *text;
	xmlParserCtxt *parser;
	bool is_over;
	unsigned depth;
	unsigned within, skipped; /* elements whose text counts, or does not */
	bool is_shared;           /* the cell's value is the number of a string */
};

/* ---- what elements mean ------------------------------------------------------------ */

enum meaning {
	TEXT = 1, /* what is in it counts, */
	SKIP = 2, /* or does not */
	LINE = 4, /* a line ends with it */
	GAP = 8,  /* it stands for a space */
	CELL = 16,
	VALUE = 32, /* TEXT unless the cell's is a number of a string */
};

static const struct {
	enum xml_text_kind kind;
	const char *name;
	unsigned meaning;
} elements[] = {
	{XML_OOXML, "t", TEXT},
	{XML_OOXML, "v", VALUE},
	{XML_OOXML, "c", CELL | LINE},
	{XML_OOXML, "p", LINE},
	{XML_OOXML, "si", LINE},
	{XML_OOXML, "comment", LINE},
	{XML_OOXML, "br", LINE},
	{XML_OOXML, "cr", LINE},
	{XML_OOXML, "tab", GAP},
	{XML_OOXML, "rPh", SKIP}, /* how it is pronounced */
	{XML_OPENDOCUMENT, "p", TEXT | LINE},
	{XML_OPENDOCUMENT, "h", TEXT | LINE},
	{XML_OPENDOCUMENT, "s", GAP},
	{XML_OPENDOCUMENT, "tab", GAP},
	{XML_OPENDOCUMENT, "line-break", LINE},
	{XML_OPENDOCUMENT, "tracked-changes", SKIP}, /* what was deleted */
};

static unsigned meaning_of(const struct xml_text *x, const xmlChar *name)
{
	for (size_t i = 0; i < COUNT_OF(elements); i++) {
		if (elements[i].kind == x->kind &&
		    strcmp((const char *)name, elements[i].name) == 0)
			return elements[i].meaning;
	}
	return 0;
}

static void end_with(struct xml_text *x, char end)
{
	struct buf *text = x->text;
	char last = text->len > 0 ? text->ptr[text->len - 1] : '\n';

	if (last != '\n' && (end == '\n' || last != ' '))
		buf_add_byte(text, end);
}

/* ---- what libxml2 tells ------------------------------------------------------------ */

static void stop(struct xml_text *x)
{
	x->is_over = true;
	xmlStopParser(x->parser);
}

/* libxml2 gives five pointers for each: name, prefix, URI, and where its value begins and
 * ends. */
static bool is_of_shared(int count, const xmlChar **attributes)
{
	for (int i = 0; i < count; i++) {
		const xmlChar **one = attributes + 5 * (ptrdiff_t)i;

		if (strcmp((const char *)one[0], "t") == 0)
			return one[4] - one[3] == 1 && *one[3] == 's';
	}
	return false;
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix,
		     const xmlChar *uri, int namespaces, const xmlChar **declared,
		     int count, int defaulted, const xmlChar **attributes)
{
	struct xml_text *x = arg;
	unsigned meaning = meaning_of(x, name);

	(void)prefix, (void)uri, (void)namespaces, (void)declared, (void)defaulted;
	if (++x->depth > DEPTH_MAX)
		stop(x);
	if (meaning & CELL)
		x->is_shared = is_of_shared(count, attributes);
	if (meaning & GAP && x->skipped == 0)
		end_with(x, ' ');
	x->skipped += (meaning & SKIP) != 0;
	x->within += (meaning & (TEXT | VALUE)) != 0;
	if (meaning & VALUE)
		x->skipped += x->is_shared;
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix,
		   const xmlChar *uri)
{
	struct xml_text *x = arg;
	unsigned meaning = meaning_of(x, name);

	(void)prefix, (void)uri;
	x->depth--;
	x->skipped -= (meaning & SKIP) != 0;
	x->within -= (meaning & (TEXT | VALUE)) != 0;
	if (meaning & VALUE)
		x->skipped -= x->is_shared;
	if (meaning & LINE && x->skipped == 0)
		end_with(x, '\n');
	if (!buf_ok(x->text))
		stop(x);
}

/* Line ends of the XML are none of the text. */
static void on_text(void *arg, const xmlChar *octets, int len)
{
	struct xml_text *x = arg;
	struct str rest = {(const char *)octets, (size_t)len};

	if (x->within == 0 || x->skipped > 0)
		return;
	while (rest.len > 0) {
		size_t plain = 0;

		while (plain < rest.len && (unsigned char)rest.ptr[plain] >= ' ')
			plain++;
		buf_add(x->text, str_first(rest, plain));
		rest = str_skip(rest, plain);
		if (rest.len > 0)
			buf_add_byte(x->text, ' ');
		rest = str_skip(rest, 1);
	}
}

static void on_doctype(void *arg, const xmlChar *name, const xmlChar *id,
		       const xmlChar *uri)
{
	(void)name, (void)id, (void)uri;
	stop(arg);
}

static void on_error(void *arg, xmlErrorPtr error)
{
	(void)arg, (void)error; /* the parser's state tells it */
}

struct xml_text *xml_text_new(enum xml_text_kind kind, struct buf *text)
{
	struct xml_text *x = NEW(struct xml_text);
	xmlSAXHandler calls = {.initialized = XML_SAX2_MAGIC,
			       .startElementNs = on_start,
			       .endElementNs = on_end,
			       .characters = on_text,
			       .cdataBlock = on_text,
			       .internalSubset = on_doctype,
			       .serror = on_error};

	x->kind = kind;
	x->text = text;
	x->parser = xmlCreatePushParserCtxt(&calls, x, NULL, 0, NULL);
	ASSERT(x->parser);
	(void)xmlCtxtUseOptions(x->parser, XML_PARSE_NONET); /* knows the option */
	return x;
}

void xml_text_free(struct xml_text **xml)
{
	struct xml_text *x = *xml;

	*xml = NULL;
	if (!x)
		return;
	end_with(x, '\n');
	xmlFreeDoc(x->parser->myDoc); /* there is none; NULL is fine */
	xmlFreeParserCtxt(x->parser);
	mem_free(x);
}

bool xml_text_feed(struct xml_text *x, struct str piece)
{
	if (!x->is_over && piece.len > 0 &&
	    xmlParseChunk(x->parser, piece.ptr, (int)piece.len, 0) != XML_ERR_OK)
		x->is_over = true;
	return !x->is_over;
}
