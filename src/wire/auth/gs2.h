/* The header that GS2 puts before a mechanism's first message, and the names in it; SCRAM
 * and OAUTHBEARER share it.  RFC 5801 §4, RFC 5802 §7. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "wire/cursor.h"

enum gs2_binding {
	GS2_NO_BINDING,     /* "n": the client cannot bind to the channel */
	GS2_BINDING_UNSEEN, /* "y": it could, but thinks that the server cannot */
	GS2_BINDING_USED,   /* "p=": it does */
};

enum gs2_channel {
	GS2_CHANNEL_OTHER,        /* none, or one we do not know */
	GS2_TLS_EXPORTER,         /* RFC 9266 */
	GS2_TLS_SERVER_END_POINT, /* RFC 5929 §4 */
};

enum gs2_result { GS2_FINE, GS2_MALFORMED, GS2_BAD_NAME, GS2_NO_ROOM };

struct gs2_header {
	enum gs2_binding binding;
	enum gs2_channel channel; /* what "p=" names */
	struct str authzid;       /* whom to act as; "" if not said; in the arena */
	struct str text;          /* the header as sent, with both commas; borrowed */
};

/* gs2-header = gs2-cbind-flag "," [authzid] ",".  Moves past it if GS2_FINE. */
enum gs2_result gs2_header_take(struct cursor *c, struct arena *arena,
				struct gs2_header *header);
/* Reads a saslname: "=2C" is a comma and "=3D" an equals sign.  The name is a copy in the
 * arena.  GS2_BAD_NAME if it is empty, no UTF-8, holds NUL or a comma, or an equals sign
 * that is followed by anything else.  RFC 5802 §5.1. */
enum gs2_result gs2_name_read(struct str text, struct arena *arena, struct str *name);
/* Appends a name that way. */
void gs2_name_add(struct buf *buf, struct str name);
/* Appends the header.  channel matters for GS2_BINDING_USED only, and is then known. */
void gs2_header_add(struct buf *buf, enum gs2_binding binding, enum gs2_channel channel,
		    struct str authzid);
