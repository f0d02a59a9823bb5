/* How relevant messages are, from 1 to 100, by their UIDs.  RFC 6203 §4. */
#pragma once

#include "base/base.h"

struct scored {
	uint32_t uid;
	uint8_t score;
};

struct scores {
	struct scored *list; /* by UID */
	size_t count, room;
};

void scores_fini(struct scores *scores);
/* Costs little for UIDs above those that are there. */
void scores_set(struct scores *scores, uint32_t uid, unsigned score);
/* 0 if it is not there. */
unsigned scores_of(const struct scores *scores, uint32_t uid);
/* Adds the others, whose UIDs are below those that are there. */
void scores_put_before(struct scores *scores, const struct scores *front);
