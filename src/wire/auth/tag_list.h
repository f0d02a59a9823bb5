/* Lists of tags and values, "v=1; a=rsa-sha256; ...", as DKIM, DMARC and ARC have them in
 * header fields and in the DNS.  RFC 6376 §3.2.
 *
 * Values may hold UTF-8 (RFC 8616 §5).  Leniencies, each for records that exist:
 * - EMPTY_SPEC: ";;" and "; ;", which some control panels write;
 * - CONTROL_IN_FOLD: a bare CR or LF counts as white space, since a fold that an old
 *   gateway has broken is still one.
 */
#pragma once

#include "wire/cursor.h"

enum { TAG_LIST_TAGS_MAX = 64, TAG_LIST_BYTES_MAX = 16 * 1024 };

struct tag {
	struct str name;  /* as written; names are told apart by case */
	struct str value; /* without the white space around it, folds inside and all */
	struct str whole; /* all between "=" and the ";" or the end */
};

struct tag_list {
	struct tag tags[TAG_LIST_TAGS_MAX];
	size_t count;
};

enum tag_list_outcome {
	TAG_LIST_FINE,
	TAG_LIST_SYNTAX,
	TAG_LIST_TWICE, /* a tag stands there twice: the whole list is invalid */
	TAG_LIST_TOO_LONG,
	TAG_LIST_TOO_MANY,
};

/* The slices borrow text.  Costs no more than TAG_LIST_BYTES_MAX, whatever its length. */
[[nodiscard]] enum tag_list_outcome tag_list_parse(struct str text,
						   struct tag_list *list);
/* NULL if there is none of that name. */
const struct tag *tag_list_find(const struct tag_list *list, const char *name);
/* Takes the next item of a value that is a list with colons, without the white space
 * around it; false at the end. */
[[nodiscard]] bool tag_item_next(struct str *rest, struct str *item);
