/* A message as commands look at it: trace and body joined, its envelope, structure and
 * header.  All of these come from the digest that was made when it arrived; the body is
 * opened only for its text, or when a digest is missing or was cut short. */
#pragma once

#include "imap/session.h"
#include "store/ahead.h"
#include "store/digest.h"
#include "wire/imap/fetch.h"
#include "wire/mail/envelope.h"
#include "wire/mail/mime.h"

enum {
	MESSAGE_ARENA_MAX = 8 << 20,
	MESSAGE_HELD_MAX = 1 << 20, /* bodies up to here are kept while it is looked at */
};

struct message {
	struct session *s;
	account_t account; /* where it is: the selected mailbox, unless changed */
	uint64_t mailbox;
	struct ahead *ahead;           /* where its body may be already; NULL: nowhere */
	const struct message_row *row; /* with ROW_MESSAGE and ROW_DIGEST */
	struct arena arena;            /* of what is known of this one */
	bool is_read;                  /* the digest was, as far as it can be */
	bool is_digested;              /* and it is one */
	bool is_parsed;                /* what follows comes from the body */
	struct digest digest;
	uint64_t header_size; /* of the body's header, with the blank line */
	bool has_header;      /* and here it is, without trace */
	struct str header;
	bool has_envelope;
	struct mail_envelope envelope;
	struct mime_part *root; /* NULL: not known; places count in the body */
	struct buf body;        /* if is_held */
	bool is_held;           /* the body is there, or its first HELD_MAX octets */
};

void message_init(struct message *m, struct session *s);
void message_fini(struct message *m);
/* Turns to the next message; what was known of the last is gone. */
void message_turn(struct message *m, const struct message_row *row);

/* These may suspend, and make header_size, header, envelope or root known.  ABSENT if the
 * message went meanwhile. */
enum store_outcome message_header_size(struct message *m);
enum store_outcome message_header(struct message *m);
enum store_outcome message_envelope(struct message *m);
enum store_outcome message_structure(struct message *m);
/* The first words, from the digest; "" if it has none.  RFC 8970. */
struct str message_preview(struct message *m);
/* Makes the body held, whatever its size; at most max octets of it. */
enum store_outcome message_hold(struct message *m, size_t max);

/* A run of octets of the joined message. */
struct octets {
	uint64_t at, len;
};
/* Where the section's text is; false if there is no such part.  Needs the structure
 * unless the section is the whole message.  Not for the two FIELDS, whose header block it
 * finds, nor for BINARY, whose encoded text it finds. */
bool message_locate(const struct message *m, const struct imap_section *section,
		    struct octets *found);
/* What of them the section's partial asks for.  RFC 9051 §6.4.5. */
struct octets message_cut(const struct imap_section *section, struct octets whole);
/* The part the section names; NULL if there is none. */
const struct mime_part *message_part(const struct message *m,
				     const struct imap_section *section);
/* True if the octets are known without opening the body (they lie in trace and header);
 * then *text is them. */
bool message_known(struct message *m, struct octets octets, struct str *text);
/* Adds octets of a message to an ordinary literal, which may not hold NUL (RFC 9051
 * §4.3.1, CHAR8): 0x80 goes in its place, as other servers have it, so that sizes stay.
 * BINARY gives them as they are.  May suspend. */
void message_say(struct conn *conn, struct str text);
/* Sends the octets so, in pieces and in bounded memory; calls begin() before the first,
 * if they can be read.  May suspend. */
enum store_outcome message_send(struct message *m, struct octets octets,
				void (*begin)(void *arg), void *arg);
/* The octets in memory; for at most max of them. */
enum store_outcome message_read(struct message *m, struct octets octets,
				struct buf *text);

/* Appends the fields of the header block that are named, or not named, and the blank
 * line.  RFC 9051 §6.4.5.1. */
void message_fields(struct buf *out, struct str header,
		    const struct imap_section *section);
/* ENVELOPE and BODYSTRUCTURE or BODY, as writers take them; NULL at the arena's bound. */
const struct imap_envelope *message_imap_envelope(struct message *m,
						  const struct mail_envelope *from);
const struct imap_body *message_imap_body(struct message *m);
