/* What SORT compares of a message's header, in the form in which it is compared: decoded,
 * and mapped by i;unicode-casemap (RFC 5051), so that octets decide.  RFC 5256 §3,
 * RFC 5957 §3. */
#pragma once

#include "base/buf.h"
#include "wire/mail/envelope.h"

enum sort_text {
	SORT_SUBJECT, /* the base subject */
	SORT_FROM,    /* addr-mailbox of the first address */
	SORT_TO,
	SORT_CC,
	SORT_DISPLAY_FROM, /* its name, or else the address */
	SORT_DISPLAY_TO,
	SORT_TEXTS,
};

/* Appends it, cut to max octets of whole characters.  True if it is a base subject, and
 * the subject is one of a reply or forward. */
bool sort_text_add(struct buf *out, const struct mail_envelope *envelope,
		   enum sort_text which, size_t max);
