/* A message made fit for a server that takes only 7 bits, or only lines of up to 998
 * octets: parts that are not get quoted-printable or base64.  RFC 6152 §3, RFC 2045 §6,
 * RFC 5321 §4.5.3.1.6. */
#pragma once

#include "mta/outgoing.h"

enum convert {
	CONVERT_DONE,       /* message->text is the new one */
	CONVERT_IMPOSSIBLE, /* it is signed, or its header itself is what does not fit */
	CONVERT_NOT_NOW,    /* the store could not give it, or it is too big for us */
};

/* May suspend.  may_8bit: the server takes 8 bits; only lines are to be mended. */
enum convert convert_message(struct outgoing *message, bool may_8bit);
/* The text itself, appended to out; for tests. */
enum convert convert_text(struct str text, bool may_8bit, struct buf *out);
