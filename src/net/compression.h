/* DEFLATE in both directions (RFC 1951), as IMAP's COMPRESS has it (RFC 4978); inside
 * net/.  No I/O: octets in, octets out.
 *
 * At work it takes about 90 KB: 54 KB to compress (a window of 8 KB), 40 KB to undo what
 * the peer compressed (its window may be 32 KB).  Between commands compression_rest()
 * leaves of that only what both sides may still refer to: at most 4 KB of what was said
 * last, and what the peer has said, at most 32 KB.
 */
#pragma once

#include "base/buf.h"

struct compression;

struct compression *compression_new(void);
void compression_free(struct compression **compression);

/* Compresses text, which moves on, into at most room octets, and returns how many they
 * are.  *is_whole: the peer can read all of the text from what has been made so far;
 * otherwise call again, with what is left, before there is more text. */
size_t compression_out(struct compression *compression, struct str *text, char *to,
		       size_t room, bool *is_whole);
/* What comes out next ends the stream, after which there is nothing to come out. */
void compression_finish(struct compression *compression);

enum compression_in {
	COMPRESSION_TEXT, /* got octets are there */
	COMPRESSION_MORE, /* wire is used up and said nothing */
	COMPRESSION_END,  /* the peer's stream has ended; what is left of wire is plain */
	COMPRESSION_BAD,  /* that is no DEFLATE */
};
/* Undoes what the peer compressed; wire moves on. */
enum compression_in compression_in(struct compression *compression, struct str *wire,
				   char *to, size_t room, size_t *got);
/* The peer ends its stream soon, whether it says so in the stream or just goes on in
 * plain text (RFC 8437 §4.1 has the one who receives find out). */
void compression_will_end(struct compression *compression);

/* Gives back what an idle connection does not need. */
void compression_rest(struct compression *compression);
/* How many octets are kept now beside the work of zlib; 0 of that when it rests. */
size_t compression_kept(const struct compression *compression, bool *is_resting);
