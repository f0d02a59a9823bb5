/* Content-Type and Content-Disposition with their parameters.  RFC 2045 §5.1, RFC 2183,
 * RFC 2231.
 *
 * Leniencies, each for mail that exists:
 * - NO_SEMICOLON: "text/plain charset=utf-8", and any number of semicolons;
 * - UNQUOTED_VALUE: "name=my file (1).pdf" up to the semicolon, without a comment or a
 *   parameter after space;
 * - NOT_CLOSED: a quoted value without its end goes to the end;
 * - NO_VALUE: a parameter without "=" is passed over. */
#pragma once

#include "base/arena.h"

struct mail_param {
	struct str name;  /* as written, with the "*0*" of RFC 2231 */
	struct str value; /* quotes undone, folds removed, "%xx" left */
};

struct mail_params {
	struct mail_param *items;
	size_t count;
};

enum { MAIL_PARAMS_MAX = 64 }; /* more are passed over */

struct mail_content_type {
	struct str type, subtype; /* as written; compare without case */
	struct mail_params params;
};

struct mail_disposition {
	struct str type;
	struct mail_params params;
};

/* False, and *found untouched, if there is no type and subtype: then the part is what
 * RFC 2045 §5.2 says of one without the field.  Also false at the arena's bound. */
[[nodiscard]] bool mail_content_type_parse(struct arena *arena, struct str value,
					   struct mail_content_type *found);
[[nodiscard]] bool mail_disposition_parse(struct arena *arena, struct str value,
					  struct mail_disposition *found);

/* The first parameter of that name as written, without RFC 2231; "" if there is none. */
struct str mail_param_plain(const struct mail_params *params, struct str name);
/* The parameter put together from its pieces and with "%xx" undone (RFC 2231); an
 * extended form wins over a plain one.  charset is "" if none was given.  False if there
 * is none of that name, or at the arena's bound. */
[[nodiscard]] bool mail_param_find(struct arena *arena, const struct mail_params *params,
				   struct str name, struct str *value,
				   struct str *charset);
