/* What clients send to log in with SASL: PLAIN and LOGIN.  RFC 4422, RFC 4616. */
#pragma once

#include "base/buf.h"

enum sasl_mechanism { SASL_PLAIN, SASL_LOGIN, SASL_OTHER };

enum sasl_line {
	SASL_LINE_DATA,   /* *out holds what was sent; it may be empty */
	SASL_LINE_CANCEL, /* "*": the client gives up */
	SASL_LINE_BAD,    /* no base64 */
};

struct sasl_plain {
	struct str authzid; /* whom to act as; empty: authcid */
	struct str authcid; /* whose password it is */
	struct str password;
};

enum { SASL_TEXT_MAX = 12 * 1024, SASL_NAME_MAX = 1024 };

enum sasl_mechanism sasl_mechanism_find(struct str name);
/* A line of the exchange: base64, or "*".  The decoded octets replace what was in *out;
 * they may be secret: the caller wipes them. */
enum sasl_line sasl_line_decode(struct str line, struct buf *out);
/* The same for the initial response of a command, where "=" is an empty one.  RFC 4954
 * §4, RFC 5034 §4. */
enum sasl_line sasl_initial_decode(struct str initial, struct buf *out);
/* message = [authzid] NUL authcid NUL passwd.  RFC 4616 §2.  Slices borrow from it. */
[[nodiscard]] bool sasl_plain_parse(struct str message, struct sasl_plain *plain);
/* What LOGIN sends for "Username:" or "Password:": UTF-8 without NUL, not empty. */
bool sasl_login_is_valid(struct str text);
