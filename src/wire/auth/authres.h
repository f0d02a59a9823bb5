/* Authentication-Results: what a server found out about who sent a mail.  RFC 8601 §2.2.
 * ARC-Authentication-Results has the same behind its "i=1;" (RFC 8617 §4.1.1).
 *
 * Leniencies, each for fields that exist:
 * - EMPTY_RESULT: "; ;" and a last ";";
 * - BARE_VALUE: "header.b=a/b+c=" without the quotes it needs;
 * - WRONG_RESULT: one that follows no grammar is passed over, and is_partial set.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum {
	AUTHRES_BYTES_MAX = 64 * 1024, /* of a field */
	AUTHRES_RESULTS_MAX = 64,
	AUTHRES_PROPERTIES_MAX = 16, /* of one result */
	AUTHRES_VALUE_MAX = 320,     /* octets of a value that is written */
};

struct authres_property {
	struct str ptype, name; /* "smtp", "mailfrom"; compare without case */
	struct str value;       /* quotes undone, unless it is an address */
};

struct authres_result {
	struct str method, result; /* "spf", "pass"; compare without case */
	struct str reason;         /* or "" */
	struct authres_property *properties;
	size_t count;
};

struct authres {
	struct str id;    /* authserv-id: who says so */
	uint64_t version; /* 1 if it says none */
	struct authres_result *results;
	size_t count;
	bool is_partial; /* something was passed over, or beyond a bound */
};

/* value is what stands behind the colon.  Slices borrow it or live in arena.  False if it
 * has no authserv-id, is longer than AUTHRES_BYTES_MAX, or the arena is full. */
[[nodiscard]] bool authres_parse(struct str value, struct arena *arena,
				 struct authres *authres);
/* The value of the first property of that name, or "". */
struct str authres_value(const struct authres_result *result, const char *ptype,
			 const char *name);
/* Whether a field from outside has to go, since it claims to be of this server, or
 * nobody can tell whose it is, or its version is not ours.  RFC 8601 §5. */
bool authres_claims(struct str value, struct str id, struct arena *arena);

/* Writing: one field, folded at 78 columns.  What is added needs no care: it is cut,
 * quoted, and cleaned of what no header field may have. */
struct authres_writer {
	struct buf *buf;
	size_t column;
	bool has_result;
};

/* "Authentication-Results: ID" */
void authres_begin(struct authres_writer *writer, struct buf *buf, struct str id);
/* The same within a field that was begun; column is where that stands. */
void authres_begin_at(struct authres_writer *writer, struct buf *buf, size_t column,
		      struct str id);
/* "; METHOD=RESULT"; both are keywords. */
void authres_add(struct authres_writer *writer, const char *method, const char *result);
/* These belong to the result before; in this order.  "" and NULL add nothing. */
void authres_add_comment(struct authres_writer *writer, struct str text);
void authres_add_reason(struct authres_writer *writer, struct str text);
void authres_add_property(struct authres_writer *writer, const char *ptype,
			  const char *name, struct str value);
/* The end of the line; "; none" before that if there was no result. */
void authres_end(struct authres_writer *writer);
