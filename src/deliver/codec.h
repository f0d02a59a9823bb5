/* The messages between doors and the deliverd process.  Decoders take any octets.
 *
 * A request is its fields and its text.  What is longer than a frame goes in parts before
 * it, of the text as soon as there is one (the fields are complete only when the text
 * is): DELIVER_PART {u64 number, u8 it is of the fields, u64 how many went before,
 * octets}.  The frame of the request is {u64 number, or 0 if nothing went before, u32
 * octets of the fields, the rest of the fields, the rest of the text}.  Parts end with
 * their channel.
 */
#pragma once

#include "base/codec.h"
#include "deliver/deliver.h"

enum deliver_message {
	DELIVER_PART = 1,
	DELIVER_DROP, /* u64 number: no request will come for these parts; no reply */
	DELIVER_MAIL,
	DELIVER_REPORT,

	DELIVER_TAKEN = 64, /* of a part */
	DELIVER_ANSWERS,    /* u8 count, answers */
	DELIVER_REPORTED,   /* u8 it is done */
	DELIVER_FULL,       /* there is no room for such a request now */
	DELIVER_MALFORMED,
};

enum {
	DELIVER_PART_BYTES = 320 * 1024, /* a mail of 256 KB is one message */
	DELIVER_FIELDS_MAX = 6 * 1024 * 1024,
	DELIVER_ANSWERS_BYTES = 512 * 1024,
	DELIVER_ARENA_BYTES = 1024 * 1024, /* for decoding a request */
};

/* The fields without the text; the first octet is is_again. */
void deliver_encode_mail(struct buf *fields, const struct deliver_mail *mail);
/* Slices borrow fields, text and arena. */
[[nodiscard]] bool deliver_decode_mail(struct str fields, struct str text,
				       struct arena *arena, struct deliver_mail *mail);
/* Without the header, which is the text. */
void deliver_encode_report(struct buf *fields, const struct deliver_report *report);
[[nodiscard]] bool deliver_decode_report(struct str fields, struct str header,
					 struct arena *arena,
					 struct deliver_report *report);
void deliver_encode_answers(struct buf *body, const struct deliver_answer *answers,
			    size_t count);
/* False unless there are just so many.  Copies into arena. */
[[nodiscard]] bool deliver_decode_answers(struct str body, struct arena *arena,
					  struct deliver_answer *answers, size_t count);
