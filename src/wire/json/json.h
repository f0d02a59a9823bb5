/* JSON (RFC 8259) that strangers wrote, read in place: a value is the slice of text that
 * holds it.  What was taken once as a whole (js_take()) can be walked through without
 * further checks.  Nothing recurses: the open brackets are bits of a number.  The names
 * begin with js_ because those with json_ are jansson's, which writes JSON elsewhere. */
#pragma once

#include "base/arena.h"
#include "wire/cursor.h"

enum { JSON_DEPTH_MAX = 32 };

/* Takes one value with the white space around it; *value is without it.  Strings are
 * UTF-8.  False, and nothing moved, if there is none, or it nests too deep. */
[[nodiscard]] bool js_take(struct cursor *c, struct str *value);

/* The members of an object, or the elements of an array. */
struct js_items {
	struct cursor at;
	bool is_object;
};
/* False if the value is none of that kind. */
[[nodiscard]] bool js_object(struct str value, struct js_items *items);
[[nodiscard]] bool js_array(struct str value, struct js_items *items);
/* The next; false after the last.  name is the raw string with its quotes; "" in an
 * array. */
[[nodiscard]] bool js_next(struct js_items *items, struct str *name, struct str *value);
/* True if the raw string is that word; escapes count as what they stand for nowhere. */
bool js_is(struct str name, struct str word);

/* A string without quotes and escapes; borrows, or is in the arena.  A surrogate without
 * its other half becomes U+FFFD.  False if the value is no string, or the arena is full.
 */
[[nodiscard]] bool js_text(struct str value, struct arena *arena, struct str *text);
/* A number that is an integer of at most max, and not below 0. */
[[nodiscard]] bool js_count(struct str value, uint64_t max, uint64_t *count);
