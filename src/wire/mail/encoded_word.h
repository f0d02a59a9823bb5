/* Encoded words in header values.  RFC 2047, RFC 2231 §5.
 *
 * Leniencies, each for mail that exists:
 * - ANYWHERE: an encoded word need not stand alone ("a=?utf-8?q?b?=c"), nor outside
 *   quotes, nor be 75 octets at most;
 * - SPACE_INSIDE: spaces between its question marks;
 * - SPLIT_CHARACTER: adjacent words of one charset are one text, so that a character
 *   may begin in one and end in the next (RFC 2047 §5 forbids, many send). */
#pragma once

#include "base/buf.h"

/* A run of the value: text as it stands, or what adjacent encoded words hold. */
struct mail_words_run {
	bool is_encoded;
	struct str charset; /* if encoded; without the language */
	struct str text;    /* octets in that charset, or plain ones of the value */
};

/* A walk over the runs of a value. */
struct mail_words {
	struct str value;
	size_t at;
	size_t end_at;       /* the next "?=" at or after at, once looked for */
	struct buf *decoded; /* what the encoded text is decoded into */
};

/* value is unfolded.  decoded is the caller's scratch; it is emptied for each run. */
struct mail_words mail_words_over(struct str value, struct buf *decoded);
/* The next run; false at the end.  White space between encoded words is dropped (RFC
 * 2047 §6.2).  An encoded run's text is good until the next call. */
[[nodiscard]] bool mail_words_next(struct mail_words *words, struct mail_words_run *run);
/* True if value may hold an encoded word: a quick look. */
bool mail_words_any(struct str value);

/* Writing: appends UTF-8 as encoded words in base64, each of whole characters, on lines
 * of their own (RFC 2047 §2, §5).  Broken characters are replaced. */
void mail_words_add(struct buf *buf, struct str text);
