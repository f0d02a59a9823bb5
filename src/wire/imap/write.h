/* What the server says: each function appends to a buf, which latches its bound.
 * RFC 9051 §9; strict, whatever the mail holds. */
#pragma once

#include "base/buf.h"
#include "wire/imap/token.h"

/* In quotes whatever it holds; the caller knows that it can be. */
void imap_write_quoted(struct buf *out, struct str text);
/* Quoted if it is short printable ASCII, a literal otherwise (both mean the same).  A NUL
 * cannot be in a string and is written as a space. */
void imap_write_string(struct buf *out, struct str text);
/* NIL for a null pointer. */
void imap_write_nstring(struct buf *out, struct str text);
/* An atom where it can be one. */
void imap_write_astring(struct buf *out, struct str text);
/* "{310}" CRLF, after which the caller sends so many octets; binary is literal8. */
void imap_write_literal_head(struct buf *out, uint64_t len, bool is_binary);
/* A mailbox name that we keep in UTF-8: quoted, in UTF-8 or modified UTF-7.  What cannot
 * be written as modified UTF-7 is written as a literal of its octets. */
void imap_write_mailbox(struct buf *out, struct str name, bool is_utf8);
/* "(\Seen $Forwarded)"; system is of enum imap_system_flag. */
void imap_write_flags(struct buf *out, unsigned system, const struct str *keywords,
		      size_t keyword_count);
/* "\" 7-Feb-1994 21:52:25 -0800\"" */
void imap_write_date_time(struct buf *out, struct imap_date_time when);

/* An address of an envelope; a null pointer is NIL.  Groups as RFC 9051 §7.5.2: a host of
 * NIL begins one (mailbox is its name) or ends it (mailbox NIL too). */
struct imap_address {
	struct str name, mailbox, host;
};

struct imap_addresses {
	const struct imap_address *list;
	size_t count; /* 0 is NIL */
};

struct imap_envelope {
	struct str date, subject; /* raw field bodies, unfolded */
	struct imap_addresses from, sender, reply_to, to, cc, bcc;
	struct str in_reply_to, message_id;
};

/* Sender and Reply-To default to From, as RFC 9051 §7.5.2 says. */
void imap_write_envelope(struct buf *out, const struct imap_envelope *envelope);

struct imap_param {
	struct str name, value;
};

/* One part of a body's structure. */
struct imap_body {
	struct str type, subtype; /* "TEXT", "PLAIN"; for a multipart only subtype */
	const struct imap_param *params;
	size_t param_count;
	struct str id, description, encoding; /* null: NIL, NIL, "7BIT" */
	uint64_t size, lines;
	struct str disposition; /* null for NIL */
	const struct imap_param *disposition_params;
	size_t disposition_param_count;
	struct str md5, language, location;
	const struct imap_body *child, *next; /* first part, or the body of a message */
	bool is_multipart;                    /* at least one child */
	const struct imap_envelope *envelope; /* of a message/rfc822 with its child */
};

enum { IMAP_BODY_DEPTH_MAX = 100 };

/* BODYSTRUCTURE, or BODY without extension data.  Deeper than IMAP_BODY_DEPTH_MAX, parts
 * are shown as application/octet-stream. */
void imap_write_body(struct buf *out, const struct imap_body *body, bool is_extended);
