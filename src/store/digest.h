/* The digest of a message: what lists, searches, sorting and threading need of it, made
 * once when it arrives and kept in the index, so that none of them opens the body.
 *
 * It covers the stored body.  The trace fields that a delivery puts in front are not in
 * it: offsets here count from the body's first octet, the message's size is trace + size,
 * its header is trace + header, its envelope and structure are the same.
 *
 * A digest never has more than DIGEST_BYTES_MAX octets (store/types.h).  What is too big
 * is left out and flagged, and the reader then takes it from the body: mime_parse(),
 * mime_read_envelopes(), mail_envelope_parse() give the same structs as here.
 *
 * Doors make digests; nobody trusts them: these readers take any octets, and give no
 * place that lies outside the message. */
#pragma once

#include "store/sort_text.h"
#include "wire/mail/mime.h"

enum {
	DIGEST_HEADER_MAX = 32 * 1024,
	DIGEST_REFERENCES_MAX = 20, /* the last ones: the nearest ancestors */
	DIGEST_SORT_BYTES = 128,
	DIGEST_ADDRESSES_MAX = 2000, /* of one list */
};

enum digest_flags {
	DIGEST_HEADER_CUT = 1,    /* header ends after a field, but there are more */
	DIGEST_ENVELOPE_CUT = 2,  /* lists or texts are shorter than in the header */
	DIGEST_STRUCTURE_CUT = 4, /* structure is missing */
	DIGEST_HAS_ATTACHMENT = 8,
	DIGEST_IS_REPLY = 16, /* or forward, by its subject; RFC 5256 §3 */
	DIGEST_HAS_SENT = 32, /* sent_at is set; else take INTERNALDATE */
};

/* Slices borrow the digest's octets, or what digest_read() made of them. */
struct digest {
	uint8_t flags;
	uint64_t size;        /* of the body record, octets */
	uint64_t header_size; /* of its header with the blank line, even if header is cut
			       */
	uint64_t lines;       /* line ends after the header */
	int64_t sent_at;      /* Date, seconds since 1970 */

	/* For threading: digest_hash() of identifiers as mail_ids_parse() gives them, and
	 * of the mapped base subject; 0 is none.  references: from References, or else
	 * the first of In-Reply-To (RFC 5256 §3). */
	uint64_t message_id, base_subject;
	uint64_t references[DIGEST_REFERENCES_MAX];
	size_t reference_count;

	/* For SORT, each cut to DIGEST_SORT_BYTES. */
	struct str sort[SORT_TEXTS];

	struct str preview;   /* UTF-8; text/preview.h */
	struct str envelope;  /* for digest_envelope() */
	struct str structure; /* for digest_structure() */
	struct str header;    /* the header's octets, for mail_fields_over(): splitting it
				 again takes 15 ns a field, less than a table would */
};

/* Appends the digest of the whole message; never fails, but for a buf whose max leaves
 * less than DIGEST_BYTES_MAX. */
void digest_make(struct str message, struct buf *out);
/* The same for doors, by the name of what they do (borrowed for ever): where these very
 * octets have brought such a process down before, nothing is appended, and readers open
 * the body instead. */
void digest_make_warily(const char *operation, struct str message, struct buf *out);
/* The digest's parts, without looking into envelope and structure; what was packed is
 * unpacked in the arena.  False if the bytes are no digest, or of a version we do not
 * know, or the arena is full; then *digest is untouched. */
[[nodiscard]] bool digest_read(struct arena *arena, struct str bytes,
			       struct digest *digest);
/* Only what stands before preview, without an arena: what SORT and THREAD need. */
[[nodiscard]] bool digest_read_keys(struct str bytes, struct digest *digest);
/* The octets that this reads, which are enough for it; "" if it fails. */
struct str digest_front(struct str bytes);
/* Whether a text for SORT may be longer than the digest has it. */
bool digest_sort_is_cut(struct str text);
/* The envelope as mail_envelope_parse() gives it, but without references.  False if the
 * bytes are damaged or the arena is full. */
[[nodiscard]] bool digest_envelope(struct arena *arena, const struct digest *digest,
				   struct mail_envelope *envelope);
/* The tree as mime_parse() and mime_read_envelopes() give it, but encoding is the plain
 * name where transfer is known, "7bit" without the field.  False if the structure was
 * cut, the bytes are damaged, or the arena is full. */
[[nodiscard]] bool digest_structure(struct arena *arena, const struct digest *digest,
				    struct mime_part **root);
/* The hash of an identifier; the same in every process and for ever, and never 0. */
uint64_t digest_hash(struct str bytes);
