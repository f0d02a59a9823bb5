/* A message's text while it comes in, by DATA or in BDAT's chunks.  What all sessions of
 * the process hold of such texts is counted: when it is too much, the text that grows is
 * let go and its sender asked to come again.  Nothing suspends. */
#pragma once

#include "rt/task.h"
#include "wire/smtp/data.h"

enum {
	BODY_WAIT_S = 300, /* for the next piece.  RFC 5321 §4.5.3.2.5 */
	BODY_ALL_S =
		2 * 60 * 60, /* for the whole: who is slower holds a place for ever */
};

enum body_how { BODY_DATA, BODY_CHUNKS };

struct body {
	struct smtp_data data;
	struct buf text;
	bool is_begun;   /* by BDAT: the message is to be ended by BDAT too */
	bool is_crowded; /* there was no room for it in memory */
	deadline_t until;
};

/* bytes_hint: what the client announced, or 0. */
void body_begin(struct body *body, enum body_how how, enum smtp_line_ends line_ends,
		uint64_t bytes_hint, uint64_t bytes_max);
/* Forgets it; {0} may be forgotten too. */
void body_fini(struct body *body);
/* Takes a piece; how much, see smtp_data_feed(). */
size_t body_take(struct body *body, struct str input);
/* How long to wait for the next piece, in seconds; 0: the whole took too long. */
unsigned body_wait_s(const struct body *body, deadline_t now);
/* What is wrong with the text as such, in words; NULL if nothing is.  On port 25 a bare
 * CR or LF is refused, because servers read it differently (SMTP smuggling).
 *
 * NUL is refused everywhere but in binary messages: RFC 5322 §3.5 and RFC 2045 §2.7, §2.8
 * have none in text of 7 or 8 bits, an IMAP literal cannot carry it (RFC 9051 §4.3), and
 * programs in C end the text there, so that two readers see two messages.  Cyrus refuses
 * it as well; sendmail and Exim change it, which breaks signatures. */
const char *body_fault(const struct body *body);
