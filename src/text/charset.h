/* Text in any charset that mail names, as UTF-8.  UTF-8, ASCII and windows-1252 are ours
 * and fast; the rest is ICU's, whose converters are opened once a thread and kept, up to
 * eight.
 *
 * Mail lies about charsets, so names are taken as web browsers take them (WHATWG
 * Encoding §4.2): iso-8859-1 and us-ascii are read as windows-1252, gb2312 as gb18030,
 * and so on.  Text said to be ASCII, or nothing, or something unknown, is UTF-8 if it is
 * well-formed, else windows-1252. */
#pragma once

#include "base/buf.h"

enum charset_result {
	CHARSET_EXACT,    /* every octet had its character */
	CHARSET_REPAIRED, /* some were replaced by U+FFFD */
	CHARSET_GUESSED,  /* the name is unknown, or the text is not what it says */
};

/* Appends bytes as UTF-8; at the buffer's bound, what does not fit is dropped (and the
 * error latches).  Up to 3 octets come out for one. */
enum charset_result charset_add_utf8(struct buf *out, struct str charset,
				     struct str bytes);
/* True if the name is one we can convert; "" is not. */
bool charset_is_known(struct str charset);
/* Closes this thread's converters. */
void charset_forget(void);
