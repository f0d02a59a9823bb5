/* What FETCH asks for.  RFC 9051 §6.4.5, RFC 3501 §6.4.5. */
#pragma once

#include "base/buf.h"
#include "wire/imap/partial.h"
#include "wire/imap/sequence_set.h"

enum {
	IMAP_FETCH_ITEMS_MAX = 64,   /* sections in one command */
	IMAP_SECTION_DEPTH_MAX = 50, /* numbers in "1.2.3" */
	IMAP_SECTION_FIELDS_MAX = 100,
};

/* The items without arguments; a set of bits. */
enum imap_fetch_item {
	IMAP_FETCH_UID = 1,
	IMAP_FETCH_FLAGS = 2,
	IMAP_FETCH_INTERNALDATE = 4,
	IMAP_FETCH_SIZE = 8,
	IMAP_FETCH_ENVELOPE = 16,
	IMAP_FETCH_BODY = 32, /* the structure without extension data */
	IMAP_FETCH_BODYSTRUCTURE = 64,
	IMAP_FETCH_MODSEQ = 128,   /* RFC 7162 */
	IMAP_FETCH_SAVEDATE = 256, /* RFC 8514 */
	IMAP_FETCH_EMAILID = 512,  /* RFC 8474 */
	IMAP_FETCH_THREADID = 1024,
	IMAP_FETCH_PREVIEW = 2048, /* RFC 8970 */
};

enum imap_section_kind {
	IMAP_SECTION_BODY,   /* BODY[...], BODY.PEEK[...] */
	IMAP_SECTION_BINARY, /* BINARY[...]: transfer encoding undone */
	IMAP_SECTION_BINARY_SIZE,
	IMAP_SECTION_RFC822, /* RFC 3501: BODY[] under its old name, and so on */
	IMAP_SECTION_RFC822_HEADER,
	IMAP_SECTION_RFC822_TEXT,
};

enum imap_section_text {
	IMAP_TEXT_ALL, /* the part itself, or the whole message */
	IMAP_TEXT_HEADER,
	IMAP_TEXT_FIELDS,
	IMAP_TEXT_FIELDS_NOT,
	IMAP_TEXT_TEXT,
	IMAP_TEXT_MIME, /* only after a part number */
};

struct imap_section {
	enum imap_section_kind kind;
	enum imap_section_text text;
	bool is_peek; /* does not set \Seen */
	bool is_partial;
	uint64_t offset, count; /* of the partial; count > 0 */
	const uint32_t *part;   /* "1.2.3"; part_count 0 is the message itself */
	size_t part_count;
	const struct str *fields; /* of the two FIELDS */
	size_t field_count;
};

struct imap_fetch {
	struct imap_sequence_set set;
	unsigned items; /* of enum imap_fetch_item */
	struct imap_section *sections;
	size_t section_count;
	/* RFC 7162 §3.1.4.1, §3.2.6: only what changed since, and what is gone. */
	bool has_changed_since, wants_vanished;
	uint64_t changed_since;
	bool is_partial; /* RFC 9394 §3.3: only these of the messages in the set */
	struct imap_partial partial;
};

/* sequence-set SP items [SP "(" fetch-modifier *(SP fetch-modifier) ")"] */
bool imap_fetch(struct imap_in *in, struct imap_fetch *fetch);
/* section = "[" [section-spec] "]", for a section whose kind is known. */
bool imap_section(struct imap_in *in, struct imap_section *section);
/* "(" fetch-att *(SP fetch-att) ")": what is to be told of messages to come.  RFC 5465
 * §8. */
bool imap_fetch_list(struct imap_in *in, struct imap_fetch *fetch);
/* A copy that needs nothing of the command but its arena; false at that arena's bound. */
bool imap_fetch_copy(struct arena *arena, const struct imap_fetch *from,
		     struct imap_fetch *copy);
/* The item's name in the response: "BODY[1.HEADER.FIELDS (FROM)]<0>".  RFC 9051 §7.5.2 */
void imap_section_write(struct buf *out, const struct imap_section *section);
