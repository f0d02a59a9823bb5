/* What the packs are like: which bodies of them can be read.  Private to storage/. */
#pragma once

#include "db/pack.h"
#include "storage/check.h"

struct pack_span {
	uint32_t pack;
	uint64_t from, to;
};

/* Groups are missing before that one. */
struct pack_gap {
	struct pack_place from;
	uint64_t sequence; /* of the group behind it */
};

struct pack_map {
	struct pack_span *spans; /* of intact groups, joined, ascending */
	size_t span_count, span_room;
	struct pack_place *bad; /* bodies in them that are damaged or punched */
	size_t bad_count, bad_room;
	struct pack_gap *gaps;
	size_t gap_count, gap_room;
	uint64_t sequence; /* of the last intact group */
	bool is_whole;     /* no group from the first one on is missing */
};

/* Reads all packs; groups after that one do not count. */
[[nodiscard]] err_t pack_map_make(struct packs *packs,
				  const struct check_options *options,
				  struct check_report *report, uint64_t last,
				  struct pack_map *map);
void pack_map_fini(struct pack_map *map);
/* OK if the record there is a whole body of that length; ERR_SYNTAX if not. */
[[nodiscard]] err_t pack_map_body(const struct pack_map *map, struct packs *packs,
				  struct pack_body body, struct pack_found *found);
