/* The format of the data directory: one number for all that stands in it, the store with
 * its queue, and the vault.  DIR/format holds it, a few lines of text, written whole or
 * not at all:
 *
 *   format 2                     what stands there, or the higher one during a change
 *   program 0.2.0                the program that wrote this
 *   becoming 1                   only during a change: the format that it leads to
 *   aside rolled-back-20261122   only during a roll-back: where the newer data goes
 *
 * Programs of any age read the first two lines and pass over lines that they do not know.
 * A directory of before there was such a record is of format 1.
 */
#pragma once

#include "base/buf.h"

/* The format that this program writes.  It rises by one whenever an older program would
 * misread anything that this one writes: rows, records, packs, secrets. */
extern const uint32_t format_newest;

enum { FORMAT_NAME_MAX = 64 };

struct format {
	uint32_t format, becoming; /* becoming 0: no change is under way */
	char program[FORMAT_NAME_MAX], aside[FORMAT_NAME_MAX];
};

enum format_state {
	FORMAT_NONE,     /* there is no data yet */
	FORMAT_SAME,     /* ours */
	FORMAT_OLDER,    /* has to be brought up to date before anything is opened */
	FORMAT_NEWER,    /* not for this program */
	FORMAT_CHANGING, /* a change was interrupted, and is to be ended first */
	FORMAT_UNREADABLE,
};

/* Looks, and changes nothing.  newest: what the program knows. */
enum format_state format_look(const char *folder, uint32_t newest, struct format *format);
/* Durable when OK. */
[[nodiscard]] err_t format_write(const char *folder, const struct format *format);
/* Whether the data may be opened by this program as it is; of new data it writes down the
 * format.  Otherwise *why is told, for people, what stands in the way and what to do;
 * nothing was changed.  The caller holds the folder's lock. */
[[nodiscard]] err_t format_admit(const char *folder, uint32_t newest, struct buf *why);
/* That sentence alone. */
void format_explain(const char *folder, enum format_state state,
		    const struct format *format, uint32_t newest, struct buf *why);
