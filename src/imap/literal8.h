/* A message that came as literal8 may hold NUL octets, which no other literal may (RFC
 * 3516 §4.4, RFC 9051 §9 CHAR8).  So that any client can fetch it, parts that do are kept
 * in base64 (RFC 3516 §6). */
#pragma once

#include "base/buf.h"

/* Replaces the message if it must.  False if there is a NUL elsewhere than in the body of
 * a part with the transfer encoding "binary", or at the buffer's bound. */
bool literal8_encode(struct buf *message);
