/* The texts of a message that SEARCH looks into, decoded and mapped for comparison.  RFC
 * 9051 §6.4.4.  Whoever looks for a text in a message, and whoever makes the search
 * index, takes them from here, so that both see the same.
 *
 * The text of attached documents is search/attached.h's. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

struct mime_part;

enum {
	SEARCH_TEXT_MAX = 64 << 20,
	SEARCH_BODY_MAX = 16 << 20, /* of one message; what is beyond is not searched */
};

/* Scratch that is kept from text to text. */
struct search_text {
	struct buf text, mapped;
	struct arena arena; /* of one field */
};
void search_text_init(struct search_text *scratch);
void search_text_fini(struct search_text *scratch);

/* Gets one text, as casemap_add() maps it; field is the name of the header field whose
 * value it is, "" for any other text.  The slices are good until it returns.  True: this
 * is enough. */
typedef bool search_take(void *arg, struct str field, struct str mapped);

/* The text, UTF-8, as comparisons map it; good until the next. */
struct str search_mapped(struct search_text *scratch, struct str text);
/* The values of the fields in a block of header fields: of those called name; or of all
 * fields, and their names as well, if that is "".  A list of addresses that has comments
 * and other forms of old comes a second time, as ENVELOPE has it ("Ann <ann@x.example>"),
 * which is what FROM and its like look into.  True if take() had enough. */
bool search_fields(struct search_text *scratch, struct str block, struct str name,
		   search_take *take, void *arg);
/* The texts of the body's parts, and the header fields of messages inside.  body is the
 * body record's octets, or the first SEARCH_BODY_MAX of them, and root its structure. */
bool search_body(struct search_text *scratch, struct str body, struct mime_part *root,
		 search_take *take, void *arg);
