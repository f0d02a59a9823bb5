/* The formats that this program knows, and the steps between them.
 *
 * How to change the format: write the step from N to N + 1, add it to the table in
 * formats.c, raise format_newest (control/newest.c), and keep a fixture of N
 * (tests/formats/).  Packs are never rewritten: their framing and the kinds of effects in
 * them are read for ever, a changed kind is a new kind, and formats_known.since() tells
 * the first format whose programs can read it.
 */
#pragma once

#include "db/kv.h"

struct migration {
	uint32_t from; /* to from + 1 */
	const char *what;
	/* Change a copy of the index, or of the secrets, in as many transactions as it
	 * takes; nobody sees it before all steps are done.  NULL: there is nothing to do.
	 */
	err_t (*store)(struct kv *index);
	err_t (*vault)(struct kv *secrets);
};

struct formats {
	const struct migration *steps; /* the first one from 1 on, without gaps */
	size_t count;
	/* The first format whose programs can read an effect that is of this kind on disk
	 * (storage/record.c). */
	uint32_t (*since)(uint8_t kind);
};

extern const struct formats formats_known;

static inline uint32_t formats_newest(const struct formats *formats)
{
	return (uint32_t)formats->count + 1;
}
