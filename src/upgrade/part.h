/* The work in one part of the data directory, by a process of its own.  Private to
 * upgrade/. */
#pragma once

#include <limits.h>

#include "control/folder.h"
#include "control/format.h"
#include "upgrade/upgrade.h"

/* What is being made, in the folder of the part; what takes the place of what there was,
 * in next/; both vanish, or are complete. */
#define PART_MAKING "snapshot.new"
#define PART_NEXT   "next"

enum part_name { PART_STORE, PART_VAULT };

struct part {
	enum part_name name;
	const struct upgrade *upgrade;
	uint32_t from, to;
	const char *aside; /* of a roll-back: the folder for what is newer */
	bool is_switch;    /* what was prepared takes its place */
	struct buf said;   /* what went wrong, or what came of it */
};

const char *part_text(enum part_name name); /* "store" */
const char *part_file(enum part_name name); /* the one that is migrated */
/* DIR/part/name; and with more behind it.  ERR_LIMIT. */
struct part_path {
	char text[PATH_MAX];
};
[[nodiscard]] err_t part_path(const struct part *part, struct part_path *path,
			      const char *format, ...) PRINTF_LIKE(3, 4);
/* Ends a sentence in part->said and gives err. */
err_t part_fail(struct part *part, err_t err, const char *format, ...) PRINTF_LIKE(3, 4);
/* Runs work in another process with the rights of the part's owner; what it said is then
 * in part->said.  It dies with this one.  OK if there is no such part. */
[[nodiscard]] err_t part_run(struct part *part, err_t (*work)(struct part *part));
/* Between two changes on disk: where tests let it fail, or kill it.  Sites
 * upgrade.store, upgrade.vault, and the same with .switch. */
[[nodiscard]] err_t part_step(const struct part *part);
/* Enough room for octets more, and some; else says so. */
[[nodiscard]] err_t part_has_room(struct part *part, uint64_t octets);
void part_tell(const struct part *part, const char *what, unsigned percent);
