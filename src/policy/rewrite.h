/* The From field of a mail that is passed on: an address of ours in place of the
 * author's, whose domain has others refuse what does not come from itself.  Pure: no
 * waiting, no clock. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum { REWRITE_BYTES_MAX = 8192 /* that it adds */ };

/* Appends the message with one From field, "Name via DOMAIN" <address>, of address, which
 * is LOCAL@DOMAIN.  What stood there is in X-Original-From, and in Reply-To unless there
 * was one, so that answers go where they went.  All else stays, octet by octet.  A From
 * field that is huge is kept as the first address that it names. */
void rewrite_from(struct str message, struct str address, struct arena *scratch,
		  struct buf *whole);
